"""A cancel reaches the job wherever it is, and says why."""

from __future__ import annotations

from bridge.jobs import JobStore
from bridge.values import JobState
from tests.jobs.store.support import DELIVERY, Processes, claimed
from tests.jobs.support import HERE, PRINT, THERE, request


def test_a_waiting_job_is_cancelled_at_once(store: JobStore) -> None:
    """And never claimed; cancelling again changes nothing."""
    job = store.request_cancel(store.submit(request(), PRINT).id)
    assert job.state is JobState.CANCELLED
    assert store.claim(HERE) is None
    assert store.request_cancel(job.id) == job


def test_a_released_job_is_cancelled_at_once(store: JobStore) -> None:
    """Nobody works on it who could be asked."""
    job = claimed(store)
    store.release(job)
    assert store.request_cancel(job.id).state is JobState.CANCELLED


def test_a_worker_is_asked_to_stop(store: JobStore) -> None:
    """The job ends when it has."""
    job = claimed(store)
    assert not store.is_cancel_requested(job)
    assert store.request_cancel(job.id).state is JobState.PROCESSING
    assert store.is_cancel_requested(job)
    assert store.confirm_cancel(job).state is JobState.CANCELLED


def test_work_that_was_done_before_the_cancel_arrived_counts(store: JobStore) -> None:
    """The delivery is there: to call it cancelled would be a lie."""
    job = claimed(store)
    store.request_cancel(job.id)
    assert store.succeed(job, DELIVERY).state is JobState.SUCCESS


def test_a_cancel_outlives_the_worker_that_was_asked(store: JobStore, processes: Processes) -> None:
    """It crashed first: the job ends as CANCELLED and is not begun again."""
    job = claimed(store)
    store.request_cancel(job.id)
    processes.running, processes.gone = set(), {HERE.process}
    assert [freed.state for freed in store.release_orphans()] == [JobState.CANCELLED]
    assert store.claim(THERE) is None


def test_a_cancel_wins_over_a_delay(store: JobStore) -> None:
    """Asked for while the job was at work, it ends it when it would be put off."""
    job = claimed(store)
    store.request_cancel(job.id, "the song changed")
    ended = store.postpone(job, "The disk is full.", 30, counts=True)
    assert (ended.state, ended.error, ended.failures) == (JobState.CANCELLED, "the song changed", 0)


def test_a_job_that_was_put_off_is_cancelled_at_once(store: JobStore) -> None:
    """And the reason for the delay is none for the end."""
    job = claimed(store)
    store.postpone(job, "The disk is full.", 30, counts=True)
    ended = store.request_cancel(job.id)
    assert (ended.state, ended.error) == (JobState.CANCELLED, "")
    assert store.next_due_s() is None


def test_a_cancelled_job_says_why(store: JobStore) -> None:
    """Whoever gave the reason first or last; none takes none away."""
    waiting = store.submit(request(), PRINT)
    assert store.request_cancel(waiting.id, "superseded").error == "superseded"
    job = claimed(store)
    store.request_cancel(job.id, "the song changed")
    store.request_cancel(job.id)
    assert store.confirm_cancel(job).error == "the song changed"
    assert store.confirm_cancel(claimed(store), "by the producer").error == "by the producer"


def test_success_after_a_cancel_has_no_error(store: JobStore) -> None:
    """The reason of a cancel that came too late is not one."""
    job = claimed(store)
    store.request_cancel(job.id, "the song changed")
    assert store.succeed(job, DELIVERY).error == ""
