"""Whether a job is tried again: the table, and what a decision says."""

from __future__ import annotations

import inspect

import pytest

import bridge.errors
from bridge.errors import (
    AudioError,
    ConfigError,
    DeliveryError,
    DiskFullError,
    EngineError,
    InputError,
    JobCancelled,
    LimitError,
    QaError,
    SourceChangedError,
    StageError,
    StembridgeError,
    StorageError,
    WorkerDiedError,
)
from bridge.jobs import RetryDecision, decide
from bridge.jobs.retrying import Chance, chance_of
from bridge.values import Job
from tests.jobs.support import request

DELAYS_S = (5.0, 30.0, 120.0)


def decided(error: StembridgeError, failures: int = 0) -> RetryDecision | None:
    job = Job(id="1", request=request(), attempt=9, created_s=0, updated_s=0, failures=failures)
    return decide(job, error, retry_after_s=DELAYS_S, pause_s=30.0)


@pytest.mark.parametrize(
    "kind",
    [WorkerDiedError, LimitError, DeliveryError, EngineError, StorageError, SourceChangedError],
)
def test_what_may_pass_is_tried_again_a_number_of_times(kind: type[StembridgeError]) -> None:
    """After longer and longer times, and then no more."""
    decisions = [decided(kind("It broke."), failures) for failures in range(4)]
    assert [(d.delay_s, d.counts) if d else None for d in decisions] == [
        (5.0, True),
        (30.0, True),
        (120.0, True),
        None,
    ]


@pytest.mark.parametrize("kind", [InputError, ConfigError, QaError, AudioError, JobCancelled, StageError])
def test_what_will_not_pass_is_not_tried_again(kind: type[StembridgeError]) -> None:
    """The same work on the same file fails in the same way."""
    assert decided(kind("It broke.")) is None


@pytest.mark.parametrize("failures", [0, 3, 100])
def test_a_full_disk_makes_a_job_wait_as_long_as_it_takes(failures: int) -> None:
    """It is no failure of the job, however often it is met."""
    decision = decided(DiskFullError("The disk is full."), failures)
    assert decision is not None
    assert (decision.delay_s, decision.counts) == (30.0, False)
    assert decision.reason == "The disk is full. The job waits, and goes on by itself when there is room."


def test_a_decision_says_when_and_how_often() -> None:
    """It is read in `status` while the job waits."""
    decision = decided(DeliveryError("The project folder is away."), failures=1)
    assert decision is not None
    assert decision.reason == "The project folder is away. It is tried again in 30 s (attempt 3 of 4)."


def test_without_delays_nothing_is_tried_again() -> None:
    """Which settings may ask for."""
    job = Job(id="1", request=request(), created_s=0, updated_s=0)
    assert decide(job, EngineError(), retry_after_s=(), pause_s=1) is None
    assert decide(job, DiskFullError(), retry_after_s=(), pause_s=1) is not None


def test_every_error_has_a_chance() -> None:
    """That of the nearest class in the table; a stranger's error has that of the class it derives from."""
    errors = [e for _, e in inspect.getmembers(bridge.errors, inspect.isclass) if issubclass(e, Exception)]
    assert {chance_of(error()) for error in errors} == set(Chance)

    class StrangersError(EngineError):
        """An engine of somebody else."""

    assert chance_of(StrangersError()) is Chance.BOUNDED
