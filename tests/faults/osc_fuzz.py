"""Nonsense at the OSC door: valid messages mutated by a seed, random bytes, huge, deep and wrong ones."""

from __future__ import annotations

import logging
import random
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ableton import OscFrontend
from ableton.addresses import TABLE
from ableton.clients import Clients
from ableton.contract import Code
from ableton.follower import Heard
from ableton.guard import TokenGuard
from ableton.handlers import Desk
from ableton.messages import Atom, Message, decode, encode
from ableton.reception import Reception
from ableton.routes import Route
from ableton.storyteller import Storyteller
from bridge.jobs import Submitted
from bridge.service import DoorState
from bridge.testing.service import FakeService
from bridge.values import JobRequest

IN_FLIGHT_BYTES = 60_000
"""Sent before the door is asked whether it lives: what a socket's buffer surely takes."""
OVERHEAD_BYTES = 1_000
"""What a datagram takes in a socket's buffer beside its content."""
PATIENCE_S = 20.0
MOST_GROWTH_MB = 12.0
SETTLED_AFTER = 0.2
"""Share of the datagrams after which memory should no longer grow."""
ODD_TYPES = "ifshdTFbtrmNIcS[]Z\xff"
LONGEST_BYTES = 60_000


@dataclass(kw_only=True)
class Fuzzed:
    """How it went."""

    sent: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    alive: int = 0
    """How often the door was asked in between, and answered."""
    dropped: int = 0
    """Datagrams that the system dropped before the door could see them."""
    growth_mb: float = 0.0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{count} {name}" for name, count in self.answered.most_common(6))
        return (
            f"{self.sent} datagrams in {self.seconds:.0f} s ({self.dropped} dropped by the system), alive "
            f"{self.alive} times of {self.alive}, memory {self.growth_mb:+.1f} MB, answers: {answers}; "
            f"{len(self.faults)} faults"
        )


