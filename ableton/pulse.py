"""The heartbeat: signs of life to subscribers, and an end to those who give none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ableton.survival import survived


class Pulse:
    """Calls ``beat`` every ``heartbeat_s`` while ``is_needed`` says so, and ``look`` when it is asked to.

    While nobody is there it sleeps until it is asked to look.
    """

    def __init__(
        self,
        heartbeat_s: float,
        *,
        is_needed: Callable[[], bool],
        beat: Callable[[], None],
        look: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heartbeat_s = heartbeat_s
        self._is_needed = is_needed
        self._beat = beat
        self._look = look
        self._clock = clock
        self._is_asked = False
        self._is_stopping = False
        self._changed = threading.Condition()

    def run(self) -> None:
        """Beat until ``stop``."""
        due_s = self._clock() + self._heartbeat_s
        while not self._is_stopping:
            if self._was_asked(due_s):
                survived(self._look, "How the OSC door does could not be told")
            if self._clock() >= due_s:
                due_s = self._clock() + self._heartbeat_s
                if self._is_needed():
                    survived(self._beat, "A heartbeat failed")

    def ask_look(self) -> None:
        """Somebody came or went: look around soon, in this pulse's own thread."""
        with self._changed:
            self._is_asked = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End ``run``."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def _was_asked(self, due_s: float) -> bool:
        """Wait for a call or the next beat; False where neither came, or it is to stop."""
        with self._changed:
            wait_s = max(0.0, due_s - self._clock()) if self._is_needed() else None
            self._changed.wait_for(lambda: self._is_asked or self._is_stopping, wait_s)
            was_asked, self._is_asked = self._is_asked, False
            return was_asked and not self._is_stopping
