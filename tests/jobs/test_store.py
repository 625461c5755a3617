"""The contract of job stores: the real one and the one in memory keep the same promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge.errors import InputError, JobError, JobLostError
from bridge.jobs import OPEN, TERMINAL, Command, JobStore, ProcessMark, StageRecord, Worker, open_store
from bridge.jobs.store import LONGEST_DELAY_S, ORPHAN_LIMIT
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


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_words_that_are_no_text_are_kept_as_far_as_they_go(store: JobStore) -> None:
    """An error may name a file inside a folder of stems; the job must end all the same."""
    words = f"{os.fsdecode(bytes([0xFF]))}.wav is empty"
    assert store.fail(claimed(store), words).error == "?.wav is empty"
    put_off = store.postpone(claimed(store), words, 1, counts=True)
    assert put_off.error == "?.wav is empty"


def command(number: int = 7, client: str = "device-1") -> Command:
    return Command(client=client, number=number)


def test_a_command_takes_effect_once(store: JobStore) -> None:
    """Sent again it finds its job, as that stands; another number or client is another command."""
    first = store.submit(request(), PRINT, command=command())
    store.request_cancel(first.id)
    again = store.submit(request(), PRINT, command=command())
    assert (again.id, again.state) == (first.id, JobState.CANCELLED)
    others = [store.submit(request(), PRINT, command=c).id for c in (command(8), command(client="x"))]
    assert len({first.id, *others}) == store.count() == 3


def test_the_job_of_a_command_can_be_asked_for(store: JobStore) -> None:
    command = Command(client="device", number=3)
    assert store.job_of(command) is None
    job = store.submit(request(), PRINT, command=command)
    assert store.job_of(command) == job
    assert store.job_of(Command(client="device", number=4)) is None


def test_a_command_sent_again_finds_its_job_also_when_that_has_ended(store: JobStore) -> None:
    """A new request of that work would make a new one."""
    first = store.submit_once(request(), PRINT, command=command())
    job = store.claim(HERE)
    assert job is not None
    store.fail(job, "broken")
    again = store.submit_once(request(), PRINT, command=command())
    assert (first.is_new, again.is_new, again.job.id) == (True, False, job.id)
    assert store.submit_once(request(), PRINT, command=command(8)).is_new


def test_a_command_that_found_an_equal_job_stays_with_it(store: JobStore) -> None:
    """Its answer is the same for ever."""
    equal = store.submit(request(), PRINT)
    assert store.submit_once(request(), PRINT, command=command()).job.id == equal.id
    store.request_cancel(equal.id)
    assert store.submit_once(request(), PRINT, command=command()).job.id == equal.id


def test_a_job_submitted_once_can_be_linked(store: JobStore) -> None:
    """To the one that it supersedes."""
    old = store.submit(request(), PRINT)
    new = store.submit_once(request(), OTHER_PRINT, linked_to=old.id)
    assert (new.is_new, new.job.linked_to) == (True, old.id)


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
