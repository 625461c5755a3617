"""A client as docs/osc.md wants it: sends again until it is answered, and asks for events that it missed.

>>> with OscClient() as client:                                              # doctest: +SKIP
...     client.subscribe(print)
...     job = client.ask("process", "/home/me/Music/Suno/Night Drive.wav").values["job"]
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import secrets
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from ableton.addresses import COMMANDS, SENT
from ableton.contract import PREFIX, Code, Direction
from ableton.follower import Follower, Heard, Recap
from ableton.messages import MAX_TAKEN_BYTES, Atom, MalformedError, Message, decode, encode
from bridge.errors import ServiceError

log = logging.getLogger(__name__)

FIRST_GAP_S: Final = 0.1
LONGEST_GAP_S: Final = 1.0
HELLO_AFTER: Final = 3
"""Unanswered repeats after which hello is said again: the service may have been started anew."""
MISSED_BEATS: Final = 3
BARRED_S: Final = 60.0
"""After a hello that was refused, no other is said unasked: five wrong tokens bar a machine for a minute."""
TICK_S: Final = 0.02
JOIN_S: Final = 5.0


class RefusedByServiceError(ServiceError):
    """The service refused a command."""

    def __init__(self, heard: Heard) -> None:
        super().__init__(str(heard.values["message"]))
        self.code = Code(str(heard.values["code"]))


@dataclass(kw_only=True)
class Pending:
    """A command that was sent; ``wait`` for its answer."""

    name: str
    seq: int
    packet: bytes
    sent_s: float
    due_s: float
    gap_s: float = FIRST_GAP_S
    repeats: int = 0
    acked_s: float | None = None
    """When the first ack came, or the answer where that was earlier."""
    answered_s: float | None = None
    heard: Heard | None = None
    _is_done: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float | None = 30.0) -> Heard:
        """The answer; RefusedByServiceError, or ServiceError where none came in time."""
        if not self._is_done.wait(timeout_s) or self.heard is None:
            raise ServiceError(
                f"stembridge did not answer {self.name}. Is it running? See: stembridge status"
            )
        if self.heard.name == "refused":
            raise RefusedByServiceError(self.heard)
        return self.heard

    def end(self, heard: Heard | None, now_s: float) -> None:
        """It was answered, or never will be."""
        self.heard = heard
        self.answered_s = now_s
        self.acked_s = now_s if self.acked_s is None else self.acked_s
        self._is_done.set()


class OscClient:
    """Talks to a service by UDP, from a socket of its own.

    Args:
        host, port: where the service listens.
        token: needed from another machine.
        name: the client's name; made up where it is not given. A new process takes a new one.
        patience_s: how long ``open`` waits for somebody to answer.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 17710,
        *,
        token: str = "",
        name: str = "",
        patience_s: float = 5.0,
    ) -> None:
        self.name = name or f"py-{secrets.token_hex(8)}"
        self._token = token
        self._patience_s = patience_s
        self._socket = _connected(host, port)
        self._numbers = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._lock = threading.Lock()
        self._events: queue.SimpleQueue[Heard | None] = queue.SimpleQueue()
        self._follower = Follower(self._events.put)
        self._recap = Recap()
        self._tell: Callable[[Heard], None] | None = None
        self._heartbeat_s = LONGEST_GAP_S * 10
        self._heard_s = self._pinged_s = time.monotonic()
        self._barred_until_s = 0.0
        self._is_closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def open(self) -> Self:
        """Begin, and say hello; ServiceError where nobody answers."""
        try:
            self.begin().hello().wait(self._patience_s)
        except ServiceError:
            self.close()
            raise
        return self

    def begin(self) -> Self:
        """Begin without a word: what is sent waits for a service that may come later."""
        self._start(self._run, "osc-client")
        self._start(self._tell_events, "osc-client-events")
        return self

    def close(self) -> None:
        """End; commands that wait for an answer end without one."""
        self._is_closed.set()
        self._events.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_S)
        self._socket.close()
        for pending in list(self._pending.values()):
            pending.end(None, time.monotonic())

    def hello(self) -> Pending:
        """Say who this is."""
        return self.send("hello", 0, self._token, "")

    def send(self, command: str, *arguments: Atom) -> Pending:
        """Send a command, again and again until it is answered; returns at once."""
        entry = COMMANDS[PREFIX + command]
        seq = next(self._numbers)
        packet = encode(Message(entry.address, (self.name, seq, *arguments)))
        now_s = time.monotonic()
        pending = Pending(name=command, seq=seq, packet=packet, sent_s=now_s, due_s=now_s + FIRST_GAP_S)
        with self._lock:
            self._pending[seq] = pending
        self._put(packet)
        return pending

    def ask(self, command: str, *arguments: Atom, timeout_s: float = 30.0) -> Heard:
        """Send a command and wait for its answer; RefusedByServiceError where it is refused.

        After ServiceError, where none came in time, it is not sent any more.
        """
        pending = self.send(command, *arguments)
        try:
            return pending.wait(timeout_s)
        finally:
            self._withdraw(pending)

    def files(self, job: str) -> list[str]:
        """The paths of everything that a job delivered."""
        found: list[str] = []
        while True:
            page = self.ask("files", job, len(found))
            found += [f"{page.values['folder']}/{file}" for (file,) in page.rows]
            if not page.rows or len(found) >= int(page.values["total"]):
                return found

    def subscribe(self, tell: Callable[[Heard], None]) -> None:
        """Have every event told once and in order, in a thread of its own; after a gap, `resync`.

        What ``tell`` raises is logged, and the next event told all the same. Subscribed again, ``tell`` takes
        the other's place. ServiceError where it is refused or not answered: then all is as it was.
        """
        before, self._tell = self._tell, tell
        try:
            self.ask("subscribe", self._follower.number, self._follower.epoch)
        except ServiceError:
            self._tell = before
            raise

    @property
    def _is_subscribed(self) -> bool:
        return self._tell is not None

    def _start(self, run: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tell_events(self) -> None:
        while (heard := self._events.get()) is not None:
            if self._tell is not None:
                _tell_one(self._tell, heard)

    def _run(self) -> None:
        while not self._is_closed.is_set():
            readable, _, _ = select.select([self._socket], [], [], TICK_S)
            if readable:
                self._read()
            self._repeat_due()
            self._keep_alive()

    def _read(self) -> None:
        try:
            messages = decode(self._socket.recv(MAX_TAKEN_BYTES))
        except (OSError, MalformedError):
            return
        for message in messages:
            heard = Heard.of(message)
            if heard is not None:
                self._take(heard)

    def _take(self, heard: Heard) -> None:
        self._heard_s = time.monotonic()
        direction = SENT[heard.name].direction
        if direction is Direction.REPLY:
            self._take_reply(heard)
        elif heard.name == "unknown_client":
            self._introduce_anew()
        elif heard.name == "resync":
            self._begin(self._recap.take(heard))
        elif heard.name == "closing":
            self._events.put(heard)
        elif self._is_subscribed:
            self._follower.take(heard)
            self._ask_missed()

    def _take_reply(self, heard: Heard) -> None:
        pending = self._pending.get(int(heard.values["seq"]))
        if pending is None or heard.values["client"] != self.name:
            return
        now_s = time.monotonic()
        if heard.name == "ack":
            pending.acked_s = now_s if pending.acked_s is None else pending.acked_s
        elif self._may_go_on(pending, heard, now_s):
            pending.due_s = now_s + LONGEST_GAP_S
        else:
            self._withdraw(pending)
            self._take_own(heard)
            pending.end(heard, now_s)

    def _withdraw(self, pending: Pending) -> None:
        """Send it no more."""
        with self._lock:
            self._pending.pop(pending.seq, None)

    def _may_go_on(self, pending: Pending, heard: Heard, now_s: float) -> bool:
        """Whether a refusal does not end the command: it is sent again, after a hello where one is wanted."""
        code = heard.values.get("code")
        if code != Code.NOT_PERMITTED:
            return code in {Code.BUSY, Code.CLOSING}
        if pending.name == "hello":
            self._barred_until_s = now_s + BARRED_S
        if now_s < self._barred_until_s:
            return False
        self._introduce_anew()
        return True

    def _take_own(self, heard: Heard) -> None:
        """Answers that concern the client itself."""
        if heard.name == "welcome":
            self._take_welcome(heard)
        elif heard.name == "events_told":
            self._follower.take(heard)
            self._ask_missed()
        elif heard.name == "subscribed":
            self._follow(heard)
        elif heard.name == "pong" and self._is_subscribed:
            self._check_subscription(heard)

    def _take_welcome(self, heard: Heard) -> None:
        self._barred_until_s = 0.0
        self._heartbeat_s = float(heard.values["heartbeat_s"])
        if self._is_subscribed and heard.values["epoch"] != self._follower.epoch:
            self._subscribe_anew()

    def _begin(self, recap: Heard | None) -> None:
        """The state is told whole, and the story goes on from there."""
        if recap is None:
            return
        epoch, last = str(recap.values["epoch"]), int(recap.values["last"])
        if epoch != self._follower.epoch or last >= self._follower.number:
            self._follower.start(epoch, last)
            self._events.put(recap)

    def _follow(self, heard: Heard) -> None:
        """Subscribed: if the state was told before, a part of it may be lost, and it is asked again."""
        is_behind = int(heard.values["from"]) > self._follower.number
        if heard.values["epoch"] != self._follower.epoch or is_behind:
            self._subscribe_anew()
        else:
            self._follower.notice(int(heard.values["last"]))
            self._ask_missed()

    def _check_subscription(self, heard: Heard) -> None:
        """The notice that it ended may be lost; every pong says it, too."""
        if not heard.values["is_subscribed"] or heard.values["epoch"] != self._follower.epoch:
            self._introduce_anew()

    def _ask_missed(self) -> None:
        """One question at a time: while one is under way, others would only double what it brings."""
        missed = self._follower.missed
        if missed is not None and not self._is_asking("events"):
            self.send("events", missed, self._follower.epoch)

    def _introduce_anew(self) -> None:
        self._greet()
        if self._is_subscribed:
            self._subscribe_anew()

    def _greet(self) -> None:
        """Hello of the client's own accord: one at a time, and none right after one that was refused."""
        if not self._is_asking("hello") and time.monotonic() >= self._barred_until_s:
            self.hello()

    def _subscribe_anew(self) -> None:
        if not self._is_asking("subscribe"):
            self.send("subscribe", self._follower.number, self._follower.epoch)

    def _is_asking(self, command: str) -> bool:
        return any(pending.name == command for pending in list(self._pending.values()))

    def _repeat_due(self) -> None:
        now_s = time.monotonic()
        for pending in list(self._pending.values()):
            if now_s >= pending.due_s:
                self._repeat(pending, now_s)

    def _repeat(self, pending: Pending, now_s: float) -> None:
        pending.repeats += 1
        pending.gap_s = min(LONGEST_GAP_S, 2 * pending.gap_s)
        pending.due_s = now_s + pending.gap_s
        self._put(pending.packet)
        if pending.acked_s is None and pending.repeats % HELLO_AFTER == 0:
            self._greet()

    def _keep_alive(self) -> None:
        """A ping every heartbeat; hello where nothing was heard for three."""
        now_s = time.monotonic()
        if not self._is_subscribed or now_s - self._pinged_s < self._heartbeat_s:
            return
        self._pinged_s = now_s
        if now_s - self._heard_s > MISSED_BEATS * self._heartbeat_s:
            self._introduce_anew()
        elif not self._is_asking("ping"):
            self.send("ping")

    def _put(self, packet: bytes) -> None:
        try:
            self._socket.send(packet)
        except OSError:  # lost, as it may be on its way; it is sent again
            return

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _tell_one(tell: Callable[[Heard], None], heard: Heard) -> None:
    try:
        tell(heard)
    except Exception:
        log.exception("A listener failed at %r", heard.name, extra={"action": "osc_listener_failed"})


def _connected(host: str, port: int) -> socket.socket:
    """A UDP socket that hears that address alone; ServiceError where there is no way to it."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with contextlib.ExitStack() as undo:
            sock = undo.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            sock.setblocking(False)
            sock.connect(address)
            undo.pop_all()
            return sock
    except OSError as cause:
        raise ServiceError(
            f"There is no way to {host}, port {port} ({cause.strerror or cause}). Check the address and the "
            "network."
        ) from cause
