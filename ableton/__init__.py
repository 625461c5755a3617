"""The Live door: OSC messages, the Max for Live device and what is written for Live."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ableton.frontend import OscFrontend

__all__ = ["OscFrontend"]


def __getattr__(name: str) -> object:
    """The door is imported when it is asked for: other parts of the package need no sockets."""
    if name == "OscFrontend":
        from ableton.frontend import OscFrontend

        return OscFrontend
    raise AttributeError(f"module 'ableton' has no attribute {name!r}")
