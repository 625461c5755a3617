"""The reference client: what it makes of answers, of losses, and of a service that starts anew."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ableton import OscFrontend, handlers
from ableton.addresses import SENT
from ableton.client import OscClient, RefusedByServiceError
from ableton.contract import Code
from ableton.follower import MAX_EARLY, Follower, Heard, Recap
from ableton.guard import MAX_WRONG
from ableton.messages import Message, decode, encode
from bridge import events
from bridge.errors import ServiceError
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.support import HAS_IPV6, PATIENCE_S, fake_service, open_door, submitted, write_song

TOKEN = "correct horse battery"
Leftover = Callable[[OscClient], OscClient]


@pytest.fixture
def client(door: OscFrontend) -> Iterator[OscClient]:
    with OscClient(port=door.port) as client:
        yield client


@pytest.fixture
def leftover() -> Iterator[Leftover]:
    """Takes a client that is to be closed in the end, whatever happens."""
    with contextlib.ExitStack() as stack:

        def take(client: OscClient) -> OscClient:
            stack.callback(client.close)
            return client

        yield take


def event(number: int, after: int, epoch: str = "e") -> Heard:
    return Heard("note", {"number": number, "after": after, "epoch": epoch})


def following(number: int = 0) -> tuple[Follower, list[int]]:
    got: list[int] = []
    follower = Follower(lambda h: got.append(int(h.values["number"])))
    follower.start("e", number)
    return follower, got


def test_a_song_from_command_to_files(client: OscClient, service: FakeService, folder: Path) -> None:
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    client.subscribe(heard.put)
    assert heard.get(timeout=PATIENCE_S).name == "resync"
    job = str(client.ask("process", str(write_song(folder))).values["job"])
    files = tuple(f"Stems/{number:03d} {'x' * 100}.wav" for number in range(30))
    delivered = folder / "StemBridge" / "Night Drive"
    service.play_done(service.play_start(job), Delivery(folder=delivered, files=files))
    names = [heard.get(timeout=PATIENCE_S).name for _ in range(3)]
    assert names == ["queued", "started", "done"]
    assert client.files(job) == [f"{delivered}/{file}" for file in files]


def test_a_listener_that_fails_hears_the_next_event(
    client: OscClient, service: FakeService, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def tell(event: Heard) -> None:
        heard.put(event.name)
        raise RuntimeError("a slip")

    client.subscribe(tell)
    submitted(service, write_song(folder))
    assert [heard.get(timeout=PATIENCE_S) for _ in range(2)] == ["resync", "queued"]
    assert "a slip" in caplog.text


def test_a_listener_takes_the_place_of_the_one_before(
    client: OscClient, service: FakeService, folder: Path
) -> None:
    first: queue.SimpleQueue[str] = queue.SimpleQueue()
    second: queue.SimpleQueue[str] = queue.SimpleQueue()
    client.subscribe(lambda event: first.put(event.name))
    assert first.get(timeout=PATIENCE_S) == "resync"
    client.subscribe(lambda event: second.put(event.name))
    job = submitted(service, write_song(folder))
    service.play_start(job.id)
    assert [second.get(timeout=PATIENCE_S) for _ in range(2)] == ["queued", "started"]
    assert first.empty()


def test_a_subscription_that_is_refused_leaves_nothing_behind(
    client: OscClient, service: FakeService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_desk: handlers.Desk, asked: handlers.Asked) -> Message:
        return asked.reply("refused", Code.STORAGE, "The disk is full.")

    refused: list[Heard] = []
    with monkeypatch.context() as patched:
        patched.setitem(handlers.HANDLERS, "subscribe", refuse)  # type: ignore[arg-type]
        with pytest.raises(RefusedByServiceError, match="disk is full"):
            client.subscribe(refused.append)
    heard: queue.SimpleQueue[str] = queue.SimpleQueue()
    client.subscribe(lambda event: heard.put(event.name))
    submitted(service, write_song(folder))
    assert [heard.get(timeout=PATIENCE_S) for _ in range(2)] == ["resync", "queued"]
    assert refused == []


def test_a_refusal_is_an_error_with_its_code(client: OscClient) -> None:
    with pytest.raises(RefusedByServiceError, match="no job 'nope'") as caught:
        client.ask("cancel", "nope")
    assert caught.value.code is Code.JOB


def test_nobody_there_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        client = OscClient(port=deaf.getsockname()[1], patience_s=0.3)
        with pytest.raises(ServiceError, match="Is it running"):
            client.open()


def test_it_repeats_until_it_is_answered_and_waits_longer_each_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(PATIENCE_S)
        client = OscClient(port=deaf.getsockname()[1], patience_s=PATIENCE_S)
        pending = client.begin().send("ping")
        packets = [deaf.recvfrom(65_536) for _ in range(3)]
        assert {packet for packet, _ in packets} == {pending.packet}
        answer = Message("/stembridge/pong", (client.name, pending.seq, "e", 0, 0))
        deaf.sendto(encode(answer), packets[0][1])
        assert pending.wait(PATIENCE_S).name == "pong"
        client.close()


def test_a_question_without_an_answer_is_asked_no_more(leftover: Leftover) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        client = leftover(OscClient(port=deaf.getsockname()[1]).begin())
        kept = client.send("recipes")
        with pytest.raises(ServiceError, match="did not answer targets"):
            client.ask("targets", timeout_s=0.01)
        assert list(client._pending.values()) == [kept]


@pytest.mark.parametrize("code", [Code.BUSY, Code.CLOSING])
def test_what_was_refused_for_now_is_sent_again(leftover: Leftover, code: Code) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(PATIENCE_S)
        client = leftover(OscClient(port=deaf.getsockname()[1]).begin())
        pending = client.send("ping")
        _, address = deaf.recvfrom(65_536)
        for name, *values in (("refused", code, "not now"), ("pong", "e", 0, 0)):
            deaf.sendto(encode(SENT[name].message(client.name, pending.seq, *values)), address)
        assert pending.wait(PATIENCE_S).name == "pong"


def test_it_says_hello_when_nothing_is_heard() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(PATIENCE_S)
        client = OscClient(port=deaf.getsockname()[1])
        client.begin().send("ping")
        addresses = [decode(deaf.recv(65_536))[0].address for _ in range(5)]
        client.close()
    assert addresses[:4] == ["/stembridge/ping"] * 4
    assert addresses[4] == "/stembridge/hello"


def test_it_says_one_hello_at_a_time_however_often_one_is_wanted(leftover: Leftover) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(PATIENCE_S)
        client = leftover(OscClient(port=deaf.getsockname()[1]).begin())
        client.send("ping")
        _, address = deaf.recvfrom(65_536)
        for _ in range(5):
            deaf.sendto(encode(SENT["unknown_client"].message(client.name)), address)
        packets = iter(lambda: deaf.recv(65_536), b"")
        hellos = (packet for packet in packets if decode(packet)[0].address == "/stembridge/hello")
        assert len(set(itertools.islice(hellos, 3))) == 1


def test_it_follows_a_service_that_starts_anew(folder: Path, leftover: Leftover) -> None:
    first = fake_service(folder, heartbeat_s=0.3)
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    with open_door(first) as door:
        port = door.port
        client = leftover(OscClient(port=port).open())
        client.subscribe(heard.put)
        assert heard.get(timeout=PATIENCE_S).values["epoch"] == first.feed.epoch
    assert heard.get(timeout=PATIENCE_S).name == "closing"
    second = fake_service(folder, heartbeat_s=0.3, port=port)
    waits = submitted(second, write_song(folder)).id
    with open_door(second):
        found = heard.get(timeout=PATIENCE_S)
        assert (found.name, found.values["epoch"]) == ("resync", second.feed.epoch)
        assert [row[0] for row in found.rows] == [waits]
        second.play_start(waits)
        assert heard.get(timeout=PATIENCE_S).name == "started"


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody counts as another machine, so that the token is needed."""
    for module in ("guard", "clients"):
        monkeypatch.setattr(f"ableton.{module}.is_loopback", lambda _host: False)


