"""The door over real sockets: UDP, TCP, both address families, and what cannot be opened."""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ableton import OscFrontend
from ableton.contract import Code
from ableton.follower import Heard
from ableton.lanes import THREADS
from ableton.messages import MAX_SENT_BYTES
from ableton.routes import is_loopback
from ableton.tcp import MAX_CONNECTIONS, MAX_UNREAD_BYTES
from bridge import events, registry
from bridge.errors import ConfigError, ServiceError
from bridge.service import Frontend
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.support import (
    HAS_IPV6,
    PATIENCE_S,
    Peer,
    fake_service,
    heard,
    open_door,
    said,
    submitted,
    wait_until,
    write_song,
)


def own_address() -> str:
    """An address of this machine that is not loopback; "" where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            host = str(probe.getsockname()[0])
        except OSError:
            return ""
    return "" if is_loopback(host) else host


class TcpPeer:
    """A TCP connection that talks to a door by hand."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), PATIENCE_S)

    def say(self, name: str, *arguments: object) -> None:
        packet = said(name, *arguments)
        self.socket.sendall(len(packet).to_bytes(4, "big") + packet)

    def next(self) -> Heard:
        length = int.from_bytes(self._read(4), "big")
        return heard(self._read(length))

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            assert more, "the door closed the connection"
            data += more
        return data

    def __enter__(self) -> TcpPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def is_closed(sock: socket.socket) -> bool:
    """Whether the door closes the connection, having said what it had to say; it fails where it does not."""
    try:
        while sock.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.fixture
def tcp(door: OscFrontend) -> Iterator[TcpPeer]:
    with TcpPeer(door.port) as peer:
        yield peer


def test_it_is_plugged_in_as_any_strangers_door() -> None:
    door = registry.load("bridge.frontends", "osc")()
    assert isinstance(door, Frontend)
    door.stop()


def test_it_says_how_it_does(door: OscFrontend, service: FakeService) -> None:
    words = f"OSC on 127.0.0.1:{door.port} (UDP and TCP), no client"
    assert [(s.name, s.is_open, s.words) for s in service.states] == [("osc", True, words)]


def test_it_counts_its_clients(door: OscFrontend, service: FakeService, peer: Peer) -> None:
    peer.say("subscribe", "me", 1)
    peer.until("subscribed")
    wait_until(lambda: service.states[-1].words.endswith(", 1 client"), lambda: threading.Event().wait(0.01))
    peer.say("unsubscribe", "me", 2)
    peer.until("unsubscribed")
    wait_until(lambda: service.states[-1].words.endswith(", no client"), lambda: threading.Event().wait(0.01))


def test_a_song_from_command_to_files(peer: Peer, service: FakeService, folder: Path) -> None:
    song = write_song(folder)
    peer.say("hello", "me", 1, peer.port)
    assert peer.until("welcome").values["epoch"] == service.feed.epoch
    peer.say("subscribe", "me", 2)
    peer.until("subscribed")
    peer.say("process", "me", 3, str(song))
    found = {h.name: h for h in (peer.next(), peer.next(), peer.next())}
    job = str(found["accepted"].values["job"])
    assert found["queued"].values["job"] == job
    started = service.play_start(job)
    assert peer.until("started").values["job"] == job
    service.feed.publish(events.JobProgress(job_id=job, stage="mix", share=0.5, remaining_s=8.0))
    assert peer.until("progress").values["remaining_s"] == 8.0
    service.play_done(
        started, Delivery(folder=folder / "StemBridge" / "Night Drive", files=("Stems/bass.wav",))
    )
    assert peer.until("done").values["files"] == 1
    peer.say("files", "me", 4, job)
    assert peer.until("file_list").rows == (("Stems/bass.wav",),)


def test_answers_go_to_the_port_of_the_hello(door: OscFrontend) -> None:
    with Peer(door.port) as sender, Peer(door.port) as listener:
        sender.say("hello", "me", 1, listener.port)
        assert [listener.next().name, listener.next().name] == ["ack", "welcome"]


def test_mistakes_of_a_tool_that_sends_from_ever_other_ports_are_heard(door: OscFrontend) -> None:
    with Peer(door.port) as listener:
        for command in (("hello", "me", 1, listener.port), ("proces", "me", 2), ("process", "me", 3)):
            with Peer(door.port) as sender:
                sender.say(*command)
        assert [listener.until("refused").values["seq"] for _ in range(2)] == [2, 3]


def test_a_datagram_beyond_8_kb_is_answered(peer: Peer) -> None:
    peer.say("process", "me", 1, "/" + "x" * 20_000)
    found = peer.next()
    assert found.values["code"] == Code.BAD_ARGUMENTS
    assert "4096" in str(found.values["message"])


