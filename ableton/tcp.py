"""OSC over TCP: each packet after its length, four bytes, as OSC 1.0 says."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from ableton.loop import SocketLoop
from ableton.messages import MAX_TAKEN_BYTES
from ableton.routes import Route
from ableton.udp import MAPPED_PREFIX

log = logging.getLogger(__name__)

MAX_CONNECTIONS: Final = 64
MAX_UNREAD_BYTES: Final = 1 << 20
"""What may wait for a peer that does not read; beyond it, the connection is closed."""
LENGTH_BYTES: Final = 4
_EXHAUSTED: Final = frozenset([errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
"""What accepting ends with when the process or the system can open nothing more."""
READ_BYTES: Final = 65_536


class TcpConnection:
    """One peer. ``send`` is for any thread; the rest is for the loop's."""

    def __init__(self, sock: socket.socket, host: str, wire: TcpWire) -> None:
        self._sock = sock
        self._host = host.removeprefix(MAPPED_PREFIX)
        self._wire = wire
        self._read_bytes = bytearray()
        self._unsent = bytearray()
        self._is_closed = False
        self._lock = threading.Lock()
        self.heard_s = 0.0
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def host(self) -> str:
        """The peer's address."""
        return self._host

    def at_port(self, _port: int) -> Route:
        """The connection is the way back, whatever port was named."""
        return self

    def send(self, packet: bytes) -> None:
        """Send now what the peer takes, and keep the rest for it; a peer that does not read loses the
        connection, not the others their time."""
        frame = len(packet).to_bytes(LENGTH_BYTES, "big") + packet
        with self._lock:
            if self._is_closed:
                return
            had_unsent = bool(self._unsent)
            self._unsent += frame
            is_broken = len(self._unsent) > MAX_UNREAD_BYTES
            if not had_unsent and not is_broken:
                is_broken = not self._send_some()
            has_rest = bool(self._unsent)
        if is_broken:
            self._wire.close_soon(self)
        elif has_rest and not had_unsent:
            self._wire.write_soon(self)

    def can_read(self) -> None:
        """Take what came, packet by packet."""
        try:
            data = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._wire.close(self)
            return
        self._read_bytes += data
        self._take_frames()

    def can_write(self) -> None:
        """Send more of what waits."""
        with self._lock:
            is_broken = not self._send_some()
            is_done = not self._unsent
        if is_broken:
            self._wire.close(self)
        elif is_done:
            self._wire.watch(self, is_writing=False)

    def close(self) -> None:
        """Let the socket go."""
        with self._lock:
            self._is_closed = True
            self._unsent.clear()
        self._sock.close()

    @property
    def sock(self) -> socket.socket:
        """What the loop watches."""
        return self._sock

    def _take_frames(self) -> None:
        while len(self._read_bytes) >= LENGTH_BYTES and not self._is_closed:
            length = int.from_bytes(self._read_bytes[:LENGTH_BYTES], "big")
            if not 0 < length <= MAX_TAKEN_BYTES:
                self._wire.refuse_frame(self, length)
                return
            if len(self._read_bytes) < LENGTH_BYTES + length:
                return
            packet = bytes(self._read_bytes[LENGTH_BYTES : LENGTH_BYTES + length])
            del self._read_bytes[: LENGTH_BYTES + length]
            self._wire.take(self, packet)

    def _send_some(self) -> bool:
        """Whether the connection still holds."""
        try:
            sent = self._sock.send(self._unsent) if self._unsent else 0
        except BlockingIOError:
            return True
        except OSError:
            return False
        del self._unsent[:sent]
        return True


class TcpWire:
    """Accepts connections on a listening socket and hands their packets on.

    ``receive`` says whether a packet came from somebody who may command: no other keeps a connection open.
    ``refuse`` is told of a frame that is none, before its connection closes; ``on_change`` of every
    connection that closes (itself), and of whatever else is new (None).
    """

    def __init__(
        self,
        sock: socket.socket,
        loop: SocketLoop,
        receive: Callable[[bytes, Route], bool],
        *,
        refuse: Callable[[Route, str], None],
        on_change: Callable[[TcpConnection | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sock = sock
        self._loop = loop
        self._receive = receive
        self._refuse = refuse
        self._on_change = on_change
        self._clock = clock
        self._connections: set[TcpConnection] = set()
        self._is_paused = False
        sock.setblocking(False)
        loop.watch(sock, self._accept)

    @property
    def needs_beat(self) -> bool:
        """Whether anybody is connected, or would be if more files might be open."""
        return bool(self._connections) or self._is_paused

    def beat(self, silent_s: float) -> None:
        """Close the connections without a command for so long: a peer that crashed does not say so.

        Where no more files might be open, accept connections again.
        """
        self._loop.soon(lambda: self._close_silent(self._clock() - silent_s))
        self._loop.soon(self._go_on_accepting)

    def close_all(self) -> None:
        """Close every connection, once the loop has ended."""
        for connection in tuple(self._connections):
            connection.close()
        self._connections.clear()

    def take(self, connection: TcpConnection, packet: bytes) -> None:
        """A packet came."""
        if self._receive(packet, connection):
            connection.heard_s = self._clock()

    def refuse_frame(self, connection: TcpConnection, length: int) -> None:
        """What came is no frame: nothing after it can be understood."""
        words = (
            f"The frame names a length of {length} bytes; wanted 1 to {MAX_TAKEN_BYTES}, as four bytes "
            "before each packet (OSC 1.0, not SLIP). The connection is closed."
        )
        self._refuse(connection, words)
        self.close(connection)

    def close(self, connection: TcpConnection) -> None:
        """Forget a connection; in the loop's thread."""
        if connection in self._connections:
            self._connections.discard(connection)
            self._loop.forget(connection.sock)
            connection.close()
            self._on_change(connection)

    def close_soon(self, connection: TcpConnection) -> None:
        """As ``close``, from any thread."""
        self._loop.soon(lambda: self.close(connection))

    def write_soon(self, connection: TcpConnection) -> None:
        """Have the rest sent as soon as the peer reads; from any thread."""
        self._loop.soon(lambda: self.watch(connection, is_writing=True))

    def watch(self, connection: TcpConnection, *, is_writing: bool) -> None:
        """Call the connection when it can be read, and written where something waits."""
        if connection in self._connections:
            can_write = connection.can_write if is_writing else None
            self._loop.watch(connection.sock, connection.can_read, can_write)

    def _accept(self) -> None:
        try:
            sock, address = self._sock.accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._pause_accepting(error)
            return  # gone again; the next may be fine
        if len(self._connections) >= MAX_CONNECTIONS:
            sock.close()
            return
        connection = TcpConnection(sock, str(address[0]), self)
        connection.heard_s = self._clock()
        self._connections.add(connection)
        self.watch(connection, is_writing=False)
        self._on_change(None)

    def _pause_accepting(self, error: OSError) -> None:
        """Until the next beat: who waits would be told of again and again."""
        words = "No TCP connection can be taken (%s); tried again at the next heartbeat"
        log.warning(words, error.strerror, extra={"action": "osc_exhausted"})
        self._is_paused = True
        self._loop.forget(self._sock)
        self._on_change(None)

    def _go_on_accepting(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._loop.watch(self._sock, self._accept)

    def _close_silent(self, oldest_s: float) -> None:
        for connection in tuple(self._connections):
            if connection.heard_s < oldest_s:
                self.close(connection)
