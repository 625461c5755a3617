"""A network that loses, doubles and reorders datagrams, the same way for the same seed."""

from __future__ import annotations

import heapq
import itertools
import random
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

LONGEST_BYTES = 65_536
TICK_S = 0.01
JOIN_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How bad the network is, in both directions."""

    loss: float = 0.3
    duplicates: float = 0.1
    reordered: float = 0.3
    """Share of datagrams that are held back, so that later ones overtake them."""
    longest_delay_s: float = 0.04


@dataclass(order=True)
class _Held:
    due_s: float
    place: int
    packet: bytes = field(compare=False)
    sock: socket.socket = field(compare=False)
    to: tuple[Any, ...] = field(compare=False)


class LossyProxy:
    """Stands between clients and a door on this machine; ``port`` is where clients send to."""

    def __init__(self, door_port: int, weather: Weather, seed: int) -> None:
        self._door = ("127.0.0.1", door_port)
        self._weather = weather
        self._chance = random.Random(seed)
        self.front = _bound_socket()
        self._behind: dict[tuple[Any, ...], socket.socket] = {}
        self._clients: dict[socket.socket, tuple[Any, ...]] = {}
        self._held: list[_Held] = []
        self._places = itertools.count()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lossy", daemon=True)
        self.seen = self.lost = self.doubled = self.delayed = 0

    @property
    def port(self) -> int:
        """The port that stands for the door."""
        return int(self.front.getsockname()[1])

    def __enter__(self) -> LossyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed.set()
        self._thread.join(JOIN_S)
        for sock in (self.front, *self._clients):
            sock.close()

    def _run(self) -> None:
        while not self._is_closed.is_set():
            readable, _, _ = select.select([self.front, *self._clients], [], [], self._wait_s())
            for sock in readable:
                self._read(sock)
            self._pass_due()

    def _wait_s(self) -> float:
        return max(0.0, min(TICK_S, self._held[0].due_s - time.monotonic())) if self._held else TICK_S

    def _read(self, sock: socket.socket) -> None:
        try:
            packet, sender = sock.recvfrom(LONGEST_BYTES)
        except OSError:
            return
        if sock is self.front:
            self.meddle(packet, self._way_of(sender), self._door)
        else:
            self.meddle(packet, self.front, self._clients[sock])

    def _way_of(self, client: tuple[Any, ...]) -> socket.socket:
        """Each client has a socket towards the door, so that the door tells them apart."""
        if client not in self._behind:
            self._behind[client] = _bound_socket()
            self._clients[self._behind[client]] = client
        return self._behind[client]

    def meddle(self, packet: bytes, sock: socket.socket, to: tuple[Any, ...]) -> None:
        """Lose a datagram, pass it on, now or later, or pass it on twice."""
        self.seen += 1
        if self._chance.random() < self._weather.loss:
            self.lost += 1
            return
        self._hold(packet, sock, to)
        if self._chance.random() < self._weather.duplicates:
            self.doubled += 1
            self._hold(packet, sock, to)

    def _hold(self, packet: bytes, sock: socket.socket, to: tuple[Any, ...]) -> None:
        is_delayed = self._chance.random() < self._weather.reordered
        self.delayed += is_delayed
        delay_s = self._chance.random() * self._weather.longest_delay_s if is_delayed else 0.0
        heapq.heappush(self._held, _Held(time.monotonic() + delay_s, next(self._places), packet, sock, to))

    def _pass_due(self) -> None:
        while self._held and self._held[0].due_s <= time.monotonic():
            held = heapq.heappop(self._held)
            try:
                held.sock.sendto(held.packet, held.to)
            except OSError:  # nobody listens there just now
                continue


def _bound_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock
