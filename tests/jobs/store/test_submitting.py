"""Jobs that are submitted are there, once, and are found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import InputError, JobError
from bridge.jobs import OPEN, JobStore, StageRecord
from bridge.values import JobState
from tests.jobs.store.support import DELIVERY, claimed, command
from tests.jobs.support import HERE, OTHER_PRINT, PRINT, Clock, request


def test_a_submitted_job_is_there_as_it_was_asked_for(store: JobStore, clock: Clock) -> None:
    """PENDING, never claimed, with its request whole."""
    asked = request().evolve(targets=("club", "apple"), wishes=("punchy drums",), keep_separated=True)
    job = store.submit(asked, PRINT, linked_to="0" * 16)
    assert store.get(job.id) == job
    assert job.request == asked
    assert (job.state, job.attempt, job.linked_to) == (JobState.PENDING, 0, "0" * 16)
    assert job.created_s == job.updated_s == clock.now_s


def test_ids_rise_though_the_clock_goes_back(store: JobStore, clock: Clock) -> None:
    """The newest job sorts last after a corrected clock too."""
    ids = []
    for step in (0.0, 0.0, -3600.0, 5.0):
        clock.now_s += step
        ids.append(store.submit(request(), PRINT).id)
    assert ids == sorted(set(ids))


def test_an_unknown_id_is_an_error(store: JobStore) -> None:
    """Not silence: whoever asks has a wrong number."""
    asks: list[Callable[[], object]] = [
        lambda: store.get("f" * 16),
        lambda: store.claim(HERE, "f" * 16),
        lambda: store.request_cancel("f" * 16),
        lambda: store.stages("f" * 16),
        lambda: store.claim_of("f" * 16),
    ]
    for ask in asks:
        with pytest.raises(JobError, match=r"no job 'f{16}'"):
            ask()


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_a_name_that_is_no_text_is_refused(store: JobStore) -> None:
    """It could not be written down; the message says what to do."""
    broken = request().evolve(source=Path(os.fsdecode(b"/songs/\xff.mp3")))
    with pytest.raises(InputError, match="Rename it"):
        store.submit(broken, PRINT)


def test_the_same_work_is_submitted_once(store: JobStore) -> None:
    """While it is unfinished; another recipe's fingerprint is other work."""
    first = store.submit_once(request(), PRINT)
    again = store.submit_once(request(), PRINT)
    other = store.submit_once(request(recipe="quick"), OTHER_PRINT)
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert again.job == first.job
    assert store.count() == 2


def test_a_job_counts_as_what_it_was_worked_from(store: JobStore) -> None:
    """A file that was replaced while its job waited is found by the new bytes alone."""
    job = claimed(store)
    store.note_source(job, OTHER_PRINT)
    done = store.succeed(job, DELIVERY)
    assert store.find(PRINT, {JobState.SUCCESS}) is None
    assert store.find(OTHER_PRINT, {JobState.SUCCESS}) == done
    with pytest.raises(JobError):
        store.note_source(job, PRINT)


def test_finished_work_counts_only_where_it_is_asked_for(store: JobStore) -> None:
    """A folder counts SUCCESS, a person who asks again does not."""
    done = store.succeed(claimed(store), DELIVERY)
    folder = frozenset({*OPEN, JobState.SUCCESS})
    assert store.submit_once(request(), PRINT, counting=folder).job == done
    assert store.submit_once(request(), PRINT).is_new


@pytest.mark.parametrize("end", ["fail", "confirm_cancel"])
def test_failed_and_cancelled_work_does_not_count(store: JobStore, end: str) -> None:
    """It is what one asks for again."""
    job = claimed(store)
    store.fail(job, "broken") if end == "fail" else store.confirm_cancel(job)
    assert store.submit_once(request(), PRINT, counting=frozenset({*OPEN, JobState.SUCCESS})).is_new


def test_work_that_ended_well_before_its_cancel_reached_it_counts(store: JobStore) -> None:
    """Else the same song would be done and delivered once more."""
    job = claimed(store)
    store.request_cancel(job.id)
    store.succeed(job, DELIVERY)
    assert store.submit_once(request(), PRINT, counting=OPEN | {JobState.SUCCESS}).job.id == job.id


def test_work_that_is_being_cancelled_does_not_count(store: JobStore) -> None:
    """Else whoever asks again right after a cancel would be handed the job that is about to end."""
    job = claimed(store)
    assert store.find_open(PRINT) == store.get(job.id)
    store.request_cancel(job.id)
    assert store.find_open(PRINT) is None
    assert store.submit_once(request(), PRINT).is_new


def test_find_open_is_the_newest_unfinished(store: JobStore) -> None:
    """Through every open state, and no longer after the end."""
    store.submit(request(), PRINT)
    job = claimed(store)
    assert store.find_open(PRINT) == job
    store.transition(job, JobState.RETRYING_QA)
    assert store.find_open(PRINT) == store.get(job.id)
    store.fail(job, "broken")
    found = store.find_open(PRINT)
    assert found is not None
    assert found.id < job.id


def test_jobs_are_listed_newest_first_by_pages(store: JobStore) -> None:
    """Pages do not overlap, also when jobs arrive between them."""
    ids = [store.submit(request(), PRINT).id for _ in range(5)]
    first = store.list(limit=2)
    store.submit(request(), PRINT)
    second = store.list(limit=2, before=first[-1].id)
    assert [job.id for job in (*first, *second)] == ids[:0:-1]
    assert store.list(limit=0) == ()


def test_the_ids_of_unfinished_jobs_are_at_hand(store: JobStore) -> None:
    done, at_work = claimed(store), claimed(store)
    waits = store.submit(request(), PRINT)
    store.succeed(done, DELIVERY)
    assert store.open_ids() == {at_work.id, waits.id}


def test_jobs_are_listed_and_counted_by_state(store: JobStore) -> None:
    """No states named means all."""
    waiting = store.submit(request(), PRINT)
    done = store.succeed(claimed(store), DELIVERY)
    assert store.list(states={JobState.SUCCESS}) == (done,)
    assert store.list(states=OPEN) == (waiting,)
    assert (store.count(), store.count(OPEN), store.count({JobState.FAILED})) == (2, 1, 0)


def test_old_jobs_are_forgotten(store: JobStore, clock: Clock) -> None:
    """Those that ended longer ago, with stages and commands; what is unfinished stays however old."""
    failed = claimed(store)
    store.record_stage(failed, StageRecord(stage="mix", key="k"))
    store.fail(failed, "broken")
    cancelled = store.request_cancel(store.submit(request(), PRINT, command=command()).id)
    waiting = store.submit(request(), PRINT)
    clock.now_s += 100
    recent = store.request_cancel(store.submit(request(), PRINT).id)
    assert store.forget(older_than_s=100) == 0
    clock.now_s += 1
    assert store.forget(older_than_s=100) == 2
    assert {job.id for job in store.list()} == {waiting.id, recent.id}
    for job in (failed, cancelled):
        with pytest.raises(JobError):
            store.stages(job.id)
    assert store.submit(request(), PRINT, command=command()).id not in (cancelled.id, failed.id)


def test_the_newest_success_is_never_forgotten(store: JobStore, clock: Clock) -> None:
    """By it a song is known to be done; older ones and later failures of that song go."""
    done = [store.succeed(claimed(store), DELIVERY) for _ in range(2)]
    store.fail(claimed(store), "broken")
    other = store.submit(request(), OTHER_PRINT)
    held = store.claim(HERE, other.id)
    assert held is not None
    store.succeed(held, DELIVERY)
    clock.now_s += 1e6
    assert store.forget(older_than_s=1) == 2
    assert {job.id for job in store.list()} == {done[1].id, other.id}
    assert store.find(PRINT, {JobState.SUCCESS}) == done[1]
