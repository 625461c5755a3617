"""One thread that waits for all sockets at once, and sleeps while none has anything to say."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from ableton.survival import survived

JOIN_S = 5.0
UNHANDLED: Final = "A packet or connection could not be handled"
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class SocketLoop:
    """Calls back when sockets can be read or written. Everything but ``soon`` is for its own thread alone."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._soon: deque[Callable[[], None]] = deque()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="osc-receive", daemon=True)
        self.watch(self._ear, self._answer_bell)

    def start(self) -> None:
        """Start the thread; sockets watched until now are heard from here on."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and close what is the loop's own."""
        self._is_stopping = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join(JOIN_S)
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def soon(self, call: Callable[[], None]) -> None:
        """Have something done in the loop's thread; from any thread."""
        self._soon.append(call)
        self._ring()

    def watch(
        self, sock: socket.socket, can_read: Callable[[], None], can_write: Callable[[], None] | None = None
    ) -> None:
        """Call when the socket can be read, and, where that is given, written; in place of earlier calls."""
        events = _READ | (_WRITE if can_write else 0)
        calls = (can_read, can_write or can_read)
        if sock in self._selector.get_map():
            self._selector.modify(sock, events, calls)
        else:
            self._selector.register(sock, events, calls)

    def forget(self, sock: socket.socket) -> None:
        """Call no more; before the socket is closed."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def _run(self) -> None:
        while not self._is_stopping:
            for key, events in self._selector.select():
                can_read, can_write = key.data
                if events & _READ:
                    survived(can_read, UNHANDLED)
                if events & _WRITE:
                    survived(can_write, UNHANDLED)
            while self._soon:
                survived(self._soon.popleft(), UNHANDLED)

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody is there to hear it
            self._bell.send(b"!")

    def _answer_bell(self) -> None:
        with contextlib.suppress(OSError):
            self._ear.recv(4096)
