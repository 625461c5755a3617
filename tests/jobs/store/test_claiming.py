"""One worker has a job; one that lost it can write nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.errors import JobError, JobLostError
from bridge.jobs import JobStore, ProcessMark, StageRecord
from bridge.jobs.store import ORPHAN_LIMIT
from bridge.values import Job, JobState
from tests.jobs.store.support import DELIVERY, Processes, claimed
from tests.jobs.support import HERE, PRINT, THERE, Clock, request


def test_the_oldest_waiting_job_is_claimed_first(store: JobStore) -> None:
    """Each once; then there is nothing to take."""
    ids = [store.submit(request(), PRINT).id for _ in range(3)]
    jobs = [store.claim(HERE) for _ in range(4)]
    assert [job.id if job else None for job in jobs] == [*ids, None]
    assert all(job.state is JobState.PROCESSING and job.attempt == 1 for job in jobs if job)


def test_a_named_job_is_claimed_once(store: JobStore) -> None:
    """The second asker gets nothing, and can see who has it."""
    job = claimed(store)
    assert store.claim(THERE, job.id) is None
    claim = store.claim_of(job.id)
    assert claim is not None
    assert (claim.worker, claim.attempt) == (HERE, 1)


def test_a_heartbeat_tells_where_the_job_stands(store: JobStore, clock: Clock) -> None:
    """What is not named stays."""
    job = claimed(store)
    clock.now_s += 7
    store.heartbeat(job, stage="separate", share=0.4)
    store.heartbeat(job)
    now, claim = store.get(job.id), store.claim_of(job.id)
    assert (now.stage, now.progress, now.updated_s) == ("separate", 0.4, clock.now_s)
    assert claim is not None
    assert claim.heartbeat_s == clock.now_s


def worker_writes(store: JobStore, job: Job) -> list[Callable[[], object]]:
    return [
        lambda: store.heartbeat(job, stage="mix"),
        lambda: store.is_cancel_requested(job),
        lambda: store.transition(job, JobState.RETRYING_QA),
        lambda: store.record_stage(job, StageRecord(stage="mix", key="k")),
        lambda: store.release(job),
        lambda: store.postpone(job, "later", 1, counts=True),
        lambda: store.succeed(job, DELIVERY),
        lambda: store.fail(job, "broken"),
        lambda: store.confirm_cancel(job),
    ]


def test_terminal_jobs_never_move(store: JobStore) -> None:
    """Nothing that a worker or anybody else does changes one."""
    job = claimed(store)
    done = store.succeed(job, DELIVERY)
    for write in worker_writes(store, job):
        with pytest.raises(JobError, match="has ended as SUCCESS"):
            write()
    with pytest.raises(JobError, match="SUCCESS and cannot become CANCELLED"):
        store.request_cancel(job.id)
    assert store.claim(HERE, job.id) is None
    assert store.get(job.id) == done


def test_a_worker_that_lost_its_claim_can_write_nothing(store: JobStore) -> None:
    """Its attempt number is old: the fence."""
    old = claimed(store)
    store.release(old)
    new = store.claim(THERE, old.id)
    assert new is not None
    assert new.attempt == old.attempt + 1
    before = store.get(old.id)
    for write in worker_writes(store, old):
        with pytest.raises(JobLostError, match="no longer held by attempt 1"):
            write()
    assert store.get(old.id) == before
    assert store.stages(old.id) == ()


def test_a_released_claim_is_lost_before_anybody_takes_it(store: JobStore) -> None:
    """Between two attempts nobody may write."""
    job = claimed(store)
    store.release(job)
    for write in worker_writes(store, job):
        with pytest.raises(JobLostError):
            write()


def test_a_job_whose_process_is_gone_is_claimed_again(store: JobStore, processes: Processes) -> None:
    """At once, from any state of work, and its finished stages are still known."""
    job = claimed(store)
    store.record_stage(job, StageRecord(stage="separate", key="k"))
    store.transition(job, JobState.RETRYING_QA)
    assert store.release_orphans() == ()
    processes.running, processes.gone = set(), {HERE.process}
    assert [freed.id for freed in store.release_orphans()] == [job.id]
    again = store.claim(THERE)
    assert again is not None
    assert (again.id, again.attempt, again.state) == (job.id, 2, JobState.PROCESSING)
    assert [record.key for record in store.stages(job.id)] == ["k"]


def test_a_claim_that_changes_hands_during_the_look_is_left_alone(
    store: JobStore, processes: Processes
) -> None:
    """Two processes clean up at once: the first one's new claim is not the orphan that the second saw."""
    old = claimed(store)
    taken: list[Job | None] = []

    def take_over(mark: ProcessMark) -> bool | None:
        if mark == HERE.process and not taken:
            store.release(old)
            taken.append(store.claim(THERE, old.id))
        return mark != HERE.process

    processes.look = take_over
    store.release_orphans()
    assert store.get(old.id) == taken[0]
    claim = store.claim_of(old.id)
    assert claim is not None
    assert claim.worker == THERE