def test_nonsense_is_answered_and_the_next_command_done(peer: Peer) -> None:
    peer.send(b"\0\1\2\3")
    assert peer.next().values["code"] == Code.BAD_MESSAGE
    peer.say("recipes", "me", 1)
    assert peer.until("recipe_list").rows


def test_subscribers_get_signs_of_life_until_they_give_none(folder: Path) -> None:
    service = fake_service(folder, heartbeat_s=0.1)
    with open_door(service) as door, Peer(door.port) as peer:
        peer.say("subscribe", "me", 1)
        peer.until("subscribed")
        assert peer.until("beat").values == {"epoch": service.feed.epoch, "last": 0}
        wait_until(
            lambda: service.states[-1].words.endswith("no client"), lambda: threading.Event().wait(0.05)
        )
        peer.say("ping", "me", 2)
        assert peer.until("unknown_client").values["client"] == "me"


def test_closing_is_told(service: FakeService) -> None:
    with open_door(service) as door, Peer(door.port) as peer:
        peer.say("subscribe", "me", 1)
        peer.until("subscribed")
        door.stop()
        assert peer.until("closing").values["epoch"] == service.feed.epoch


def test_a_closed_door_leaves_no_thread_and_no_port(service: FakeService) -> None:
    before = set(threading.enumerate())
    with open_door(service) as door:
        port = door.port
    assert set(threading.enumerate()) <= before
    with open_door(fake_service(Path("/"), port=port)) as again:
        assert again.port == port


def test_a_door_that_never_opened_can_be_closed() -> None:
    OscFrontend().stop()


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_ipv6_loopback_works(folder: Path) -> None:
    service = fake_service(folder, host="::1")
    with open_door(service) as door, Peer(door.port, "::1") as peer:
        assert service.states[0].words.startswith(f"OSC on [::1]:{door.port} ")
        peer.say("hello", "me", 1, peer.port)
        assert peer.until("welcome").values["client"] == "me"


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["UDP", "TCP"])
def test_a_taken_port_is_told_with_what_to_do(folder: Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"127\.0\.0\.1:{port}.*taken.*osc\.port"):  # noqa: SIM117
            with open_door(fake_service(folder, port=port)):
                pass


def test_who_has_the_port_is_told(folder: Path, service: FakeService) -> None:
    import os

    with open_door(service) as door:
        words = rf"taken by .*\(process {os.getpid()}\)"
        with pytest.raises(ServiceError, match=words):  # noqa: SIM117
            with open_door(fake_service(folder, port=door.port)):
                pass


@pytest.mark.parametrize("token", ["", "x" * 15])
def test_a_door_for_other_machines_opens_with_a_token_alone(folder: Path, token: str) -> None:
    with pytest.raises(ConfigError, match=r"osc\.token .*at least 16"):  # noqa: SIM117
        with open_door(fake_service(folder, host="0.0.0.0", token=token)):
            pass


def test_a_door_for_other_machines_opens_with_a_token_and_serves_this_one_without(folder: Path) -> None:
    service = fake_service(folder, host="0.0.0.0", token="x" * 16)
    with open_door(service) as door, Peer(door.port) as peer:
        peer.say("recipes", "me", 1)
        assert peer.until("recipe_list").rows


@pytest.mark.skipif(not own_address(), reason="this machine has no address that others reach")
def test_from_an_address_that_others_have_the_token_is_needed(folder: Path) -> None:
    host, token = own_address(), "x" * 16
    service = fake_service(folder, host=host, token=token)
    with open_door(service) as door, Peer(door.port, host) as peer, TcpPeer(door.port, host) as tcp:
        peer.say("recipes", "me", 1)
        assert peer.next().values["code"] == Code.NOT_PERMITTED
        peer.say("hello", "me", 2, peer.port, "x" * 15)
        assert peer.next().values["code"] == Code.NOT_PERMITTED
        tcp.say("recipes", "other", 1)
        assert tcp.next().values["code"] == Code.NOT_PERMITTED
        peer.say("hello", "me", 3, peer.port, token)
        assert peer.until("welcome").values["seq"] == 3
        peer.say("recipes", "me", 4)
        assert peer.until("recipe_list").rows


@pytest.mark.parametrize(
    ("host", "error"), [("no such host.invalid", ConfigError), ("192.0.2.1", (ConfigError, ServiceError))]
)
def test_an_address_that_is_none_of_this_machine_is_told(
    folder: Path, host: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=re.escape(host)):  # noqa: SIM117
        with open_door(fake_service(folder, host=host, token="x" * 16)):
            pass


