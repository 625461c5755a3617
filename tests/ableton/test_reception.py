"""What is done with packets: acknowledged at once, done once, answered always, never fatal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ableton import handlers
from ableton.addresses import SENT
from ableton.clients import Clients
from ableton.contract import Code
from ableton.guard import ANSWERS_PER_S, TokenGuard
from ableton.handlers import Desk
from ableton.lanes import MAX_OF_CLIENT, THREADS
from ableton.messages import Message, encode
from ableton.reception import Reception
from ableton.storyteller import Storyteller
from bridge.testing.service import FakeService
from tests.ableton.support import PATIENCE_S, REMOTE, FakeClock, FakeRoute, said, write_song

TOKEN = "correct horse battery"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(clock: FakeClock) -> Clients:
    return Clients(heartbeat_s=10.0, clock=clock)


@pytest.fixture
def reception(service: FakeService, clients: Clients, clock: FakeClock) -> Iterator[Reception]:
    storyteller = Storyteller(service.feed, lambda: clients.subscribers)
    desk = Desk(service=service, clients=clients, storyteller=storyteller)
    reception = Reception(desk, TokenGuard(TOKEN, clock), clock=clock)
    reception.start()
    yield reception
    reception.stop()


@pytest.fixture
def route() -> FakeRoute:
    return FakeRoute()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Commands to ``status`` are at work until this is set."""
    may_end = threading.Event()

    def status(_desk: Desk, asked: handlers.Asked) -> Message:
        may_end.wait(PATIENCE_S)
        return asked.reply("pong", "epoch", 7, 0)

    monkeypatch.setitem(handlers.HANDLERS, "status", status)  # type: ignore[arg-type]
    return may_end


def names(route: FakeRoute, count: int) -> list[str]:
    return [route.next().name for _ in range(count)]


def test_a_command_is_acknowledged_then_answered_with_client_and_seq(
    reception: Reception, route: FakeRoute
) -> None:
    reception.receive(said("ping", "me", 7), route)
    found = [route.next() for _ in range(3)]
    assert [h.name for h in found] == ["unknown_client", "ack", "pong"]
    assert [(h.values["client"], h.values["seq"]) for h in found[1:]] == [("me", 7)] * 2


def test_the_ack_does_not_wait_for_the_work(
    reception: Reception, route: FakeRoute, held: threading.Event
) -> None:
    reception.receive(said("status", "me", 1), route)
    assert [h.name for h in route.all()] == ["ack"]
    held.set()
    assert names(route, 1) == ["pong"]


def test_a_repeat_during_the_work_is_acknowledged_and_the_work_done_once(
    reception: Reception, route: FakeRoute, held: threading.Event
) -> None:
    for _ in range(3):
        reception.receive(said("status", "me", 1), route)
    assert [h.name for h in route.all()] == ["ack"] * 3
    held.set()
    assert names(route, 1) == ["pong"]
    reception.stop()
    assert route.all() == []


def test_a_repeat_after_the_work_gets_the_same_answer(
    reception: Reception, route: FakeRoute, service: FakeService, folder: Path
) -> None:
    packet = said("process", "me", 1, str(write_song(folder)))
    reception.receive(packet, route)
    first = [route.next() for _ in range(2)]
    reception.receive(packet, route)
    assert [route.next() for _ in range(2)] == first
    assert first[1].values["is_new"] == 1
    assert service.count() == 1


def test_a_number_that_another_command_had_is_refused_and_the_first_answer_stays(
    reception: Reception, route: FakeRoute
) -> None:
    reception.receive(said("recipes", "me", 1), route)
    assert names(route, 2) == ["ack", "recipe_list"]
    reception.receive(said("recipes", "me", 1, 3), route)
    assert route.next().values["code"] == Code.SEQUENCE_REUSED
    reception.receive(said("recipes", "me", 1), route)
    assert names(route, 2) == ["ack", "recipe_list"]


def test_too_many_that_wait_are_refused_and_may_be_sent_again(
    reception: Reception, route: FakeRoute, held: threading.Event
) -> None:
    for seq in range(MAX_OF_CLIENT):
        reception.receive(said("status", "me", seq), route)
    assert {h.name for h in route.all()} == {"ack"}
    reception.receive(said("status", "me", 999), route)
    assert route.next().values["code"] == Code.BUSY
    held.set()
    assert names(route, MAX_OF_CLIENT) == ["pong"] * MAX_OF_CLIENT
    reception.receive(said("status", "me", 999), route)
    assert names(route, 2) == ["ack", "pong"]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (("subscribe", "me", 1), "subscribed"),
        (("ping", "me", 1), "pong"),
        (("events", "me", 1, 0, "e"), "events_told"),
        (("unsubscribe", "me", 1), "unsubscribed"),
    ],
)
def test_as_many_clients_as_there_are_lanes_hold_up_no_sign_of_life(
    reception: Reception, route: FakeRoute, held: threading.Event, command: tuple[Any, ...], reply: str
) -> None:
    """Their songs lie on a share that hangs."""
    for number in range(THREADS):
        reception.receive(said("status", f"slow-{number}", 1), FakeRoute())
    reception.receive(said(*command), route)
    while (found := route.next(PATIENCE_S / 2)).name != reply:
        pass
    assert found.values["seq"] == 1
    held.set()


