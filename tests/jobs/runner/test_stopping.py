"""Cancels, interrupts, halts and lost claims end the work, and leave the job as it should be."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from bridge import events
from bridge.errors import JobHalted, JobLostError
from bridge.jobs import Workers, interrupt_cancels, run_job
from bridge.jobs.processes import start_of
from bridge.values import Job, JobState
from tests.jobs.runner.support import RETRY, Doing, Watched
from tests.jobs.support import THERE, wait_until


@pytest.mark.parametrize("task", ["report_forever", "spin"])
def test_a_cancel_from_elsewhere_ends_the_job_within_a_second(doing: Doing, task: str) -> None:
    """Through the store, as another process would ask; the worker may listen or not."""
    asked_s: list[float] = []

    def ask() -> None:
        doing.store.request_cancel(doing.job.id)
        asked_s.append(time.monotonic())

    ended = doing.run(task, then=ask)
    assert time.monotonic() - asked_s[0] < 1.0
    assert ended.job.state is JobState.CANCELLED
    assert doing.kinds[-1] == "job_cancelled"


def test_a_cancel_from_here_ends_the_job(doing: Doing) -> None:
    """By the event that the caller holds."""
    cancel = threading.Event()
    assert doing.run("report_forever", then=cancel.set, cancel=cancel).job.state is JobState.CANCELLED


def test_the_first_interrupt_cancels(doing: Doing) -> None:
    """Ctrl-C lets the task tidy up; the handler from before is back afterwards."""
    before = signal.getsignal(signal.SIGINT)
    cancel = threading.Event()
    with interrupt_cancels(cancel):
        ended = doing.run("report_forever", then=lambda: signal.raise_signal(signal.SIGINT), cancel=cancel)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert ended.job.state is JobState.CANCELLED
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler, also where these tests run in the background of a script, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_a_bare_interrupt_leaves_no_job_at_work(doing: Doing) -> None:
    """Where no handler was set: the worker ends, the job is CANCELLED, the interrupt goes on."""
    with pytest.raises(KeyboardInterrupt):
        doing.run("spin", then=lambda: signal.raise_signal(signal.SIGINT))
    assert doing.now().state is JobState.CANCELLED
    pid = next(int(event.text) for event in doing.heard if isinstance(event, events.JobNote))
    wait_until(lambda: start_of(pid) is None)


def test_an_interrupt_after_the_end_changes_no_job(doing: Doing) -> None:
    """It came while the end was being told: the end stays, the interrupt goes on."""
    doing.heard = Watched(lambda: _interrupt_at_end(doing))
    with pytest.raises(KeyboardInterrupt):
        doing.run("deliver")
    assert doing.now().state is JobState.SUCCESS


def _interrupt_at_end(doing: Doing) -> None:
    if isinstance(doing.heard[-1], events.JobDone):
        raise KeyboardInterrupt


def test_a_lost_claim_stops_the_work_and_writes_nothing(
    doing: Doing, caplog: pytest.LogCaptureFixture
) -> None:
    """Another worker has the job: this one's is killed, and the other's state stays."""
    taken: list[Job] = []

    def take_over() -> None:
        doing.store.release(doing.now())
        job = doing.store.claim(THERE, doing.job.id)
        assert job is not None
        taken.append(job)

    with pytest.raises(JobLostError):
        doing.run("spin", then=take_over)
    assert doing.now() == taken[0]
    assert "job_failed" not in [getattr(record, "action", "") for record in caplog.records]
    pid = next(int(event.text) for event in doing.heard if isinstance(event, events.JobNote))
    wait_until(lambda: start_of(pid) is None)


def test_a_halted_job_is_put_back(doing: Doing) -> None:
    """At once, without a failure counted; the next run goes on with it."""
    halt = threading.Event()
    halted_s: list[float] = []

    def stop() -> None:
        halted_s.append(time.monotonic())
        halt.set()

    ended = doing.run("spin", then=stop, halt=halt, retry=RETRY)
    assert time.monotonic() - halted_s[0] < 1.0
    assert isinstance(ended.outcome.error, JobHalted)
    now = doing.now()
    assert ended.job == now
    assert (now.state, now.failures, now.not_before_s, now.error) == (JobState.PROCESSING, 0, 0, "")
    assert doing.store.claim_of(doing.job.id) is None
    assert doing.heard[-1] == events.JobPostponed(job_id=doing.job.id, reason=JobHalted().message)
    assert doing.run("deliver").job.attempt == 2


def test_nothing_is_begun_after_a_halt(doing: Doing, workers: Workers) -> None:
    """The job keeps its place."""
    halt = threading.Event()
    halt.set()
    assert run_job(doing.store, settings=None, workers=workers, halt=halt) is None
    assert doing.now() == doing.job


def test_a_job_that_is_cancelled_while_it_is_halted_is_cancelled(doing: Doing) -> None:
    """The wish was there first; it would else be begun again."""
    halt = threading.Event()

    def stop() -> None:
        halt.set()
        doing.store.request_cancel(doing.job.id, "the song changed")

    ended = doing.run("spin", then=stop, halt=halt)
    assert (ended.job.state, ended.job.error) == (JobState.CANCELLED, "the song changed")
    assert doing.heard[-1] == events.JobCancelled(job_id=doing.job.id, reason="the song changed")
