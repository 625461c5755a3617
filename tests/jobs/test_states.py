"""The state table, over every pair."""

from __future__ import annotations

import itertools

import pytest

from bridge.errors import JobError
from bridge.jobs.states import MOVES, OPEN, TERMINAL, can_move, expect_move, steps_to_end
from bridge.values import JobState

P, W, R, S, F, C = (
    JobState.PENDING,
    JobState.PROCESSING,
    JobState.RETRYING_QA,
    JobState.SUCCESS,
    JobState.FAILED,
    JobState.CANCELLED,
)
ALLOWED = {(P, W), (P, C), (W, R), (R, W), (W, S), (W, F), (W, C)}
PAIRS = list(itertools.product(JobState, repeat=2))


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{a}-{b}" for a, b in PAIRS])
def test_only_the_moves_of_the_design_are_possible(old: JobState, new: JobState) -> None:
    """Each of the 36 pairs is either in the design's list or refused with a sentence."""
    assert can_move(old, new) == ((old, new) in ALLOWED)
    if (old, new) in ALLOWED:
        expect_move("1", old, new)
    else:
        with pytest.raises(JobError, match=f"Job 1 is {old} and cannot become {new}"):
            expect_move("1", old, new)


def test_every_state_is_open_or_terminal() -> None:
    """The two sets cover the states, do not overlap, and agree with the value's own word."""
    assert set(JobState) == OPEN | TERMINAL
    assert not OPEN & TERMINAL
    assert {state for state in JobState if state.is_terminal} == TERMINAL


def test_terminal_states_never_move() -> None:
    """Nothing follows an end."""
    assert all(not MOVES[state] for state in TERMINAL)


@pytest.mark.parametrize("end", sorted(TERMINAL))
@pytest.mark.parametrize("old", [W, R])
def test_a_job_at_work_reaches_every_end_by_allowed_steps(old: JobState, end: JobState) -> None:
    """Also from a QA retry, which goes back to work first."""
    states = [old, *steps_to_end(old, end)]
    assert states[-1] is end
    assert all(can_move(a, b) for a, b in itertools.pairwise(states))
