"""Analyse: loudness, spectrum, stereo, flaws, tempo and key of the song, each with its confidence."""

from __future__ import annotations

from bridge.measure import survey_file
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage
from bridge.stages.views import save_view
from bridge.values import Value

PICTURES = {"waveform", "spectrogram", "short_term"}


class Params(Value):
    """Nothing to set."""


def run(_params: Params, inputs: Inputs, room: Room) -> Made:
    """Measure the asset ``source`` in one pass; the pictures go into a file of their own."""
    seen = survey_file(inputs.path(roles.SOURCE), room.progress)
    view = save_view(seen, room.folder / "view.json")
    facts = seen.model_dump(mode="json", exclude=PICTURES)
    return Made(files={f"{roles.VIEWS}/{roles.SOURCE}": view}, facts=facts)


STAGE = Stage(name="analyse", version=1, cost=0.03, run=run)
