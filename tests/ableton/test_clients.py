"""Who is who, what was answered, who still lives; with a clock that is set."""

from __future__ import annotations

import pytest

from ableton.clients import MAX_KEPT, Clients, Verdict
from tests.ableton.support import REMOTE, FakeClock, FakeRoute

HEARTBEAT_S = 10.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(clock: FakeClock) -> Clients:
    return Clients(heartbeat_s=HEARTBEAT_S, clock=clock, capacity=3)


def subscribed(clients: Clients, name: str, route: FakeRoute | None = None) -> FakeRoute:
    route = route or FakeRoute()
    clients.hear(name, route)
    clients.subscribe(name)
    return route


def test_a_command_is_new_then_at_work_then_answered(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    assert clients.take("me", 1, 77) is Verdict.NEW
    assert clients.take("me", 1, 77) is Verdict.AT_WORK
    clients.keep("me", 1, b"reply")
    assert clients.take("me", 1, 77) is Verdict.ANSWERED
    assert clients.reply("me", 1) == b"reply"


def test_a_number_with_other_content_is_reused(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    clients.take("me", 1, 77)
    assert clients.take("me", 1, 78) is Verdict.REUSED


def test_numbers_of_different_clients_are_apart(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    clients.hear("you", FakeRoute())
    clients.take("me", 1, 77)
    assert clients.take("you", 1, 78) is Verdict.NEW


def test_numbers_may_come_in_any_order(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    assert [clients.take("me", seq, seq) for seq in (3, 1, 2)] == [Verdict.NEW] * 3


def test_a_dropped_command_is_new_again(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    clients.take("me", 1, 77)
    clients.drop("me", 1)
    assert clients.take("me", 1, 77) is Verdict.NEW


def test_answers_are_kept_in_bounds_and_those_at_work_are_kept_longest(clients: Clients) -> None:
    clients.hear("me", FakeRoute())
    clients.take("me", 0, 0)
    for seq in range(1, 2 * MAX_KEPT):
        clients.take("me", seq, seq)
        clients.keep("me", seq, b"reply")
    assert clients.take("me", 0, 0) is Verdict.AT_WORK
    kept = [seq for seq in range(2 * MAX_KEPT) if clients.reply("me", seq) is not None]
    assert len(kept) == MAX_KEPT - 1
    assert kept[-1] == 2 * MAX_KEPT - 1


def test_who_was_silent_longest_makes_room_but_not_a_subscriber(clients: Clients) -> None:
    subscribed(clients, "subscriber")
    for name in ("a", "b", "c"):
        clients.hear(name, FakeRoute())
    assert [clients.is_known(name) for name in ("subscriber", "a", "b", "c")] == [True, False, True, True]


def test_there_is_always_room_for_one_more(clients: Clients) -> None:
    for name in ("a", "b", "c", "d"):
        subscribed(clients, name)
    assert [clients.is_known(name) for name in "abcd"] == [False, True, True, True]


def test_answers_go_the_way_that_was_heard_last(clients: Clients) -> None:
    first, second = FakeRoute(), FakeRoute()
    clients.hear("me", first)
    clients.hear("me", second)
    assert clients.route("me") is second


def test_answers_go_to_the_port_that_hello_named_wherever_commands_come_from(clients: Clients) -> None:
    clients.greet("me", FakeRoute(), 9000)
    route = FakeRoute()
    clients.hear("me", route)
    assert clients.route("me") is route.ports[9000]


def test_a_subscription_ends_after_three_silent_heartbeats(clients: Clients, clock: FakeClock) -> None:
    route = subscribed(clients, "me")
    clock.advance(3 * HEARTBEAT_S)
    assert clients.give_up_silent() == 0
    assert clients.subscribers == (route,)
    clock.advance(0.1)
    assert clients.give_up_silent() == 1
    assert clients.subscribers == ()


def test_any_word_is_a_sign_of_life(clients: Clients, clock: FakeClock) -> None:
    route = subscribed(clients, "me")
    clock.advance(3 * HEARTBEAT_S)
    clients.hear("me", route)
    clock.advance(3 * HEARTBEAT_S)
    assert clients.give_up_silent() == 0


def test_who_was_given_up_is_told_once(clients: Clients, clock: FakeClock) -> None:
    subscribed(clients, "me")
    clock.advance(4 * HEARTBEAT_S)
    clients.give_up_silent()
    assert [clients.was_given_up("me"), clients.was_given_up("me")] == [True, False]


def test_a_closed_connection_ends_its_subscriptions_alone(clients: Clients) -> None:
    gone, other = FakeRoute(), FakeRoute()
    subscribed(clients, "gone", gone)
    subscribed(clients, "other", other)
    assert clients.give_up_route(gone) == 1
    assert clients.subscribers == (other,)


def test_unsubscribed_is_not_given_up(clients: Clients) -> None:
    subscribed(clients, "me")
    clients.unsubscribe("me")
    assert clients.subscribers == ()
    assert not clients.was_given_up("me")


def test_another_machine_may_command_after_its_hello_and_no_third_machine_in_its_name(
    clients: Clients,
) -> None:
    remote, third = FakeRoute(REMOTE), FakeRoute("192.0.2.8")
    assert not clients.may_command("me", remote)
    clients.greet("me", remote, None)
    assert clients.may_command("me", remote)
    assert not clients.may_command("me", third)
    assert clients.may_command("me", FakeRoute())


class TestWaysBack:
    def test_a_known_client_is_answered_at_the_port_that_it_named(self, clients: Clients) -> None:
        clients.greet("me", FakeRoute(), 9000)
        clients.greet("you", FakeRoute(), 9001)
        sent_from = FakeRoute()
        assert clients.ways_back("me", sent_from) == (sent_from.ports[9000],)

    def test_this_machine_has_several_addresses(self, clients: Clients) -> None:
        clients.greet("me", FakeRoute("127.0.0.1"), 9000)
        sent_from = FakeRoute("::1")
        assert clients.ways_back("me", sent_from) == (sent_from.ports[9000],)

    @pytest.mark.parametrize("port", [None, 0])
    def test_one_that_named_no_port_is_answered_where_it_sends_from(
        self, clients: Clients, port: int | None
    ) -> None:
        clients.greet("you", FakeRoute(), 9001)
        clients.greet("me", FakeRoute(), port)
        sent_from = FakeRoute()
        assert clients.ways_back("me", sent_from) == (sent_from,)

    def test_whoever_is_not_known_is_answered_there_and_at_the_port_of_who_was_heard_last(
        self, clients: Clients
    ) -> None:
        clients.greet("me", FakeRoute(), 9000)
        clients.greet("you", FakeRoute(), 9001)
        clients.hear("me", FakeRoute())
        sent_from = FakeRoute()
        assert clients.ways_back("", sent_from) == (sent_from, sent_from.ports[9000])

    def test_clients_on_other_machines_hear_nothing_of_it(self, clients: Clients) -> None:
        clients.greet("me", FakeRoute(REMOTE), 9000)
        sent_from = FakeRoute()
        assert clients.ways_back("me", sent_from) == (sent_from,)
        assert clients.ways_back("", sent_from) == (sent_from,)
