"""The heartbeat: signs of life to subscribers, and an end to those who give none."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Pulse:
    """Calls ``beat`` every ``heartbeat_s`` while ``is_needed`` says so; else it sleeps until ``look``."""

    def __init__(
        self, heartbeat_s: float, *, is_needed: Callable[[], bool], beat: Callable[[], None]
    ) -> None:
        self._heartbeat_s = heartbeat_s
        self._is_needed = is_needed
        self._beat = beat
        self._was_called = False
        self._is_stopping = False
        self._changed = threading.Condition()

    def run(self) -> None:
        """Beat until ``stop``."""
        while self._wait():
            self._beat()

    def look(self) -> None:
        """Somebody came or went: see whether there is anybody to beat for."""
        with self._changed:
            self._was_called = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End ``run``."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def _wait(self) -> bool:
        """Until the next beat; False when stopped."""
        with self._changed:
            while not self._is_stopping and not self._is_needed():
                self._was_called = False
                self._changed.wait_for(lambda: self._is_stopping or self._was_called)
            self._changed.wait_for(lambda: self._is_stopping, self._heartbeat_s)
            return not self._is_stopping