@pytest.mark.usefixtures("remote")
def test_it_shows_its_token_again_to_a_service_that_starts_anew(folder: Path, leftover: Leftover) -> None:
    first = fake_service(folder, token=TOKEN)
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    with open_door(first) as door:
        port = door.port
        client = leftover(OscClient(port=port, token=TOKEN).open())
        client.subscribe(heard.put)
    assert [heard.get(timeout=PATIENCE_S).name for _ in range(2)] == ["resync", "closing"]
    second = fake_service(folder, token=TOKEN, port=port)
    with open_door(second):
        assert client.ask("recipes", timeout_s=PATIENCE_S).rows
        assert heard.get(timeout=PATIENCE_S).values["epoch"] == second.feed.epoch


@pytest.mark.usefixtures("remote")
def test_with_a_wrong_token_it_is_refused_and_does_not_go_on_guessing(
    folder: Path, leftover: Leftover
) -> None:
    with open_door(fake_service(folder, token=TOKEN)) as door:
        client = leftover(OscClient(port=door.port, token="wrong, long enough").begin())
        for _ in range(MAX_WRONG + 1):
            with pytest.raises(RefusedByServiceError, match="token") as caught:
                client.ask("recipes", timeout_s=PATIENCE_S)
            assert caught.value.code is Code.NOT_PERMITTED
        leftover(OscClient(port=door.port, token=TOKEN).open())