def test_a_sleeping_laptop_loses_no_claim(store: JobStore, clock: Clock) -> None:
    """The process on this host still runs, however old its last sign of life."""
    claimed(store)
    clock.now_s += 1e6
    assert store.release_orphans() == ()


def test_a_silent_worker_on_another_host_is_given_up(store: JobStore, clock: Clock) -> None:
    """Only after the time, counted from the last heartbeat."""
    job = claimed(store, THERE)
    clock.now_s += 50
    store.heartbeat(job)
    clock.now_s += 50
    assert store.release_orphans(stale_after_s=60) == ()
    clock.now_s += 11
    assert [freed.id for freed in store.release_orphans(stale_after_s=60)] == [job.id]


def orphaned(store: JobStore, processes: Processes, times: int, job: Job) -> Job:
    """The job after its service died so often under it."""
    for _ in range(times):
        held = store.claim(HERE, job.id)
        assert held is not None
        processes.running, processes.gone = set(), {HERE.process}
        (job,) = store.release_orphans()
        processes.running, processes.gone = {HERE.process}, set()
    return job


def test_a_job_that_ends_the_service_again_and_again_is_given_up(
    store: JobStore, processes: Processes
) -> None:
    """A bounded number of times, without a word about failures; then it fails, saying what happened."""
    job = orphaned(store, processes, ORPHAN_LIMIT - 1, store.submit(request(), PRINT))
    assert (job.state, job.failures) == (JobState.PROCESSING, 0)
    job = orphaned(store, processes, 1, job)
    assert job.state is JobState.FAILED
    assert f"stopped {ORPHAN_LIMIT} times in a row" in job.error
    assert store.claim_of(job.id) is None


def test_a_long_job_may_be_interrupted_often_while_it_gets_on(store: JobStore, processes: Processes) -> None:
    """A stage that it had not finished before begins the count anew, also one that was found finished."""
    job = orphaned(store, processes, ORPHAN_LIMIT - 1, store.submit(request(), PRINT))
    held = store.claim(HERE, job.id)
    assert held is not None
    store.record_stage(held, StageRecord(stage="separate", key="k"))
    store.release(held)
    job = orphaned(store, processes, ORPHAN_LIMIT - 1, job)
    assert job.state is JobState.PROCESSING
    held = store.claim(HERE, job.id)
    assert held is not None
    store.record_stage(held, StageRecord(stage="restore", key="r", was_reused=True))
    store.release(held)
    job = orphaned(store, processes, ORPHAN_LIMIT - 1, job)
    assert job.state is JobState.PROCESSING
    held = store.claim(HERE, job.id)
    assert held is not None
    store.record_stage(held, StageRecord(stage="separate", key="k", was_reused=True))
    store.record_stage(held, StageRecord(stage="restore", key="r"))
    store.release(held)
    assert orphaned(store, processes, 1, job).state is JobState.FAILED
