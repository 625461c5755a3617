"""A job from claim to end: what the store says, what listeners hear, what survives."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import events
from bridge.errors import (
    DiskFullError,
    EngineError,
    JobHalted,
    JobLostError,
    LimitError,
    QaError,
    StageError,
    StorageError,
)
from bridge.events import Event
from bridge.jobs import (
    Ended,
    JobStore,
    Limits,
    RetryPolicy,
    Worker,
    Workers,
    interrupt_cancels,
    open_store,
    run_job,
    submit_request,
    this_process,
)
from bridge.jobs.processes import start_of
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobState
from tests.jobs.support import PRINT, THERE, StartPython, line_of, request, wait_until

TASKS = "bridge.testing.tasks"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(keep_alive_s=30) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    made = open_store(tmp_path / "jobs.sqlite")
    yield made
    made.close()


class Doing:
    """Runs a task as a job and keeps what was heard; ``then`` is done at the first progress."""

    def __init__(self, store: JobStore, workers: Workers) -> None:
        self.store = store
        self.workers = workers
        self.heard: list[Event] = []
        self.job = store.submit(request(), PRINT)

    def run(self, task: str, *, then: Callable[[], object] | None = None, **options: Any) -> Ended:
        steps = events.JobProgress | events.JobNote

        def listen(event: Event) -> None:
            is_first = isinstance(event, steps) and not any(isinstance(e, steps) for e in self.heard)
            self.heard.append(event)
            if then is not None and is_first:
                then()

        target, settings = f"{TASKS}:{task}", {"threads": 2}
        ended = run_job(
            self.store,
            self.job.id,
            settings=settings,
            workers=self.workers,
            publish=listen,
            target=target,
            **options,
        )
        assert ended is not None
        return ended

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.heard]

    def now(self) -> Job:
        return self.store.get(self.job.id)


@pytest.fixture
def doing(store: JobStore, workers: Workers) -> Doing:
    return Doing(store, workers)


def test_a_job_is_done(doing: Doing) -> None:
    """Claimed, run with job and settings, its delivery stored, then told."""
    ended = doing.run("deliver")
    assert ended.job == doing.now()
    assert (ended.job.state, ended.job.progress, ended.job.attempt) == (JobState.SUCCESS, 1.0, 1)
    assert ended.job.delivery == ended.outcome.value
    assert ended.outcome.value.main_figures["settings"] == "{'threads': 2}"
    assert doing.kinds[0] == "job_started"
    assert doing.heard[-1] == events.JobDone(job_id=doing.job.id, delivery=ended.outcome.value)


def test_finished_stages_are_in_the_store(doing: Doing) -> None:
    """In order, with key and seconds."""
    doing.run("deliver")
    records = doing.store.stages(doing.job.id)
    assert [(r.stage, r.key, r.seconds) for r in records] == [
        ("first", "first-key", 0.5),
        ("second", "second-key", 0.5),
    ]


def test_the_end_is_told_after_it_is_stored(doing: Doing) -> None:
    """Whoever hears it and looks finds it."""
    states = []
    original, doing.heard = doing.heard, _Watched(lambda: states.append(doing.now().state))
    doing.run("deliver")
    assert states[-1] is JobState.SUCCESS
    assert original == []


class _Watched(list[Event]):
    def __init__(self, look: Callable[[], object]) -> None:
        super().__init__()
        self._look = look

    def append(self, event: Event) -> None:
        super().append(event)
        self._look()


def test_a_failed_job_says_why(doing: Doing) -> None:
    """In the store, to listeners, and as the error itself for the caller."""
    ended = doing.run("refuse_input")
    message = "Night Drive.mp3 is empty (0 bytes); wanted a song. Export it again."
    assert (ended.job.state, ended.job.error) == (JobState.FAILED, message)
    assert doing.heard[-1] == events.JobFailed(job_id=doing.job.id, error="InputError", message=message)
    assert "Traceback" in ended.outcome.log


@pytest.mark.parametrize("task", ["be_killed", "leave_at_once", "crash"])
def test_a_dead_worker_is_a_failed_job(doing: Doing, task: str) -> None:
    """Not a hang, and not a job that is held for ever."""
    ended = doing.run(task)
    assert ended.job.state is JobState.FAILED
    assert "The job's process" in ended.job.error
    assert doing.store.claim_of(doing.job.id) is None


def test_a_function_that_delivers_nothing_fails(doing: Doing) -> None:
    """SUCCESS always has a delivery."""
    assert "wanted a Delivery" in doing.run("return_nothing").job.error


def test_a_qa_retry_is_seen_in_the_store(doing: Doing) -> None:
    """RETRYING_QA while it lasts."""
    states = []
    doing.heard = _Watched(lambda: states.append(doing.now().state))
    doing.run("retry_qa")
    work = JobState.PROCESSING
    assert states == [work, JobState.RETRYING_QA, work, JobState.SUCCESS]


def test_a_master_that_is_not_delivered_leaves_the_stems(doing: Doing) -> None:
    """FAILED with the reason and with what was delivered."""
    ended = doing.run("fail_in_retry")
    assert ended.job.state is JobState.FAILED
    assert isinstance(ended.outcome.error, QaError)
    assert isinstance(ended.job.delivery, Delivery)
    assert ended.outcome.error.delivery == ended.job.delivery


def test_a_job_that_somebody_has_is_left_alone(doing: Doing, workers: Workers) -> None:
    """None, and nothing is told."""
    doing.store.claim(THERE, doing.job.id)
    told: list[Event] = []
    got = run_job(doing.store, doing.job.id, settings=None, workers=workers, publish=told.append)
    assert got is None
    assert told == []


def test_the_oldest_waiting_job_is_taken(store: JobStore, workers: Workers) -> None:
    """Where none is named; then there is none."""
    ids = [store.submit(request(), PRINT).id for _ in range(2)]
    ended = [run_job(store, settings=None, workers=workers, target=f"{TASKS}:deliver") for _ in range(3)]
    assert [e.job.id if e else None for e in ended] == [*ids, None]


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
    doing.heard = _Watched(lambda: _interrupt_at_end(doing))
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


def test_a_fault_of_a_listener_fails_the_job(doing: Doing) -> None:
    """It would otherwise be held as long as this process lives."""

    def break_down() -> None:
        raise RuntimeError("no more room on screen")

    with pytest.raises(RuntimeError):
        doing.run("report_forever", then=break_down)
    assert doing.now().state is JobState.FAILED
    assert "no more room on screen" in doing.now().error


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


RETRY = RetryPolicy(retry_after_s=(0.0, 60.0), pause_s=30.0)


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


def test_what_a_job_logs_carries_its_id(doing: Doing, caplog: pytest.LogCaptureFixture) -> None:
    """The log of the service tells which song a line is about."""
    doing.run("tell_log")
    said = {record.getMessage(): vars(record).get("job") for record in caplog.records}
    assert said["It broke"] == doing.job.id


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


class _Counting(MemoryJobStore):
    """Notes each heartbeat, and can be made to have no room for them."""

    def __init__(self) -> None:
        super().__init__()
        self.beats: list[tuple[float, str | None, float | None]] = []
        self.is_full = False

    def heartbeat(self, job: Job, *, stage: str | None = None, share: float | None = None) -> None:
        self.beats.append((time.monotonic(), stage, share))
        if self.is_full:
            raise StorageError
        super().heartbeat(job, stage=stage, share=share)


@pytest.mark.parametrize("is_full", [False, True], ids=["stored", "no room"])
def test_progress_is_written_twice_a_second_at_most(workers: Workers, is_full: bool) -> None:
    """And when it cannot be written the work goes on."""
    store = _Counting()
    store.is_full = is_full
    doing = Doing(store, workers)
    cancel = threading.Event()

    def stop_after_two_beats() -> None:
        wait_until(lambda: len(store.beats) >= 2, within_s=10)
        cancel.set()

    watcher = threading.Thread(target=stop_after_two_beats)
    watcher.start()
    ended = doing.run("report_forever", cancel=cancel)
    watcher.join()
    assert ended.job.state is JobState.CANCELLED
    assert [beat[1:] for beat in store.beats[:2]] == [("long", 0.25)] * 2
    assert store.beats[1][0] - store.beats[0][0] >= 0.49


def test_the_same_request_is_queued_once(store: JobStore) -> None:
    """And told once, after the commit."""
    told: list[Event] = []
    first = submit_request(store, request(), "0" * 64, publish=told.append)
    again = submit_request(store, request(), "0" * 64, publish=told.append)
    assert first.is_new
    assert again.job == first.job
    assert told == [events.JobQueued(job_id=first.job.id, source="Night Drive.mp3", recipe="full")]


def test_a_claim_names_this_process(doing: Doing) -> None:
    """So that others see whether it lives."""
    claims: list[Worker] = []
    doing.run("report_forever", then=lambda: _note_claim_and_cancel(doing, claims))
    assert claims == [Worker(name="worker", process=this_process())]


def _note_claim_and_cancel(doing: Doing, claims: list[Worker]) -> None:
    claim = doing.store.claim_of(doing.job.id)
    assert claim is not None
    claims.append(claim.worker)
    doing.store.request_cancel(doing.job.id)


SERVICE = """
import sys
from pathlib import Path
from bridge.jobs import Workers, open_store, run_job
def tell(event):
    if event.kind == "job_note":
        print(event.text, flush=True)
store = open_store(Path(sys.argv[1]))
run_job(store, settings=None, workers=Workers(), publish=tell, target="bridge.testing.tasks:spin")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_job_survives_kill_9_of_the_service(
    store: JobStore, workers: Workers, tmp_path: Path, start: StartPython
) -> None:
    """Its worker ends, its claim is seen to be dead at once, the next process finishes it."""
    job = store.submit(request(), PRINT)
    service = start(SERVICE, tmp_path / "jobs.sqlite")
    child = int(line_of(service))
    assert store.release_orphans() == ()
    service.kill()
    service.communicate()
    assert [freed.id for freed in store.release_orphans()] == [job.id]
    wait_until(lambda: start_of(child) is None)
    ended = run_job(store, settings=None, workers=workers, target=f"{TASKS}:deliver")
    assert ended is not None
    assert (ended.job.id, ended.job.state, ended.job.attempt) == (job.id, JobState.SUCCESS, 2)


def test_an_abandoned_error_is_ours(doing: Doing) -> None:
    """Every failure that the caller gets has a class of stembridge."""
    assert isinstance(doing.run("break_unexpectedly").outcome.error, StageError)