@pytest.mark.skipif(sys.platform != "linux", reason="counts wake-ups by /proc")
def test_while_nobody_is_there_its_threads_sleep(door: OscFrontend) -> None:
    def wakeups() -> int:
        tasks = [t for t in threading.enumerate() if t.name.startswith("osc-")]
        assert len(tasks) == 3 + 2 * THREADS
        statuses = [Path(f"/proc/self/task/{task.native_id}/status").read_text() for task in tasks]
        return sum(int(re.findall(r"voluntary_ctxt_switches:\s+(\d+)", status)[0]) for status in statuses)

    def slept_half_a_second() -> bool:
        before = wakeups()
        threading.Event().wait(0.5)
        return wakeups() == before

    assert door.port
    assert any(slept_half_a_second() for _ in range(3)), "on a busy machine it takes a moment to settle"


def test_tcp_carries_commands_and_events(tcp: TcpPeer, service: FakeService, folder: Path) -> None:
    tcp.say("hello", "me", 1)
    tcp.say("subscribe", "me", 2)
    assert [tcp.next().name for _ in range(5)] == ["ack", "welcome", "ack", "resync", "subscribed"]
    submitted(service, write_song(folder))
    assert tcp.next().name == "queued"


def test_tcp_takes_frames_in_any_pieces(tcp: TcpPeer) -> None:
    packets = [said("recipes", "me", 1), said("targets", "me", 2)]
    for byte in b"".join(len(packet).to_bytes(4, "big") + packet for packet in packets):
        tcp.socket.sendall(bytes([byte]))
    assert sorted(tcp.next().name for _ in range(4)) == ["ack", "ack", "recipe_list", "target_list"]


@pytest.mark.parametrize("head", [b"POST / HTTP/1.1\r\n\r\n", b"\0\0\0\0", b"\xc0/a\0\0\xc0"])
def test_what_is_no_frame_is_told_and_the_connection_closed(tcp: TcpPeer, head: bytes) -> None:
    tcp.socket.sendall(head)
    found = tcp.next()
    assert found.values["code"] == Code.BAD_MESSAGE
    assert "OSC 1.0" in str(found.values["message"])
    assert is_closed(tcp.socket)


def test_a_frame_that_is_no_osc_is_answered_and_the_connection_kept(tcp: TcpPeer) -> None:
    tcp.socket.sendall(b"\0\0\0\4abcd")
    assert tcp.next().values["code"] == Code.BAD_MESSAGE
    tcp.say("recipes", "me", 1)
    assert [tcp.next().name, tcp.next().name] == ["ack", "recipe_list"]


def test_a_peer_that_does_not_read_loses_its_connection_and_holds_up_nobody(
    door: OscFrontend, tcp: TcpPeer, peer: Peer
) -> None:
    size = 4 * MAX_UNREAD_BYTES
    packet = said("targets", "deaf", 1)
    frame = len(packet).to_bytes(4, "big") + packet
    try:
        for _ in range(10 * size // len(frame)):
            tcp.socket.sendall(frame)
    except (ConnectionResetError, BrokenPipeError):
        pass
    else:
        pytest.fail("the connection was never closed")
    peer.say("recipes", "me", 1)
    assert peer.until("recipe_list").rows


def test_a_connection_that_closes_ends_its_subscription(service: FakeService) -> None:
    with open_door(service) as door:
        with TcpPeer(door.port) as tcp:
            tcp.say("subscribe", "me", 1)
            while tcp.next().name != "subscribed":
                pass
        wait_until(lambda: service.states[-1].facts["clients"] == 0, lambda: threading.Event().wait(0.01))


def test_half_open_connections_are_bounded(door: OscFrontend, peer: Peer) -> None:
    half_open = []
    try:
        for _ in range(MAX_CONNECTIONS + 5):
            sock = socket.create_connection(("127.0.0.1", door.port), PATIENCE_S)
            sock.sendall(b"\0\0\0\x40/half")
            half_open.append(sock)
        assert is_closed(half_open[-1])
        peer.say("recipes", "me", 1)
        assert peer.until("recipe_list").rows
    finally:
        for sock in half_open:
            sock.close()


def test_everything_that_comes_is_within_the_bound(peer: Peer, service: FakeService, folder: Path) -> None:
    peer.say("subscribe", "me", 1)
    peer.until("subscribed")
    service.feed.publish(events.JobNote(job_id="x" * 64, stage="s" * 400, text="ü" * 5000))
    assert 900 < len(peer.socket.recv(65_536)) <= MAX_SENT_BYTES