class Nonsense:
    """Datagrams by a seed."""

    def __init__(self, seed: int, songs: list[Path]) -> None:
        self._chance = random.Random(seed)
        self._songs = [str(song) for song in songs]
        self._kinds: list[Callable[[], bytes]] = [
            self._random,
            self._flipped,
            self._flipped,
            self._cut,
            self._lengthened,
            self._huge,
            self._bundle,
            self._deep,
            self._wrong_types,
            self._wrong_types,
            self._odd_values,
            self._odd_values,
            self.valid,
        ]

    def next(self) -> bytes:
        """One more."""
        if self._chance.random() < 0.98:
            return self._chance.choice([k for k in self._kinds if k != self._huge])()
        return self._huge()

    def valid(self) -> bytes:
        """A message of the table with arguments of the right types."""
        entry = self._chance.choice(TABLE)
        return encode(Message(entry.address, tuple(self._plausible(f.name) for f in entry.fields)))

    def _plausible(self, name: str) -> Atom:
        values: dict[str, list[Atom]] = {
            "client": ["fuzz", "me", f"c{self._chance.randrange(200)}"],
            "seq": [self._chance.randrange(1000)],
            "path": self._songs,
            "recipe": ["full", "quick"],
            "reply_port": [0, -1],
            "token": [""],
            "job": ["0193b1c2d3e4f506", ""],
            "epoch": ["0a1b2c3d"],
        }
        return self._chance.choice(values.get(name, [0, 1, 50]))

    def _random(self) -> bytes:
        return self._chance.randbytes(self._chance.randrange(200))

    def _flipped(self) -> bytes:
        data = bytearray(self.valid())
        for _ in range(self._chance.randrange(1, 6)):
            data[self._chance.randrange(len(data))] = self._chance.randrange(256)
        return bytes(data)

    def _cut(self) -> bytes:
        data = self.valid()
        return data[: self._chance.randrange(len(data))]

    def _lengthened(self) -> bytes:
        return self.valid() + self._random()

    def _huge(self) -> bytes:
        size = self._chance.randrange(1_000, LONGEST_BYTES)
        kind = self._chance.randrange(3)
        if kind == 0:
            return self._chance.randbytes(size)
        if kind == 1:
            return b"/stembridge/process\0,sis\0\0\0\0me\0\0\0\0\0\1" + b"/x" * (size // 2)
        tags = b"," + b"i" * (size // 8)
        return b"/stembridge/list\0\0\0\0" + tags + b"\0" * (4 - len(tags) % 4) + bytes(size // 2)

    def _bundle(self) -> bytes:
        parts = [self._chance.choice([self.valid, self._flipped, self._cut])() for _ in range(3)]
        return self._bundled(parts)

    def _bundled(self, parts: list[bytes]) -> bytes:
        sizes = [len(part) for part in parts]
        if self._chance.random() < 0.3:
            sizes = [self._chance.choice([0, -4, -1, 2**31 - 1, size]) for size in sizes]
        body = b"".join(struct.pack(">i", size) + part for size, part in zip(sizes, parts, strict=True))
        return b"#bundle\0" + self._chance.randbytes(8) + body

    def _deep(self) -> bytes:
        data = self.valid()
        for _ in range(self._chance.randrange(1, 40)):
            data = self._bundled([data])
        return data

    def _wrong_types(self) -> bytes:
        address = self._chance.choice(TABLE).address.encode()
        tags = "," + "".join(self._chance.choice(ODD_TYPES) for _ in range(self._chance.randrange(8)))
        head = b"".join(text + b"\0" * (4 - len(text) % 4) for text in (address, tags.encode("latin-1")))
        return head + self._chance.randbytes(self._chance.randrange(64))

    def _odd_values(self) -> bytes:
        entry = self._chance.choice(TABLE)
        odd: list[Atom] = [
            -1,
            2**31 - 1,
            -(2**31),
            0.5,
            float("nan"),
            float("inf"),
            "",
            "ü" * 60,
            "\x01",
            "/",
            "~",
        ]
        odd += [
            "../../etc/passwd",
            "/etc/passwd",
            "C:/x",
            "Macintosh HD:/x",
            "%s%n",
            "x" * 5000,
            "\ufeff",
            "🎚" * 30,
        ]
        head: list[Atom] = [self._plausible("client"), self._plausible("seq")]
        return encode(
            Message(entry.address, (*head, *self._chance.choices(odd, k=self._chance.randrange(7))))
        )


class FuzzService(FakeService):
    """Commits no jobs: the door alone is looked at, not a store that grows with its jobs."""

    def __init__(self, folder: Path) -> None:
        super().__init__({"osc": {"port": 0, "heartbeat_s": 0.2}, "service": {"roots": [str(folder)]}})
        song = folder / "song.wav"
        song.write_bytes(b"RIFF")
        self.song = song
        self._job = self.store.submit(JobRequest(source=song, destination=folder), "f")

    def submit(self, request: JobRequest, **_: object) -> Submitted:
        """Always the same job."""
        self._expect_known_words(request)
        return Submitted(job=self._job, is_new=False)

    def tell_state(self, state: DoorState) -> None:
        """Not kept: with nonsense that subscribes and unsubscribes, it is all that would grow."""


class FaultLog(logging.Handler):
    """Gathers what the door logs as a fault of its own."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__()
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._faults.append(f"logged: {record.getMessage()} {record.exc_info and record.exc_info[1]!r}")


@contextmanager
def watched(faults: list[str]) -> Iterator[None]:
    """Everything that is logged as wrong is a fault while the context lasts."""
    handler = FaultLog(faults)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def fuzz_by_socket(count: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> Fuzzed:
    """Send so many datagrams to a live door; it must answer a ping in between, always, and not grow."""
    found = Fuzzed()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stembridge-fuzz-") as name, watched(found.faults):
        service = FuzzService(Path(name).resolve())
        door = OscFrontend()
        door.start(service)
        try:
            _send_all(door.port, Nonsense(seed, [service.song]), count, found, tell)
        finally:
            door.stop()
    found.seconds = time.monotonic() - started_s
    return found


def _send_all(port: int, nonsense: Nonsense, count: int, found: Fuzzed, tell: Callable[[str], None]) -> None:
    process, settled_mb = psutil.Process(), 0.0
    with Tongue(port, found) as tongue:
        for number in range(count):
            tongue.send(nonsense.next())
            if number == int(count * SETTLED_AFTER):
                settled_mb = process.memory_info().rss / 1e6
            if number % 100_000 == 99_999:
                tell(f"{number + 1} sent, {process.memory_info().rss / 1e6:.0f} MB")
            if found.faults:
                return
        tongue.expect_alive()
    found.growth_mb = process.memory_info().rss / 1e6 - settled_mb
    if found.growth_mb > MOST_GROWTH_MB:
        found.faults.append(f"memory grew by {found.growth_mb:.1f} MB")


class Tongue:
    """Sends to a door, no faster than it listens, and hears what it says."""

    def __init__(self, port: int, found: Fuzzed) -> None:
        self._port = port
        self._found = found
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._in_flight_bytes = 0
        self._seq = 0

    def __enter__(self) -> Tongue:
        return self

    def __exit__(self, *_: object) -> None:
        self._found.dropped = dropped_by_system(self._port)
        self._socket.close()

    def send(self, packet: bytes) -> None:
        """Send one; now and then, see whether the door lives."""
        self._socket.sendto(packet, ("127.0.0.1", self._port))
        self._found.sent += 1
        self._in_flight_bytes += len(packet) + OVERHEAD_BYTES
        if self._in_flight_bytes > IN_FLIGHT_BYTES:
            self.expect_alive()

    def expect_alive(self) -> None:
        """A ping must be answered, behind everything that was sent before."""
        self._in_flight_bytes = 0
        self._seq += 1
        ping = encode(Message("/stembridge/ping", ("pinger", self._seq)))
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            self._socket.sendto(ping, ("127.0.0.1", self._port))
            if self._hear_pong():
                self._found.alive += 1
                return
        self._found.faults.append(f"no answer to a ping after {self._found.sent} datagrams")

    def _hear_pong(self) -> bool:
        while True:
            try:
                packet = self._socket.recv(65_536)
            except TimeoutError:
                return False
            heard = hear(packet, self._found)
            if heard and heard.name == "pong" and heard.values["seq"] == self._seq:
                return True


def hear(packet: bytes, found: Fuzzed) -> Heard | None:
    """What the door said, which must be of the table and no fault of its own."""
    (message,) = decode(packet)
    heard = Heard.of(message)
    if heard is None or len(packet) > 1400:
        found.faults.append(f"said {message}")
        return None
    code = heard.values.get("code", "")
    if code == Code.INTERNAL:
        found.faults.append(f"refused as internal: {heard.values}")
    found.answered[f"{heard.name} {code}".strip()] += 1
    return heard


class _Ear:
    """A way that keeps what was said until it is judged."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self._lock = threading.Lock()

    def at_port(self, _port: int) -> Route:
        return self

    def send(self, packet: bytes) -> None:
        with self._lock:
            self.said.append(packet)

    def take(self) -> list[bytes]:
        with self._lock:
            said, self.said = self.said, []
            return said


def fuzz_in_process(count: int, seed: int) -> Fuzzed:
    """Hand so many datagrams to the reception itself, without a network."""
    found = Fuzzed()
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stembridge-fuzz-") as name, watched(found.faults):
        service = FuzzService(Path(name).resolve())
        clients = Clients(heartbeat_s=10.0)
        desk = Desk(
            service=service,
            clients=clients,
            storyteller=Storyteller(service.feed, lambda: clients.subscribers),
        )
        reception, ear = Reception(desk, TokenGuard("")), _Ear()
        reception.start()
        nonsense = Nonsense(seed, [service.song])
        for _ in range(count):
            reception.receive(nonsense.next(), ear)
            found.sent += 1
            for packet in ear.take():
                hear(packet, found)
        reception.stop()
        for packet in ear.take():
            hear(packet, found)
    found.seconds = time.monotonic() - started_s
    return found


def dropped_by_system(port: int) -> int:
    """How many datagrams the system dropped at a port, where it tells (Linux)."""
    table = Path("/proc/net/udp")
    if not table.exists():
        return 0
    lines = (line.split() for line in table.read_text().splitlines()[1:])
    return sum(int(words[-1]) for words in lines if int(words[1].split(":")[1], 16) == port)
