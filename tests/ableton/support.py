"""What tests of the OSC door share: routes that remember, clocks that are set, doors on free ports."""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ableton import OscFrontend
from ableton.follower import Heard
from ableton.messages import Message, decode, encode
from ableton.routes import Route
from bridge.testing.service import FakeService
from bridge.values import Job, JobRequest

HAS_IPV6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists()
PATIENCE_S = 10.0
"""For what comes at once where nothing is wrong."""
REMOTE = "192.0.2.7"
"""Another machine (RFC 5737)."""


class FakeClock:
    """A clock that stands still until it is set forward."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def advance(self, seconds: float) -> None:
        self.now_s += seconds


class FakeRoute:
    """A way to a peer that keeps what was sent; ``ports`` are its other ports."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self.sent: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.ports: dict[int, FakeRoute] = {}

    @property
    def host(self) -> str:
        return self._host

    def at_port(self, port: int) -> Route:
        return self.ports.setdefault(port, FakeRoute(self._host))

    def send(self, packet: bytes) -> None:
        self.sent.put(packet)

    def next(self, timeout_s: float = PATIENCE_S) -> Heard:
        """The next message that was sent this way."""
        return heard(self.sent.get(timeout=timeout_s))

    def all(self) -> list[Heard]:
        """Every message that was sent this way until now."""
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(heard(self.sent.get_nowait()))
        return found


def heard(packet: bytes) -> Heard:
    """The message in a packet, which must be one of the table's."""
    (message,) = decode(packet)
    found = Heard.of(message)
    assert found is not None, message
    return found


def said(name: str, *arguments: Any) -> bytes:
    """A command as bytes."""
    return encode(Message(f"/stembridge/{name}", arguments))


def fake_service(folder: Path, **osc: Any) -> FakeService:
    """A service whose songs and projects may lie in ``folder``."""
    return FakeService(settings(folder, **osc))


def settings(folder: Path, **osc: Any) -> dict[str, Any]:
    """Settings for a door on a free port."""
    return {"osc": {"port": 0, **osc}, "service": {"roots": [str(folder)]}}


def write_song(folder: Path, name: str = "Night Drive.wav", content: bytes = b"one") -> Path:
    """A file that is whole as far as its container says."""
    data = content.ljust(64, b"\0")
    form = b"WAVEfmt " + (16).to_bytes(4, "little")
    form += (
        b"\x01\0\x01\0" + (44_100).to_bytes(4, "little") + (88_200).to_bytes(4, "little") + b"\x02\0\x10\0"
    )
    body = form + b"data" + len(data).to_bytes(4, "little") + data
    path = folder / name
    path.write_bytes(b"RIFF" + len(body).to_bytes(4, "little") + body)
    return path


def submitted(service: FakeService, song: Path, recipe: str = "full") -> Job:
    """A job of that song."""
    return service.submit(JobRequest(source=song, recipe=recipe, destination=song.parent)).job


@contextlib.contextmanager
def open_door(service: FakeService) -> Iterator[OscFrontend]:
    """The door, open while the context lasts."""
    door = OscFrontend()
    try:
        door.start(service)
        yield door
    finally:
        door.stop()


class Peer:
    """A UDP socket that talks to a door by hand."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.bind((host, 0))
        self._to = (host, port)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def say(self, name: str, *arguments: Any) -> None:
        self.send(said(name, *arguments))

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, self._to)

    def next(self) -> Heard:
        return heard(self.socket.recv(65_536))

    def until(self, name: str) -> Heard:
        """The next message of that name; others before it are passed over."""
        while (found := self.next()).name != name:
            pass
        return found

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def wait_until(condition: Callable[[], bool], poll: Callable[[], object]) -> None:
    """Poll, which waits a little, until the condition holds; for what another thread does soon."""
    for _ in range(1000):
        if condition():
            return
        poll()
    raise AssertionError("it did not come about")