def test_it_goes_on_with_the_story_when_only_the_door_was_opened_anew(
    folder: Path, leftover: Leftover
) -> None:
    service = fake_service(folder, heartbeat_s=0.3)
    heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
    with open_door(service) as door:
        port = door.port
        client = leftover(OscClient(port=port).open())
        client.subscribe(heard.put)
    assert [heard.get(timeout=PATIENCE_S).name for _ in range(2)] == ["resync", "closing"]
    service.feed.publish(events.JobNote(job_id="j", stage="mix", text="while it was closed"))
    same = fake_service(folder, heartbeat_s=0.3, port=port)
    same.feed = service.feed
    with open_door(same):
        assert heard.get(timeout=PATIENCE_S).values["text"] == "while it was closed"


WELCOME = ("me", 1, "0.1", 1, "e", 7, 10.0, "ping")


@pytest.mark.parametrize(
    ("name", "arguments", "is_one"),
    [
        ("welcome", WELCOME, True),
        ("welcome", (*WELCOME[:6], 10, "ping"), True),
        ("welcome", (*WELCOME, "what a newer service adds"), True),
        ("welcome", WELCOME[:-1], False),
        ("welcome", ("me", "one", *WELCOME[2:]), False),
        ("welcome", (*WELCOME[:6], "soon", "ping"), False),
        ("recipe_list", ("me", 1, 1, 0, "full", "All", ""), True),
        ("recipe_list", ("me", 1, 1, 0, "full", "All"), False),
        ("recipe_list", ("me", 1, 1, 0, "full", 7, ""), False),
        ("hello", ("me", 1), False),
    ],
    ids=["whole", "whole float", "longer", "short", "text for int", "text for float", "row", "half row",
         "int in row", "command"],
)  # fmt: skip
def test_what_the_table_does_not_describe_is_not_heard(
    name: str, arguments: tuple[str | int | float, ...], is_one: bool
) -> None:
    assert (Heard.of(Message(f"/stembridge/{name}", arguments)) is not None) is is_one


def test_it_hears_nobody_but_the_service(client: OscClient) -> None:
    port = client._socket.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        forged = SENT["refused"].message(client.name, 2, Code.INTERNAL, "not by the service")
        stranger.sendto(encode(forged), ("127.0.0.1", port))
        stranger.sendto(encode(Message("/stembridge/ack", (client.name, "two"))), ("127.0.0.1", port))
        assert client.ask("recipes", timeout_s=PATIENCE_S).rows


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
def test_it_reaches_a_service_by_ipv6(folder: Path) -> None:
    with open_door(fake_service(folder, host="::1")) as door, OscClient("::1", door.port) as client:
        assert client.ask("recipes", timeout_s=PATIENCE_S).rows


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ServiceError, match=r"no way to .*Check the address"):
        OscClient("no such host.invalid")


