"""Doors: what they are, and how they are opened and closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from bridge.service.service import Service


@runtime_checkable
class Frontend(Protocol):
    """A door. Its class is registered in ``bridge.frontends`` under its name and made without arguments.

    ``start`` returns when the door is open, having left its work to threads of its own; what it cannot open
    it says with ``ServiceError`` or ``ConfigError``, and the other doors open all the same. ``stop`` ends
    those threads and returns; it may be called at any time after ``start``, also when that failed. When
    settings change, a door is stopped and a new one started.
    """

    def start(self, service: Service) -> None:
        """Open the door."""
        ...

    def stop(self) -> None:
        """Close it."""
        ...
