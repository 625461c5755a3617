"""Short runs of what ``python -m tests.faults.osc`` does at length."""

from __future__ import annotations

import pytest

from tests.faults.osc_fuzz import fuzz_by_socket, fuzz_in_process
from tests.faults.osc_latency import measure
from tests.faults.osc_proxy import LossyProxy, Weather
from tests.faults.osc_trials import run_trials


def test_every_command_takes_effect_once_in_a_bad_network_and_over_a_restart() -> None:
    counts = run_trials(120, seed=3, tell=lambda _: None, restarts=1)
    assert counts.faults() == []
    assert counts.commands == 120
    assert counts.restarts == 1
    assert counts.repeats > 20, "the network was not bad enough to show anything"
    assert counts.events > 0
    assert counts.jobs > 30


@pytest.mark.parametrize("seed", [1, 2])
def test_nonsense_is_never_fatal(seed: int) -> None:
    found = fuzz_in_process(9_000, seed)
    assert found.faults == []
    assert found.sent == 9_000
    assert {"ack", "refused bad_message", "refused bad_arguments", "refused path"} <= set(found.answered)


def test_a_live_door_answers_under_nonsense_and_does_not_grow() -> None:
    found = fuzz_by_socket(4_000, seed=3)
    assert found.faults == []
    assert found.alive > 50
    assert found.dropped == 0


@pytest.mark.slow
def test_acks_and_acceptances_come_in_time_while_every_core_is_busy() -> None:
    found = measure(300)
    assert found.ack_p99_s < 0.020, str(found)
    assert found.accepted_p99_s < 0.150, str(found)


def test_the_bad_network_is_as_bad_as_promised_and_the_same_for_the_same_seed() -> None:
    def weathered(seed: int) -> tuple[int, int, int]:
        with LossyProxy(9, Weather(), seed) as proxy:
            for _ in range(2000):
                proxy.meddle(b"x", proxy.front, ("127.0.0.1", 9))
        return proxy.lost, proxy.doubled, proxy.delayed

    lost, doubled, delayed = weathered(1)
    assert (lost, doubled, delayed) == weathered(1) != weathered(2)
    assert lost / 2000 == pytest.approx(0.3, abs=0.03)
    assert doubled / (2000 - lost) == pytest.approx(0.1, abs=0.03)
