"""Remote controls by OSC: one panel, as a layout for Open Stage Control and for TouchOSC."""

from ableton.remotes.panel import PANEL, Button, Choice, Display, Setup
from ableton.remotes.stagecontrol import module_text, session_text
from ableton.remotes.touchosc import document_bytes

__all__ = [
    "PANEL",
    "Button",
    "Choice",
    "Display",
    "Setup",
    "document_bytes",
    "module_text",
    "session_text",
]
