"""OSC over UDP: one packet, one datagram."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ableton.loop import SocketLoop
from ableton.messages import MAX_TAKEN_BYTES
from ableton.routes import Route

RECEIVE_BYTES = 1 << 20
"""Room for datagrams that arrive in a burst."""
BURST = 64
"""Datagrams read before other sockets have their turn."""
MAPPED_PREFIX = "::ffff:"


@dataclass(frozen=True)
class UdpRoute:
    """The way to a UDP port."""

    sock: socket.socket = field(compare=False)
    address: tuple[Any, ...]
    """As the socket gave it: host, port, and for IPv6 flow and scope."""

    @property
    def host(self) -> str:
        """The peer's address."""
        return str(self.address[0]).removeprefix(MAPPED_PREFIX)

    def at_port(self, port: int) -> Route:
        """Another port of the same machine."""
        return UdpRoute(self.sock, (self.address[0], port, *self.address[2:]))

    def send(self, packet: bytes) -> None:
        """Send; a datagram that cannot be sent is lost, as any may be on its way."""
        with contextlib.suppress(OSError, OverflowError):
            self.sock.sendto(packet, self.address)


class UdpWire:
    """Reads datagrams from a bound socket and hands them on."""

    def __init__(
        self, sock: socket.socket, loop: SocketLoop, receive: Callable[[bytes, Route], object]
    ) -> None:
        self._sock = sock
        self._own_address = sock.getsockname()[:2]
        self._receive = receive
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        loop.watch(sock, self._read)

    def _read(self) -> None:
        for _ in range(BURST):
            try:
                packet, address = self._sock.recvfrom(MAX_TAKEN_BYTES + 1)
            except BlockingIOError:
                return
            except OSError:  # Windows tells here that an earlier answer found nobody; the next may be fine
                continue
            if address[:2] != self._own_address:  # a forged sender would have the door talk to itself
                self._receive(packet, UdpRoute(self._sock, address))
