"""What may pass is tried again; a store that is locked for a while loses nothing."""

from __future__ import annotations

import threading

import pytest

from bridge import events
from bridge.errors import DiskFullError, EngineError, LimitError, StorageError
from bridge.jobs import Limits, Workers
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobState
from tests.jobs.runner.support import RETRY, Doing


def test_what_may_pass_is_tried_again(doing: Doing) -> None:
    """Put off with the reason, told, and well the second time."""
    ended = doing.run("break_engine_once", retry=RETRY)
    assert isinstance(ended.outcome.error, EngineError)
    assert (ended.job.state, ended.job.failures) == (JobState.PROCESSING, 1)
    reason = "The separator ended by itself. It is tried again in 0 s (attempt 2 of 3)."
    assert ended.job.error == reason
    assert doing.heard[-1] == events.JobPostponed(job_id=doing.job.id, reason=reason, delay_s=0.0)
    again = doing.run("break_engine_once", retry=RETRY)
    assert (again.job.state, again.job.error, again.job.failures) == (JobState.SUCCESS, "", 1)


@pytest.mark.parametrize("task", ["break_engine", "leave_at_once"])
def test_what_does_not_pass_fails_after_the_last_try(doing: Doing, task: str) -> None:
    """With what was wrong, and nothing about another try."""
    for failures in (1, 2):
        ended = doing.run(task, retry=RETRY)
        assert (ended.job.state, ended.job.failures) == (JobState.PROCESSING, failures)
    ended = doing.run(task, retry=RETRY)
    assert (ended.job.state, ended.job.attempt) == (JobState.FAILED, 3)
    assert "tried again" not in ended.job.error
    assert doing.kinds.count("job_postponed") == 2
    assert doing.kinds[-1] == "job_failed"


@pytest.mark.parametrize("task", ["refuse_input", "break_unexpectedly", "fail_in_retry"])
def test_what_will_not_pass_fails_at_once(doing: Doing, task: str) -> None:
    """A retry would only make the producer wait."""
    assert doing.run(task, retry=RETRY).job.state is JobState.FAILED


def test_a_full_disk_makes_the_job_wait(doing: Doing) -> None:
    """It is no failure; the job is due again after the pause, and says why it waits."""
    ended = doing.run("fill_disk_in_other_words", retry=RETRY)
    assert isinstance(ended.outcome.error, DiskFullError)
    assert (ended.job.state, ended.job.failures) == (JobState.PROCESSING, 0)
    assert "when there is room" in ended.job.error
    due_s = doing.store.next_due_s()
    assert due_s is not None
    assert 29 < due_s <= 30


def test_a_job_cancelled_while_it_broke_is_not_tried_again(doing: Doing) -> None:
    """The cancel came when the worker had ended already."""
    store = _CancelledMeanwhile()
    doing = Doing(store, doing.workers)
    ended = doing.run("break_engine", retry=RETRY)
    assert ended.job.state is JobState.CANCELLED
    assert doing.kinds[-1] == "job_cancelled"


class _CancelledMeanwhile(MemoryJobStore):
    def postpone(self, job: Job, reason: str, delay_s: float, *, counts: bool) -> Job:
        self.request_cancel(job.id)
        return super().postpone(job, reason, delay_s, counts=counts)


def test_a_job_that_passes_a_limit_may_be_tried_again(doing: Doing) -> None:
    """In a new process; without a policy it fails."""
    limits = Limits(stall_s=0.2)
    ended = doing.run("spin", limits=limits, retry=RETRY)
    assert isinstance(ended.outcome.error, LimitError)
    assert ended.job.failures == 1
    ended = doing.run("spin", limits=limits)
    assert ended.job.state is JobState.FAILED
    assert "made no progress" in ended.job.error


class _Locked(MemoryJobStore):
    """Refuses whatever is in ``refused``, by name, so often."""

    def __init__(self, **refused: int) -> None:
        super().__init__()
        self.refused = refused

    def _refuse(self, name: str) -> None:
        if self.refused.get(name, 0):
            self.refused[name] -= 1
            raise StorageError

    def succeed(self, job: Job, delivery: Delivery) -> Job:
        self._refuse("succeed")
        return super().succeed(job, delivery)

    def transition(self, job: Job, state: JobState) -> Job:
        self._refuse("transition")
        return super().transition(job, state)


@pytest.mark.parametrize("halts", [False, True], ids=["a command", "a service"])
def test_a_locked_store_loses_no_end(workers: Workers, halts: bool) -> None:
    """Stored at the second try, and told then."""
    doing = Doing(_Locked(succeed=1), workers)
    ended = doing.run("deliver", halt=threading.Event() if halts else None)
    assert ended.job.state is JobState.SUCCESS
    assert doing.kinds.count("job_done") == 1


def test_a_halt_ends_the_wait_for_a_locked_store(workers: Workers) -> None:
    """The job stays claimed by a process that ends: the next start finds its delivery. It is not failed."""
    doing = Doing(_Locked(succeed=1_000), workers)
    halt = threading.Event()
    steps = threading.Timer(0.7, halt.set)
    steps.start()
    with pytest.raises(StorageError):
        doing.run("deliver", halt=halt)
    assert doing.now().state is JobState.PROCESSING
    assert "job_failed" not in doing.kinds


@pytest.mark.parametrize("refusals", [1, 2])
def test_a_locked_store_loses_no_job_in_a_qa_retry(workers: Workers, refusals: int) -> None:
    """The state is only what people see: the work goes on, whichever of the moves was not stored."""
    doing = Doing(_Locked(transition=refusals), workers)
    ended = doing.run("retry_qa")
    assert ended.job.state is JobState.SUCCESS
    assert doing.kinds[1:3] == ["qa_retry_started", "qa_retry_ended"]


class _LockedOnce(MemoryJobStore):
    """Cannot store a failure at the first try."""

    tries = 0

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        self.tries += 1
        if self.tries == 1:
            raise StorageError
        return super().fail(job, error, delivery)


def test_a_locked_store_leaves_no_job_held_by_a_fault_of_ours(workers: Workers) -> None:
    """Held by a process that lives, it could neither go on nor be cancelled."""

    def break_down() -> None:
        raise RuntimeError("no more room on screen")

    doing = Doing(_LockedOnce(), workers)
    with pytest.raises(RuntimeError):
        doing.run("report_forever", then=break_down)
    assert doing.now().state is JobState.FAILED
