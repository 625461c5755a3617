"""Who is who: clients by the name that they made up, the answers they got, and who still lives."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from ableton.routes import Route, is_loopback, is_same_machine

MAX_CLIENTS: Final = 64
"""More than a set has devices; the one that was silent longest makes room."""
MAX_KEPT: Final = 128
"""Answers kept for each client; an older command, repeated, is known by the job that it made."""
MISSED_BEATS: Final = 3
"""Heartbeats without a word from a client after which its subscription ends."""


class Verdict(Enum):
    """What a command is, by its sequence number."""

    NEW = auto()
    AT_WORK = auto()
    """Repeated while the first is still being done."""
    ANSWERED = auto()
    """Repeated after its answer."""
    REUSED = auto()
    """Another command had the number."""


@dataclass(kw_only=True)
class _Kept:
    """A command that was taken; ``reply`` is None until it is answered."""

    content: int
    reply: bytes | None = None


@dataclass(kw_only=True)
class _Client:
    """What is known of a client."""

    route: Route
    heard_s: float
    port: int | None = None
    """The UDP port that it named for answers; None before its hello: the port it sends from."""
    trusted_host: str = ""
    """The other machine from which it showed the token."""
    is_subscribed: bool = False
    was_given_up: bool = False
    """Whether its subscription ended for want of signs of life, which it has not been told."""
    kept: OrderedDict[int, _Kept] = field(default_factory=OrderedDict)


class Clients:
    """All clients; safe from several threads, and bounded. ``clock`` counts seconds from anywhere."""

    def __init__(
        self, *, heartbeat_s: float, clock: Callable[[], float] = time.monotonic, capacity: int = MAX_CLIENTS
    ) -> None:
        self._heartbeat_s = heartbeat_s
        self._clock = clock
        self._capacity = capacity
        self._known: OrderedDict[str, _Client] = OrderedDict()
        self._lock = threading.Lock()

    def is_known(self, name: str) -> bool:
        """Whether the client was heard before, and is not forgotten."""
        with self._lock:
            return name in self._known

    def may_command(self, name: str, route: Route) -> bool:
        """Whether commands are taken from there: from this machine, or after a hello with the token."""
        if is_loopback(route.host):
            return True
        with self._lock:
            client = self._known.get(name)
            return client is not None and client.trusted_host == route.host

    def hear(self, name: str, route: Route) -> None:
        """A client that may command said something: it lives, and this is the way to it."""
        with self._lock:
            self._hear(name, route)

    def greet(self, name: str, route: Route, port: int | None) -> None:
        """A client that may command said hello, naming a port for its answers."""
        with self._lock:
            client = self._hear(name, route)
            client.port = port
            client.trusted_host = route.host
            client.was_given_up = False
            client.route = _answering(route, port)

    def route(self, name: str) -> Route | None:
        """The way to a client; None where it is forgotten."""
        with self._lock:
            client = self._known.get(name)
            return client.route if client else None

    def ways_back(self, name: str, route: Route) -> tuple[Route, ...]:
        """Where to answer what is no command, by the way it came.

        To a client that is known from there: where all its answers go. Else back to the port sent from, and
        to the one named by whoever was heard last on that machine: tools such as oscsend hear nothing there.
        """
        with self._lock:
            here = {n: c for n, c in self._known.items() if is_same_machine(c.route.host, route.host)}
            if name in here:
                return (_answering(route, here[name].port),)
            named = next((client.port for client in reversed(here.values()) if client.port), None)
            return tuple(dict.fromkeys((route, _answering(route, named))))

    def take(self, name: str, seq: int, content: int) -> Verdict:
        """What to do with a command; one that is NEW is at work from here on. ``content`` stands for its
        arguments."""
        with self._lock:
            kept = self._known[name].kept
            known = kept.get(seq)
            if known is None:
                kept[seq] = _Kept(content=content)
                _forget_oldest(kept)
                return Verdict.NEW
            if known.content != content:
                return Verdict.REUSED
            return Verdict.AT_WORK if known.reply is None else Verdict.ANSWERED

    def keep(self, name: str, seq: int, reply: bytes) -> None:
        """A command was answered so."""
        with self._lock:
            client = self._known.get(name)
            if client and seq in client.kept:
                client.kept[seq].reply = reply

    def drop(self, name: str, seq: int) -> None:
        """A command that was taken was not done after all."""
        with self._lock:
            client = self._known.get(name)
            if client:
                client.kept.pop(seq, None)

    def reply(self, name: str, seq: int) -> bytes | None:
        """The answer that a command got; None where it has none, or it is forgotten."""
        with self._lock:
            client = self._known.get(name)
            kept = client.kept.get(seq) if client else None
            return kept.reply if kept else None

    def subscribe(self, name: str) -> None:
        """Events go to this client from now on."""
        with self._lock:
            client = self._known.get(name)
            if client:
                client.is_subscribed = True
                client.was_given_up = False

    def unsubscribe(self, name: str) -> None:
        """They no longer do."""
        with self._lock:
            client = self._known.get(name)
            if client:
                client.is_subscribed = False

    def is_subscribed(self, name: str) -> bool:
        """Whether events go to this client."""
        with self._lock:
            client = self._known.get(name)
            return client is not None and client.is_subscribed

    @property
    def subscribers(self) -> tuple[Route, ...]:
        """The ways to all who subscribed."""
        with self._lock:
            return tuple(client.route for client in self._known.values() if client.is_subscribed)

    def was_given_up(self, name: str) -> bool:
        """Whether the client's subscription ended without its knowing; True once, since it is told then."""
        with self._lock:
            client = self._known.get(name)
            if client is None or not client.was_given_up:
                return False
            client.was_given_up = False
            return True

    def give_up_silent(self) -> int:
        """End the subscriptions of those who were silent for three heartbeats; how many there were."""
        oldest_s = self._clock() - MISSED_BEATS * self._heartbeat_s
        return self._give_up(lambda client: client.heard_s < oldest_s)

    def give_up_route(self, route: Route) -> int:
        """End the subscriptions that went over a connection which has closed."""
        return self._give_up(lambda client: client.route is route)

    def _give_up(self, is_gone: Callable[[_Client], bool]) -> int:
        with self._lock:
            gone = [client for client in self._known.values() if client.is_subscribed and is_gone(client)]
            for client in gone:
                client.is_subscribed = False
                client.was_given_up = True
            return len(gone)

    def _hear(self, name: str, route: Route) -> _Client:
        client = self._known.get(name)
        if client is None:
            self._make_room()
            client = self._known[name] = _Client(route=route, heard_s=self._clock())
        client.heard_s = self._clock()
        client.route = _answering(route, client.port)
        self._known.move_to_end(name)
        return client

    def _make_room(self) -> None:
        """Forget who was silent longest, those without a subscription first."""
        if len(self._known) < self._capacity:
            return
        silent = (name for name, client in self._known.items() if not client.is_subscribed)
        del self._known[next(silent, next(iter(self._known)))]


def _answering(route: Route, port: int | None) -> Route:
    return route.at_port(port) if port else route


def _forget_oldest(kept: OrderedDict[int, _Kept]) -> None:
    """Forget answered commands beyond the bound; those at work are bounded by the lanes."""
    if len(kept) <= MAX_KEPT:
        return
    oldest = next((seq for seq, command in kept.items() if command.reply is not None), None)
    if oldest is not None:
        del kept[oldest]