def test_while_the_door_closes_commands_are_refused_and_may_be_sent_again(
    reception: Reception, route: FakeRoute
) -> None:
    reception.stop()
    for name in ("recipes", "ping"):
        reception.receive(said(name, "me", 1), route)
    codes = [found.values["code"] for found in route.all() if found.name == "refused"]
    assert codes == [Code.CLOSING] * 2


def test_hello_names_the_port_for_answers(reception: Reception, route: FakeRoute) -> None:
    reception.receive(said("hello", "me", 1, 9000), route)
    assert names(route.ports[9000], 2) == ["ack", "welcome"]
    reception.receive(said("ping", "me", 2), route)
    assert names(route.ports[9000], 2) == ["ack", "pong"]
    assert route.all() == []


def test_hello_without_a_port_means_the_one_of_the_settings(
    reception: Reception, route: FakeRoute, service: FakeService
) -> None:
    reception.receive(said("hello", "me", 1), route)
    assert names(route.ports[service.config.osc.reply_port], 2) == ["ack", "welcome"]


def test_hello_with_port_0_means_the_one_sent_from(reception: Reception, route: FakeRoute) -> None:
    reception.receive(said("hello", "me", 1, 0), route)
    assert names(route, 2) == ["ack", "welcome"]


def test_a_late_copy_of_an_old_hello_changes_no_port(reception: Reception, route: FakeRoute) -> None:
    reception.receive(said("hello", "me", 1, 9000), route)
    reception.receive(said("hello", "me", 2, 9001), route)
    reception.receive(said("hello", "me", 1, 9000), route)
    route.ports[9001].all()
    reception.receive(said("ping", "me", 3), route)
    assert names(route.ports[9001], 2) == ["ack", "pong"]


@pytest.mark.parametrize(
    ("packet", "code", "sender"),
    [
        (b"nonsense", Code.BAD_MESSAGE, ("", -1)),
        (b"", Code.BAD_MESSAGE, ("", -1)),
        (b"/stembridge/ping\0\0\0\0,Z\0\0", Code.BAD_MESSAGE, ("", -1)),
        (said("proces", "me", 3), Code.UNKNOWN_ADDRESS, ("me", 3)),
        (encode(Message("/live/test")), Code.UNKNOWN_ADDRESS, ("", -1)),
        (said("process", "me", 3), Code.BAD_ARGUMENTS, ("me", 3)),
        (said("process", "me"), Code.BAD_ARGUMENTS, ("", -1)),
        (said("process", "", 3, "/a"), Code.BAD_ARGUMENTS, ("", -1)),
    ],
)
def test_what_is_no_command_is_answered_where_it_can_be(
    reception: Reception, route: FakeRoute, packet: bytes, code: Code, sender: tuple[str, int]
) -> None:
    reception.receive(packet, route)
    found = route.next()
    assert (found.values["client"], found.values["seq"]) == sender
    assert found.values["code"] == code


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (said("proces", "me", 2), Code.UNKNOWN_ADDRESS),
        (said("process", "me", 2), Code.BAD_ARGUMENTS),
        (said("process", 2), Code.BAD_ARGUMENTS),
        (b"nonsense", Code.BAD_MESSAGE),
    ],
)
def test_a_mistake_is_heard_at_the_port_named_in_hello(
    reception: Reception, route: FakeRoute, packet: bytes, code: Code
) -> None:
    reception.receive(said("hello", "me", 1, 9000), route)
    assert names(route.ports[9000], 2) == ["ack", "welcome"]
    sent_from = FakeRoute()
    reception.receive(packet, sent_from)
    assert [found.values["code"] for found in sent_from.ports[9000].all()] == [code]


def test_the_near_command_is_named(reception: Reception, route: FakeRoute) -> None:
    reception.receive(said("proces", "me", 3), route)
    assert "Did you mean /stembridge/process?" in str(route.next().values["message"])