def test_events_are_told_once() -> None:
    follower, got = following()
    for _ in range(2):
        follower.take(event(1, 0))
    assert (got, follower.missed) == ([1], None)


def test_what_comes_early_waits_for_what_is_missing() -> None:
    follower, got = following()
    follower.take(event(5, 3))
    follower.take(event(3, 1))
    assert (got, follower.missed) == ([], 0)
    follower.take(event(1, 0))
    assert got == [1, 3, 5]


def test_the_event_that_closes_the_gap_is_taken_however_many_wait_behind_it() -> None:
    follower, got = following()
    for number in range(2, MAX_EARLY + 10):
        follower.take(event(number, number - 1))
    follower.take(event(1, 0))
    assert got == list(range(1, MAX_EARLY + 1))
    follower.take(Heard("beat", {"epoch": "e", "last": MAX_EARLY + 9}))
    assert follower.missed == MAX_EARLY


def test_a_beat_tells_that_the_last_event_was_lost() -> None:
    follower, _ = following(4)
    follower.take(Heard("beat", {"epoch": "e", "last": 4}))
    assert follower.missed is None
    follower.take(Heard("beat", {"epoch": "e", "last": 7}))
    assert follower.missed == 4


@pytest.mark.parametrize(
    ("told", "upto", "number", "missed"),
    [(-1, 9, 9, None), (4, 9, 9, None), (8, 9, 4, 4)],
    ids=["nothing was to tell", "all came", "some were lost"],
)
def test_what_was_told_again_counts_if_it_all_came(
    told: int, upto: int, number: int, missed: int | None
) -> None:
    follower, _ = following(4)
    follower.take(Heard("events_told", {"epoch": "e", "upto": upto, "told": told, "last": upto}))
    assert (follower.number, follower.missed) == (number, missed)


def test_what_waits_is_told_when_the_gap_before_it_is_known_to_be_empty() -> None:
    follower, got = following()
    follower.take(event(5, 4))
    follower.take(Heard("events_told", {"epoch": "e", "upto": 4, "told": -1, "last": 4}))
    assert (got, follower.missed) == ([5], None)


@pytest.mark.parametrize(
    "newer", [event(9, 7), Heard("beat", {"epoch": "e", "last": 9})], ids=["an event", "a beat"]
)
def test_an_answer_that_is_late_hides_no_newer_gap(newer: Heard) -> None:
    """The answer to an older question says nothing of what happened since."""
    follower, _ = following(4)
    follower.take(newer)
    follower.take(Heard("events_told", {"epoch": "e", "upto": 5, "told": -1, "last": 5}))
    assert follower.missed == 5


def test_another_epoch_is_not_followed() -> None:
    follower, got = following()
    follower.take(event(1, 0, epoch="f"))
    assert got == []


def part(index: int, parts: int, last: int = 7) -> Heard:
    values = {"epoch": "e", "last": last, "part": index, "parts": parts}
    return Heard("resync", values, ((f"job {index}",),))


def test_a_state_is_told_once_when_all_its_parts_are_there() -> None:
    recap = Recap()
    assert [recap.take(part(index, 3)) for index in (2, 0, 0)] == [None] * 3
    whole = recap.take(part(1, 3))
    assert whole is not None
    assert whole.rows == (("job 0",), ("job 1",), ("job 2",))
    assert recap.take(part(1, 3)) is None


def test_parts_of_different_states_are_not_mixed() -> None:
    recap = Recap()
    assert recap.take(part(0, 2, last=7)) is None
    assert recap.take(part(1, 2, last=8)) is None
    assert recap.take(part(0, 2, last=8)) is not None
