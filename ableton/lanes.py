"""Runs commands apart from the thread that receives them: each client's in order, clients side by side."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

THREADS = 4
"""As many clients are served at once: fewer that wait for a slow disk hold up no other."""
MAX_OF_CLIENT = 64
"""Commands of one client that may wait."""
MAX_IN_ALL = 1024
"""Commands that may wait."""
JOIN_S = 5.0
"""For all that is at work; what takes longer ends with the process."""


class Lanes(Generic[Item]):
    """A bounded queue for each client and a few threads that serve them in turn.

    ``put`` is called by one thread alone, after ``has_room``.
    """

    def __init__(
        self, work: Callable[[Item], None], *, threads: int = THREADS, name: str = "osc-lane"
    ) -> None:
        self._work = work
        self._waiting: dict[str, deque[Item]] = {}
        self._ready: deque[str] = deque()
        self._count = 0
        self._is_closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start serving."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is at work and leave the rest: who sent it repeats it to the next door."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        deadline_s = time.monotonic() + JOIN_S
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline_s - time.monotonic()))

    @property
    def is_closed(self) -> bool:
        """Whether nothing will be done any more."""
        return self._is_closed

    def has_room(self, client: str) -> bool:
        """Whether another command of that client may wait."""
        with self._changed:
            waiting = len(self._waiting.get(client, ()))
            return waiting < MAX_OF_CLIENT and self._count < MAX_IN_ALL and not self._is_closed

    def put(self, client: str, item: Item) -> None:
        """Let a command wait for its turn."""
        with self._changed:
            self._count += 1
            if client in self._waiting:  # one of its commands is at work or waits: it stays in order
                self._waiting[client].append(item)
                return
            self._waiting[client] = deque([item])
            self._ready.append(client)
            self._changed.notify()

    def _serve(self) -> None:
        while (client := self._next()) is not None:
            try:
                self._work(self._waiting[client][0])
            finally:
                self._done(client)

    def _next(self) -> str | None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._is_closed)
            return None if self._is_closed else self._ready.popleft()

    def _done(self, client: str) -> None:
        with self._changed:
            self._count -= 1
            self._waiting[client].popleft()
            if self._waiting[client]:
                self._ready.append(client)
                self._changed.notify()
            else:
                del self._waiting[client]
