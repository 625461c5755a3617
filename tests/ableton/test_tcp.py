"""The TCP wire by itself: what it does when files run out, and with whom it is patient."""

from __future__ import annotations

import errno
import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from ableton.loop import SocketLoop
from ableton.routes import Route
from ableton.tcp import TcpConnection, TcpWire
from tests.ableton.support import PATIENCE_S, FakeClock

SILENT_S = 60.0
COMMAND, NONSENSE = b"what may be said", b"anything else"


class Listener(socket.socket):
    """A listening socket that can be told that no more files may be open."""

    is_exhausted = False
    asked = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.asked += 1
        if self.is_exhausted:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()

    def reached(self) -> socket.socket:
        return socket.create_connection(self.getsockname(), PATIENCE_S)


class Site:
    """A wire with its loop, and what came of both."""

    def __init__(self, listener: Listener, loop: SocketLoop) -> None:
        self.clock = FakeClock()
        self.came: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.changes: queue.SimpleQueue[TcpConnection | None] = queue.SimpleQueue()
        self.listener, self.loop = listener, loop
        self.wire = TcpWire(
            listener,
            loop,
            self.receive,
            refuse=lambda _route, _words: None,
            on_change=self.changes.put,
            clock=self.clock,
        )

    def receive(self, packet: bytes, _route: Route) -> bool:
        self.came.put(packet)
        return packet == COMMAND

    def turns(self, count: int = 10) -> None:
        """Wait while the loop looks at its sockets so often."""
        for _ in range(count):
            done = threading.Event()
            self.loop.soon(done.set)
            assert done.wait(PATIENCE_S)


@pytest.fixture
def site() -> Iterator[Site]:
    loop = SocketLoop()
    with Listener() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        site = Site(listener, loop)
        loop.start()
        yield site
        loop.stop()
        site.wire.close_all()


def test_without_files_it_waits_for_the_next_beat_instead_of_trying_all_the_time(site: Site) -> None:
    site.listener.is_exhausted = True
    with site.listener.reached():
        assert site.changes.get(timeout=PATIENCE_S) is None
        site.turns()
        assert site.listener.asked == 1
        assert site.wire.needs_beat
        site.listener.is_exhausted = False
        site.wire.beat(SILENT_S)
        assert site.changes.get(timeout=PATIENCE_S) is None
        assert site.listener.asked == 2


def test_who_says_nothing_that_it_may_is_as_good_as_silent(site: Site) -> None:
    with site.listener.reached() as client, site.listener.reached() as stranger:
        assert [site.changes.get(timeout=PATIENCE_S) for _ in range(2)] == [None, None]
        site.clock.advance(SILENT_S - 1)
        for sock, packet in ((client, COMMAND), (stranger, NONSENSE)):
            sock.sendall(len(packet).to_bytes(4, "big") + packet)
        assert {site.came.get(timeout=PATIENCE_S) for _ in range(2)} == {COMMAND, NONSENSE}
        site.clock.advance(2)
        site.wire.beat(SILENT_S)
        closed = site.changes.get(timeout=PATIENCE_S)
        assert closed is not None
        assert stranger.recv(1) == b""
        site.turns()
        assert site.changes.empty()
