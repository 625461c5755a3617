"""How jobs end, and what is kept of them."""

from __future__ import annotations

import os

import pytest

from bridge.errors import JobError
from bridge.jobs import TERMINAL, JobStore, StageRecord
from bridge.values import JobState
from tests.jobs.store.support import DELIVERY, claimed
from tests.jobs.support import HERE


def test_a_job_ends_with_its_delivery(store: JobStore) -> None:
    """SUCCESS, all of it done, and nobody holds it."""
    done = store.succeed(claimed(store), DELIVERY)
    assert store.get(done.id) == done
    assert (done.state, done.progress, done.delivery, done.error) == (JobState.SUCCESS, 1.0, DELIVERY, "")
    assert store.claim_of(done.id) is None


def test_a_failed_job_says_why_and_what_was_delivered(store: JobStore) -> None:
    """A master that failed QA does not take the stems with it."""
    failed = store.fail(claimed(store), "The master is too loud.", DELIVERY)
    assert (failed.state, failed.error, failed.delivery) == (
        JobState.FAILED,
        "The master is too loud.",
        DELIVERY,
    )


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_a_qa_retry_can_end_in_every_way(store: JobStore, end: JobState) -> None:
    """The crash of a worker, or a cancel, comes when it comes."""
    job = claimed(store)
    assert store.transition(job, JobState.RETRYING_QA).state is JobState.RETRYING_QA
    ends = {
        JobState.SUCCESS: lambda: store.succeed(job, DELIVERY),
        JobState.FAILED: lambda: store.fail(job, "broken"),
        JobState.CANCELLED: lambda: store.confirm_cancel(job),
    }
    assert ends[end]().state is end


def test_steps_that_the_table_does_not_have_are_refused(store: JobStore) -> None:
    """And change nothing."""
    job = claimed(store)
    for state in (JobState.PENDING, JobState.PROCESSING, JobState.SUCCESS):
        with pytest.raises(JobError):
            store.transition(job, state)
    assert store.get(job.id) == job


def test_finished_stages_are_kept_in_order(store: JobStore) -> None:
    """With seconds and whether they were reused; the same result in one attempt counts once."""
    job = claimed(store)
    records = [
        StageRecord(stage="analyse", key="a", seconds=1.5),
        StageRecord(stage="mix", key="b", was_reused=True),
        StageRecord(stage="mix", key="c", seconds=0.25),
    ]
    for record in (*records, records[0]):
        store.record_stage(job, record)
    assert store.stages(job.id) == tuple(record.evolve(attempt=1) for record in records)


def test_stages_of_each_attempt_are_kept(store: JobStore) -> None:
    """The second attempt finds the first one's result: both are told."""
    job = claimed(store)
    store.record_stage(job, StageRecord(stage="mix", key="b", seconds=2))
    store.release(job)
    again = store.claim(HERE, job.id)
    assert again is not None
    store.record_stage(again, StageRecord(stage="mix", key="b", was_reused=True))
    assert [(r.attempt, r.was_reused) for r in store.stages(job.id)] == [(1, False), (2, True)]


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_words_that_are_no_text_are_kept_as_far_as_they_go(store: JobStore) -> None:
    """An error may name a file inside a folder of stems; the job must end all the same."""
    words = f"{os.fsdecode(bytes([0xFF]))}.wav is empty"
    assert store.fail(claimed(store), words).error == "?.wav is empty"
    put_off = store.postpone(claimed(store), words, 1, counts=True)
    assert put_off.error == "?.wav is empty"
