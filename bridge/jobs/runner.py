"""Takes a job through a worker process, with the store knowing at every moment where it stands."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from bridge import events
from bridge.errors import JobError, JobLostError, StageError, StembridgeError, StorageError
from bridge.events import Event
from bridge.jobs.fingerprint import fingerprint
from bridge.jobs.store import JobStore, StageRecord, Submitted, Worker
from bridge.jobs.worker import Outcome, ignore_event
from bridge.jobs.workers import Workers
from bridge.values import Delivery, Job, JobRequest, JobState

log = logging.getLogger(__name__)

JOB_TARGET = "bridge.pipeline:run_job"
"""Called in the worker as ``run_job(job, settings, report) -> Delivery``."""

PROGRESS_EVERY_S = 0.5
HEARTBEAT_EVERY_S = 5.0
CANCEL_LOOK_EVERY_S = 0.1

Publish = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A job that has ended, as the store has it, and how its work ended."""

    job: Job
    outcome: Outcome


def submit_request(
    store: JobStore, request: JobRequest, source_sha256: str, *, publish: Publish = ignore_event
) -> Submitted:
    """Submit ``request`` unless an equal job is unfinished; tells JobQueued after the commit."""
    submitted = store.submit_once(request, fingerprint(request, source_sha256))
    if submitted.is_new:
        job_id, name = submitted.job.id, request.source.name
        publish(events.JobQueued(job_id=job_id, source=name, recipe=request.recipe))
    return submitted


def run_job(
    store: JobStore,
    job_id: str = "",
    *,
    settings: object,
    workers: Workers,
    publish: Publish = ignore_event,
    cancel: threading.Event | None = None,
    worker: Worker | None = None,
    target: str = JOB_TARGET,
) -> Ended | None:
    """Claim a job (the oldest that waits, where none is named) and run it to its end, telling the store.

    None where there was nothing to claim: no job waits, or somebody else works on it. ``cancel``, once set,
    ends the job as CANCELLED within a second, and so does ``JobStore.request_cancel`` from any process.
    KeyboardInterrupt kills the worker, ends the job as CANCELLED and goes on. Raises JobLostError, with the
    worker killed and nothing written, when the claim was taken away.
    """
    job = store.claim(worker or Worker.here(), job_id)
    if job is None:
        return None
    publish(events.JobStarted(job_id=job.id, attempt=job.attempt))
    return _Run(store, job, publish, cancel or threading.Event()).go(workers, target, settings)


@contextlib.contextmanager
def interrupt_cancels(cancel: threading.Event) -> Iterator[None]:
    """Within the context the first Ctrl-C sets ``cancel``; the second raises KeyboardInterrupt as usual.

    Signals belong to the main thread: in another one this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def _on_interrupt(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            signal.default_int_handler(number, frame)
        cancel.set()

    before = signal.signal(signal.SIGINT, _on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Run:
    """One claimed job on its way."""

    def __init__(self, store: JobStore, job: Job, publish: Publish, cancel: threading.Event) -> None:
        self._store = store
        self._job = job
        self._publish = publish
        self._cancel = cancel
        self._stage = ""
        self._share = 0.0
        self._has_news = False
        self._wrote_s = self._looked_s = time.monotonic()

    def go(self, workers: Workers, target: str, settings: object) -> Ended:
        try:
            outcome = workers.run(
                target,
                self._job,
                settings,
                on_event=self._on_event,
                on_tick=self._on_tick,
                cancel=self._cancel,
            )
            return self._end(_expect_delivery(outcome))
        except JobLostError:
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(JobError):  # it may come when the job has just ended
                self._confirm_cancel()
            raise
        except BaseException as fault:
            self._give_up(fault)
            raise

    def _on_event(self, event: Event) -> None:
        match event:
            case events.StageStarted():
                self._stage, self._has_news = event.stage, True
            case events.JobProgress():
                self._stage, self._share, self._has_news = event.stage, event.share, True
            case events.StageDone():
                self._record(event)
            case events.QaRetryStarted():
                self._store.transition(self._job, JobState.RETRYING_QA)
            case events.QaRetryEnded():
                self._store.transition(self._job, JobState.PROCESSING)
        self._publish(event)

    def _record(self, event: events.StageDone) -> None:
        record = StageRecord(
            stage=event.stage, key=event.key, seconds=event.seconds, was_reused=event.was_reused
        )
        with _storage_may_wait():
            self._store.record_stage(self._job, record)

    def _on_tick(self) -> None:
        now_s = time.monotonic()
        with _storage_may_wait():
            if now_s - self._looked_s >= CANCEL_LOOK_EVERY_S:
                self._looked_s = now_s
                self._look_for_cancel()
            if now_s - self._wrote_s >= (PROGRESS_EVERY_S if self._has_news else HEARTBEAT_EVERY_S):
                self._wrote_s, self._has_news = now_s, False
                self._store.heartbeat(self._job, stage=self._stage, share=self._share)

    def _look_for_cancel(self) -> None:
        if self._store.is_cancel_requested(self._job):
            self._cancel.set()

    def _end(self, outcome: Outcome) -> Ended:
        if outcome.is_cancelled:
            return Ended(job=self._confirm_cancel(), outcome=outcome)
        if outcome.error is not None:
            return Ended(job=self._fail(outcome.error, outcome), outcome=outcome)
        job = self._store.succeed(self._job, outcome.value)
        self._publish(events.JobDone(job_id=job.id, delivery=outcome.value))
        return Ended(job=job, outcome=outcome)

    def _confirm_cancel(self) -> Job:
        job = self._store.confirm_cancel(self._job)
        self._publish(events.JobCancelled(job_id=job.id))
        return job

    def _fail(self, error: StembridgeError, outcome: Outcome) -> Job:
        log.error(error.message, extra={"action": "job_failed", "job": self._job.id, "detail": outcome.log})
        delivery = outcome.value if isinstance(outcome.value, Delivery) else None
        job = self._store.fail(self._job, error.message, delivery)
        self._publish(events.JobFailed(job_id=job.id, error=type(error).__name__, message=error.message))
        return job

    def _give_up(self, fault: BaseException) -> None:
        """A fault of ours, not the job's: without this it would be held as long as this process lives."""
        error = StageError(f"The job was abandoned: {type(fault).__name__}: {fault}. Start it again.")
        with contextlib.suppress(StembridgeError):
            self._fail(error, Outcome(error=error))


@contextlib.contextmanager
def _storage_may_wait() -> Iterator[None]:
    """Progress that cannot be stored right now is no reason to lose hours of work; a job's end must be."""
    try:
        yield
    except StorageError as cause:
        log.warning("Progress was not stored: %s", cause.message, extra={"action": "progress_not_stored"})


def _expect_delivery(outcome: Outcome) -> Outcome:
    if not outcome.is_success or isinstance(outcome.value, Delivery):
        return outcome
    found = type(outcome.value).__name__
    error = StageError(f"The job's function returned {found}; wanted a Delivery. Report this.")
    return Outcome(error=error, seconds=outcome.seconds, peak_bytes=outcome.peak_bytes)
