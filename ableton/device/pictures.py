"""Pictures of the device in its states: the patcher is told what the script tells it, and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ableton.device.build import FOLDER, device_document
from ableton.device.picture import Theme, draw
from ableton.device.rehearsal import Message, Rehearsal
from ableton.device.theme import LIGHT

PICTURE: Final[Path] = FOLDER / "stembridge.svg"
"""The picture that is shown on the device's page."""
_CONNECTED: Final[tuple[Message, ...]] = (
    ("lamp", 2),
    ("recipes", "automatic", "full", "quick"),
    ("song", "Night Drive"),
)
STATES: Final[Mapping[str, tuple[Message, ...]]] = MappingProxyType(
    {
        "resting": (),
        "working": (*_CONNECTED, ("stage", "Separating, 0:41 left"), ("progress", 0.62), ("can_cancel", 1)),
        "done": (
            *_CONNECTED,
            ("stage", "Done. 4 stems to import"),
            ("progress", 1.0),
            ("before", "-9.1 LUFS  0.4 dBTP"),
            ("after", "-14.0 LUFS  -1.0 dBTP"),
            ("can_import", 1),
        ),
        "failed": (
            *_CONNECTED,
            ("stage", "Failed"),
            ("error", "Night Drive.wav is silent from end to end; wanted a song. Choose another file."),
        ),
    }
)
"""What the script says in each state."""


def picture(state: str, theme: Theme = LIGHT) -> str:
    """The device in a state of ``STATES``, as an SVG."""
    rehearsal = Rehearsal(device_document())
    for message in STATES[state]:
        rehearsal.say(2, *message)
    return draw(rehearsal.document, theme, rehearsal.values)
