"""The device: its parts, and the script between them. INTERFACE.md says what they tell each other."""

from __future__ import annotations

from typing import Final

from ableton.device import controls
from ableton.device.actions import actions
from ableton.device.choices import choices
from ableton.device.display import DISPLAY, display
from ableton.device.patcher import Part, Patcher, chain, cord

NAME: Final = "stembridge"
SCRIPT_FILE: Final = "stembridge.js"
SERVICE_HOST: Final = "127.0.0.1"
SERVICE_PORT: Final = 17710
"""Where the service listens, as shipped."""
FIRST_RECEIVING_PORT: Final = 17719
"""Where the device listens until its script chooses a port."""
WIDTH_PX: Final = 424

_DESCRIPTION: Final = (
    "Sends songs to stembridge on this computer, shows how they get on, and builds tracks from their stems."
)


def device(service_port: int = SERVICE_PORT) -> Patcher:
    """The device's patcher, for a service that listens at ``service_port``."""
    return Patcher(
        name=NAME,
        description=_DESCRIPTION,
        width_px=WIDTH_PX,
        content=_audio() + _script(service_port) + actions() + choices() + display(),
        files=(SCRIPT_FILE,),
    )


def _audio() -> Part:
    boxes = (
        controls.plain("audio_in", "plugin~", (5, 0)),
        controls.plain("audio_out", "plugout~", (5, 1)),
        controls.note("about_audio", "Audio passes untouched.", (5, 2)),
    )
    return Part(boxes=boxes, cords=(*chain("audio_in", "audio_out"), cord("audio_in", "audio_out", 1, 1)))


def _script(service_port: int) -> Part:
    """What the script hears and where it speaks; all that is told to it comes by one name."""
    boxes = (
        controls.plain("told", f"r {controls.TO_SCRIPT_NAME}", (0, 0)),
        controls.plain("loaded", "live.thisdevice", (1, 0)),
        controls.message("ready", "ready", (1, 1)),
        # defer: no message is handled in the audio's time
        controls.plain("receiver", f"udpreceive {FIRST_RECEIVING_PORT} @quiet 1 @defer 1", (2, 1)),
        controls.script("script", SCRIPT_FILE, 2, 3, (0, 2)),
        controls.plain("sender", f"udpsend {SERVICE_HOST} {service_port}", (0, 3)),
        controls.route("display", DISPLAY, (0, 4)),
        controls.plain(controls.TO_SCRIPT, f"s {controls.TO_SCRIPT_NAME}", (0, 16)),
    )
    cords = (
        *chain("told", "script", "sender"),
        *chain("loaded", "ready", "script"),
        cord("receiver", "script", inlet=1),
        cord("script", "receiver", outlet=1),
        cord("script", "display", outlet=2),
    )
    return Part(boxes=boxes, cords=cords)
