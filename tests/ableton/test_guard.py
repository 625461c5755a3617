"""Who may come in, and how often strangers are answered."""

from __future__ import annotations

import pytest

from ableton.guard import FORGIVEN_AFTER_S, MAX_HOSTS, MAX_WRONG, Allowance, TokenGuard
from ableton.routes import is_loopback
from tests.ableton.support import REMOTE, FakeClock

TOKEN = "correct horse battery"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def guard(clock: FakeClock) -> TokenGuard:
    return TokenGuard(TOKEN, clock)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_this_machine_needs_no_token(guard: TokenGuard, host: str) -> None:
    assert guard.why_not(host, "") == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "fe80::1%eth0", "example.org", ""])
def test_other_addresses_are_other_machines(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("token", "words"), [("", "no token"), (TOKEN[:-1], "wrong"), (TOKEN + "!", "wrong")]
)
def test_another_machine_needs_the_whole_token(guard: TokenGuard, token: str, words: str) -> None:
    assert words in guard.why_not(REMOTE, token)
    assert guard.why_not(REMOTE, TOKEN) == ""


def test_a_door_without_a_token_lets_no_other_machine_in() -> None:
    assert TokenGuard("").why_not(REMOTE, "")


def test_who_guesses_is_barred_for_a_minute(guard: TokenGuard, clock: FakeClock) -> None:
    for _ in range(MAX_WRONG):
        assert "wrong token" in guard.why_not(REMOTE, "guess")
    assert "in a minute" in guard.why_not(REMOTE, TOKEN)
    assert guard.why_not("192.0.2.8", TOKEN) == ""
    clock.advance(FORGIVEN_AFTER_S)
    assert guard.why_not(REMOTE, TOKEN) == ""


def test_the_right_token_forgives_earlier_wrong_ones(guard: TokenGuard) -> None:
    for _ in range(3):
        for _ in range(MAX_WRONG - 1):
            guard.why_not(REMOTE, "guess")
        assert guard.why_not(REMOTE, TOKEN) == ""


def test_many_machines_that_guess_take_no_more_memory(guard: TokenGuard) -> None:
    for number in range(2 * MAX_HOSTS):
        guard.why_not(f"198.51.{number // 256}.{number % 256}", "guess")
    assert len(guard._wrong) == MAX_HOSTS


def test_an_allowance_is_used_up_and_comes_back(clock: FakeClock) -> None:
    allowance = Allowance(10.0, clock)
    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]
    clock.advance(0.2)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    clock.advance(3600)
    assert sum(allowance.take() for _ in range(100)) == 10
