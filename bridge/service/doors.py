"""Opens and closes the doors that are plugged in. One that does not open keeps no other from it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from bridge import registry
from bridge.errors import StembridgeError
from bridge.service.frontends import Frontend
from bridge.service.service import Service
from bridge.service.state import DoorState
from presets import PresetError

GROUP = "bridge.frontends"

log = logging.getLogger(__name__)


class Doors:
    """The doors of a service, by name."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._open: dict[str, Frontend] = {}
        self._troubles: dict[str, str] = {}

    @property
    def closed(self) -> tuple[str, ...]:
        """Names of the doors that should be open and are not."""
        return tuple(self._troubles)

    def open_all(self) -> None:
        """Open every door that is plugged in and not left out by the settings."""
        for name in self._wanted():
            self.open(name)

    def open(self, name: str) -> None:
        """Open one; what keeps it closed is told once, not with every new try."""
        try:
            door: Frontend = registry.load(GROUP, name)()
        except Exception as error:
            self._cannot(name, error)
            return
        try:
            door.start(self._service)
        except Exception as error:
            self._stop(name, door)
            self._cannot(name, error)
            return
        self._open[name] = door
        self._troubles.pop(name, None)

    def close_all(self, why: str = "") -> None:
        """Close every door, the last opened first; ``why`` is told for as long as the service goes on."""
        for name in reversed(list(self._open)):
            self.close(name)
            if why:
                self._service.tell_state(DoorState(name=name, is_open=False, words=why))
        self._troubles.clear()

    def close(self, name: str) -> None:
        """Close one, if it is open."""
        self._troubles.pop(name, None)
        door = self._open.pop(name, None)
        if door is not None:
            self._stop(name, door)

    def _stop(self, name: str, door: Frontend) -> None:
        try:
            door.stop()
        except Exception as error:
            log.error("The door '%s' did not close: %r", name, error, extra={"action": "door_failed"})

    def follow(self, sections: Collection[str], shared: Collection[str]) -> None:
        """Bring the doors in line with settings of which ``sections`` changed.

        A door is opened anew for the section of its name and for ``shared`` ones, which all depend on.
        """
        wanted = self._wanted()
        for name in [name for name in (*self._open, *self._troubles) if name not in wanted]:
            self.close(name)
            self._service.tell_state(DoorState(name=name, is_open=False, words="left out by the settings"))
        stale = set(wanted) if not set(shared).isdisjoint(sections) else set(wanted) & set(sections)
        self.reopen(name for name in wanted if name in stale or name not in self._open)

    def reopen(self, names: Iterable[str]) -> None:
        """Close and open doors, whose settings changed."""
        for name in names:
            self.close(name)
            self.open(name)

    def try_closed(self) -> None:
        """Try again to open those that should be open and are not."""
        for name in self.closed:
            self.open(name)

    def _wanted(self) -> tuple[str, ...]:
        without = set(self._service.config.service.without)
        return tuple(name for name in registry.names(GROUP) if name not in without)

    def _cannot(self, name: str, error: Exception) -> None:
        is_ours = isinstance(error, StembridgeError | PresetError | OSError)
        words = (
            str(error) if is_ours else f"{type(error).__name__}: {error}. Please report this with the log."
        )
        if self._troubles.get(name) != words:
            log.error(
                "The door '%s' is closed: %s",
                name,
                words,
                extra={"action": "door_closed"},
                exc_info=None if is_ours else error,
            )
            self._service.tell_state(DoorState(name=name, is_open=False, words=words))
        self._troubles[name] = words