@pytest.mark.parametrize("entry", SENT.values(), ids=lambda entry: entry.name)
def test_an_echo_of_its_own_words_is_not_answered(reception: Reception, route: FakeRoute, entry: Any) -> None:
    reception.receive(encode(Message(entry.address, ("", -1))), route)
    assert route.all() == []


@pytest.mark.parametrize(
    ("packet", "host", "is_admitted"),
    [
        (said("ping", "me", 1), "127.0.0.1", True),
        (said("hello", "me", 1, 0, TOKEN), REMOTE, True),
        (said("hello", "me", 1, 0, "guess"), REMOTE, False),
        (said("ping", "me", 1), REMOTE, False),
        (said("proces", "me", 1), "127.0.0.1", False),
        (said("process", "me", 1), "127.0.0.1", False),
        (said("beat", "e", 1), "127.0.0.1", False),
        (b"nonsense", "127.0.0.1", False),
    ],
    ids=["here", "token", "wrong token", "no hello", "no command", "bad arguments", "echo", "nonsense"],
)
def test_it_says_whether_a_packet_came_from_somebody_who_may_command(
    reception: Reception, packet: bytes, host: str, is_admitted: bool
) -> None:
    assert reception.receive(packet, FakeRoute(host)) is is_admitted


def test_a_flood_of_nonsense_is_not_answered_by_a_flood(reception: Reception, route: FakeRoute) -> None:
    for _ in range(5000):
        reception.receive(b"nonsense", route)
    assert len(route.all()) == ANSWERS_PER_S
    reception.receive(said("recipes", "me", 1), route)
    assert names(route, 2) == ["ack", "recipe_list"]


def test_every_message_of_a_bundle_is_done(reception: Reception, route: FakeRoute) -> None:
    parts = [said("recipes", "me", 1), said("targets", "me", 2)]
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    reception.receive(b"#bundle\0" + bytes(8) + body, route)
    assert sorted(names(route, 4)) == ["ack", "ack", "recipe_list", "target_list"]


def test_another_machine_has_to_show_the_token_first(reception: Reception) -> None:
    remote = FakeRoute(REMOTE)
    reception.receive(said("recipes", "me", 1), remote)
    assert remote.next().values["code"] == Code.NOT_PERMITTED
    reception.receive(said("hello", "me", 2, 0, "wrong token, long enough"), remote)
    assert remote.next().values["code"] == Code.NOT_PERMITTED
    reception.receive(said("hello", "me", 3, 0, TOKEN), remote)
    assert names(remote, 2) == ["ack", "welcome"]
    reception.receive(said("recipes", "me", 1), remote)
    assert names(remote, 2) == ["ack", "recipe_list"]


def test_a_hello_without_the_token_is_refused_at_the_port_that_it_names(reception: Reception) -> None:
    remote = FakeRoute(REMOTE)
    reception.receive(said("hello", "me", 1, 9000, "wrong token, long enough"), remote)
    assert [found.values["code"] for found in remote.ports[9000].all()] == [Code.NOT_PERMITTED]
    assert remote.all() == []


def test_a_stranger_from_another_machine_changes_nothing_of_a_client(
    reception: Reception, clients: Clients, route: FakeRoute
) -> None:
    reception.receive(said("hello", "me", 1, 0), route)
    reception.receive(said("hello", "me", 2, 9000, "guess"), FakeRoute(REMOTE))
    reception.receive(said("ping", "me", 3), FakeRoute(REMOTE))
    assert clients.route("me") is route


def test_who_was_given_up_is_told_to_say_hello(
    reception: Reception, clients: Clients, clock: FakeClock, route: FakeRoute
) -> None:
    reception.receive(said("hello", "me", 1, 0), route)
    reception.receive(said("subscribe", "me", 2), route)
    assert names(route, 5) == ["ack", "welcome", "ack", "resync", "subscribed"]
    clock.advance(31.0)
    clients.give_up_silent()
    reception.receive(said("recipes", "me", 3), route)
    assert names(route, 3) == ["unknown_client", "ack", "recipe_list"]
    reception.receive(said("recipes", "me", 4), route)
    assert names(route, 2) == ["ack", "recipe_list"]


def test_a_fault_in_a_handler_is_an_answer(
    reception: Reception, route: FakeRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_desk: Desk, _asked: handlers.Asked) -> Message:
        raise RuntimeError("a bug")

    monkeypatch.setitem(handlers.HANDLERS, "status", broken)  # type: ignore[arg-type]
    reception.receive(said("status", "me", 1), route)
    assert route.next().name == "ack"
    found = route.next()
    assert found.values["code"] == Code.INTERNAL
    assert "a bug" in str(found.values["message"])
    reception.receive(said("recipes", "me", 2), route)
    assert names(route, 2) == ["ack", "recipe_list"]
