"""The contract of job stores: the real one and the one in memory keep the same promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.errors import InputError, JobError, JobLostError
from bridge.jobs import OPEN, TERMINAL, JobStore, ProcessMark, StageRecord, Worker, open_store
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobState
from tests.jobs.support import HERE, OTHER_PRINT, PRINT, THERE, Clock, request

DELIVERY = Delivery(folder=Path("/projects/one/StemBridge/Night Drive"), files=("Stems/a.wav",))
STARTED_S = Clock().now_s


class Processes:
    """Which processes run; one that is in neither set is on another host."""

    def __init__(self) -> None:
        self.running = {HERE.process}
        self.gone: set[ProcessMark] = set()
        self.look: Callable[[ProcessMark], bool | None] = self._look

    def __call__(self, mark: ProcessMark) -> bool | None:
        return self.look(mark)

    def _look(self, mark: ProcessMark) -> bool | None:
        return True if mark in self.running else False if mark in self.gone else None


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture(params=["sqlite", "memory"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, processes: Processes
) -> Iterator[JobStore]:
    if request.param == "sqlite":
        made: JobStore = open_store(tmp_path / "jobs.sqlite", clock=clock, is_running=processes)
    else:
        made = MemoryJobStore(clock=clock, is_running=processes)
    yield made
    made.close()


def claimed(store: JobStore, worker: Worker = HERE) -> Job:
    job = store.claim(worker, store.submit(request(), PRINT).id)
    assert job is not None
    return job


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


def test_jobs_are_listed_and_counted_by_state(store: JobStore) -> None:
    """No states named means all."""
    waiting = store.submit(request(), PRINT)
    done = store.succeed(claimed(store), DELIVERY)
    assert store.list(states={JobState.SUCCESS}) == (done,)
    assert store.list(states=OPEN) == (waiting,)
    assert (store.count(), store.count(OPEN), store.count({JobState.FAILED})) == (2, 1, 0)


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


def worker_writes(store: JobStore, job: Job) -> list[Callable[[], object]]:
    return [
        lambda: store.heartbeat(job, stage="mix"),
        lambda: store.is_cancel_requested(job),
        lambda: store.transition(job, JobState.RETRYING_QA),
        lambda: store.record_stage(job, StageRecord(stage="mix", key="k")),
        lambda: store.release(job),
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
