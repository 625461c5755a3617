"""Who goes first, and who waits for its time."""

from __future__ import annotations

import pytest

from bridge.jobs import JobStore
from bridge.jobs.store import LONGEST_DELAY_S
from bridge.values import JobState
from tests.jobs.store.support import claimed
from tests.jobs.support import HERE, OTHER_PRINT, PRINT, THERE, Clock, request


def test_higher_priority_goes_first(store: JobStore) -> None:
    """Of equals the oldest, as before."""
    priorities = [0, 5, -5, 5]
    ids = [store.submit(request().evolve(priority=p), PRINT).id for p in priorities]
    claimed_ids = [job.id for _ in ids if (job := store.claim(HERE))]
    assert claimed_ids == [ids[1], ids[3], ids[0], ids[2]]


def test_a_waiting_job_becomes_as_urgent_as_the_one_who_asks_again(store: JobStore) -> None:
    """A song of 500 in a folder, for which somebody now waits in Live, goes first; its name stays."""
    store.submit_once(request(), PRINT)
    late = store.submit_once(request(), OTHER_PRINT).job
    again = store.submit_once(request().evolve(priority=10), OTHER_PRINT)
    assert (again.job.id, again.is_new, again.job.request.priority) == (late.id, False, 10)
    calm = store.submit_once(request(), OTHER_PRINT)
    assert calm.job.request.priority == 10
    first = store.claim(HERE)
    assert first is not None
    assert first.id == late.id


def test_a_job_that_was_put_off_waits_for_its_time(store: JobStore, clock: Clock) -> None:
    """It says why; the next claim takes the reason away."""
    job = claimed(store)
    put_off = store.postpone(job, "The disk is full.", 30, counts=False)
    assert (put_off.state, put_off.error, put_off.failures) == (JobState.PROCESSING, "The disk is full.", 0)
    assert put_off.not_before_s == clock.now_s + 30
    assert store.claim_of(job.id) is None
    clock.now_s += 29
    assert store.claim(HERE) is None
    clock.now_s += 1
    again = store.claim(HERE)
    assert again is not None
    assert (again.id, again.attempt, again.error, again.not_before_s) == (job.id, 2, "", 0)


def test_others_go_first_while_a_job_is_put_off(store: JobStore) -> None:
    """Whatever its priority."""
    important = store.submit(request().evolve(priority=9), PRINT)
    job = store.claim(HERE)
    assert job is not None
    other = store.submit(request(), OTHER_PRINT)
    store.postpone(job, "later", 60, counts=True)
    first = store.claim(HERE)
    assert first is not None
    assert (job.id, first.id) == (important.id, other.id)


def test_failures_are_counted_where_they_count(store: JobStore) -> None:
    """Attempts rise each time, failures not."""
    job_id = claimed(store).id
    store.postpone(store.get(job_id), "crashed", 0, counts=True)
    for counts in (False, True):
        job = store.claim(HERE, job_id)
        assert job is not None
        store.postpone(job, "again", 0, counts=counts)
    now = store.get(job_id)
    assert (now.attempt, now.failures) == (3, 2)


def test_a_named_job_is_taken_before_its_time(store: JobStore) -> None:
    """Somebody wants that very job now."""
    job = claimed(store)
    store.postpone(job, "later", 60, counts=False)
    again = store.claim(THERE, job.id)
    assert again is not None
    assert again.attempt == 2


@pytest.mark.parametrize("back_s", [1.0, 3600.0, 1e9])
def test_a_clock_that_went_back_holds_no_job_up(store: JobStore, clock: Clock, back_s: float) -> None:
    """It stands before the moment of the delay: how much is left of that nobody knows, so it is over."""
    store.postpone(claimed(store), "later", 30, counts=False)
    clock.now_s -= back_s
    assert store.next_due_s() == 0
    assert store.claim(HERE) is not None


def test_no_delay_is_longer_than_a_day(store: JobStore) -> None:
    """Nor less than nothing."""
    store.postpone(claimed(store), "later", 1e9, counts=False)
    assert store.next_due_s() == LONGEST_DELAY_S
    store.postpone(claimed(store), "later", -5, counts=False)
    assert store.next_due_s() == 0


def test_when_the_next_job_is_due(store: JobStore, clock: Clock) -> None:
    """None where none waits, 0 where one may be taken, else the shortest time."""
    assert store.next_due_s() is None
    for delay_s in (30, 20):
        store.postpone(claimed(store), "later", delay_s, counts=False)
    assert store.next_due_s() == 20
    clock.now_s += 15
    assert store.next_due_s() == 5
    job = claimed(store)
    assert store.next_due_s() == 5
    store.release(job)
    assert store.next_due_s() == 0


def test_a_job_put_off_in_a_qa_retry_begins_anew(store: JobStore) -> None:
    """The next attempt starts from PROCESSING."""
    job = claimed(store)
    store.transition(job, JobState.RETRYING_QA)
    assert store.postpone(job, "later", 0, counts=True).state is JobState.PROCESSING
