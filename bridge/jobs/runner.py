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
from bridge.errors import JobError, JobHalted, JobLostError, StageError, StembridgeError, StorageError
from bridge.events import Event
from bridge.jobs.ends import PATIENCE_S, Write, insist
from bridge.jobs.fingerprint import fingerprint
from bridge.jobs.limits import Limits
from bridge.jobs.retrying import RetryDecision, RetryPolicy, decide
from bridge.jobs.store import JobStore, StageRecord, Submitted, Worker
from bridge.jobs.watch import Outcome, ignore_event
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
    """A job that has ended or was put back, as the store has it, and how its work ended."""

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
    halt: threading.Event | None = None,
    limits: Limits | None = None,
    retry: RetryPolicy | None = None,
    worker: Worker | None = None,
    target: str = JOB_TARGET,
) -> Ended | None:
    """Claim a job (the first that waits, where none is named) and run it to its end, telling the store.

    None where there was nothing to claim: no job waits, or somebody else works on it.

    Args:
        store: where the job is.
        job_id: which; "" for the one whose turn it is.
        settings: given to the job's function.
        workers: the processes that do it.
        publish: hears what happens; an end is told after it is stored.
        cancel: once set, ends the job as CANCELLED within a second, as ``JobStore.request_cancel`` from any
            process does.
        halt: once set, the worker is killed and the job put back, to go on another time; its outcome's error
            is JobHalted.
        limits: what the job may take.
        retry: when what may pass is tried again: the job is put off then instead of FAILED. Without it,
            nothing is.
        worker: who claims.
        target: the job's function, "module:function".

    KeyboardInterrupt kills the worker, ends the job as CANCELLED and goes on.

    Raises:
        JobLostError: the claim was taken away; the worker was killed and nothing was written.
        StorageError: the job cannot be claimed; or its end could not be stored for ten minutes, or, where
            there is a ``halt``, until that was set.
    """
    if halt is not None and halt.is_set():
        return None
    job = store.claim(worker or Worker.here(), job_id)
    if job is None:
        return None
    publish(events.JobStarted(job_id=job.id, attempt=job.attempt))
    run = _Run(store, job, publish, cancel=cancel or threading.Event(), halt=halt, retry=retry)
    return run.go(workers, target, settings, limits or Limits())


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

    def __init__(
        self,
        store: JobStore,
        job: Job,
        publish: Publish,
        *,
        cancel: threading.Event,
        halt: threading.Event | None,
        retry: RetryPolicy | None,
    ) -> None:
        self._store = store
        self._job = job
        self._publish = publish
        self._cancel = cancel
        self._halt = halt or threading.Event()
        self._patience_s = PATIENCE_S if halt is None else float("inf")
        self._retry = retry
        self._stored_state = JobState.PROCESSING
        self._stage = ""
        self._share = 0.0
        self._has_news = False
        self._wrote_s = self._looked_s = time.monotonic()
        self._rest_until_s = 0.0

    def go(self, workers: Workers, target: str, settings: object, limits: Limits) -> Ended:
        try:
            outcome = workers.run(
                target,
                self._job,
                settings,
                on_event=self._on_event,
                on_tick=self._on_tick,
                cancel=self._cancel,
                halt=self._halt,
                limits=limits,
                about={"job": self._job.id},
            )
            return Ended(job=self._end(_expect_delivery(outcome)), outcome=outcome)
        except (
            JobLostError,
            StorageError,
        ):  # the store does not know how the job ended: no word of ours may say
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(JobError, StorageError):  # it may come when the job has just ended
                self._tell_cancelled(self._store.confirm_cancel(self._job))
            raise
        except BaseException as fault:
            self._give_up(fault)
            raise

    def _on_event(self, event: Event) -> None:
        if isinstance(event, events.SourceRead):
            self._note_source(event)
            return
        match event:
            case events.StageStarted():
                self._stage, self._has_news = event.stage, True
            case events.JobProgress():
                self._stage, self._share, self._has_news = event.stage, event.share, True
            case events.StageDone():
                self._record(event)
            case events.QaRetryStarted():
                self._move(JobState.RETRYING_QA)
            case events.QaRetryEnded():
                self._move(JobState.PROCESSING)
        self._publish(event)

    def _note_source(self, event: events.SourceRead) -> None:
        with self._storage_may_wait():
            self._store.note_source(self._job, fingerprint(self._job.request, event.sha256))

    def _record(self, event: events.StageDone) -> None:
        record = StageRecord(
            stage=event.stage, key=event.key, seconds=event.seconds, was_reused=event.was_reused
        )
        with self._storage_may_wait():
            self._store.record_stage(self._job, record)

    def _move(self, state: JobState) -> None:
        """A move that could not be stored is left out, and the one back then, too."""
        if state is not self._stored_state:
            with self._storage_may_wait():
                self._stored_state = self._store.transition(self._job, state).state

    def _on_tick(self) -> None:
        now_s = time.monotonic()
        if now_s < self._rest_until_s:
            return
        with self._storage_may_wait():
            if now_s - self._looked_s >= CANCEL_LOOK_EVERY_S:
                self._looked_s = now_s
                self._look_for_cancel()
            if now_s - self._wrote_s >= (PROGRESS_EVERY_S if self._has_news else HEARTBEAT_EVERY_S):
                self._wrote_s, self._has_news = now_s, False
                self._store.heartbeat(self._job, stage=self._stage, share=self._share)

    def _look_for_cancel(self) -> None:
        if self._store.is_cancel_requested(self._job):
            self._cancel.set()

    def _end(self, outcome: Outcome) -> Job:
        if outcome.is_cancelled:
            return self._tell_cancelled(self._stored(lambda: self._store.confirm_cancel(self._job)))
        if outcome.is_halted:
            return self._tell_put_back(self._stored(lambda: self._store.release(self._job)))
        if outcome.error is not None:
            return self._postpone_or_fail(outcome.error, outcome)
        job = self._stored(lambda: self._store.succeed(self._job, outcome.value))
        self._publish(events.JobDone(job_id=job.id, delivery=outcome.value))
        return job

    def _postpone_or_fail(self, error: StembridgeError, outcome: Outcome) -> Job:
        policy = self._retry
        decision = policy and decide(
            self._job, error, retry_after_s=policy.retry_after_s, pause_s=policy.pause_s
        )
        return self._postpone(decision, outcome) if decision else self._fail(error, outcome)

    def _postpone(self, decision: RetryDecision, outcome: Outcome) -> Job:
        about = {"action": "job_postponed", "job": self._job.id, "detail": outcome.log}
        log.warning(decision.reason, extra=about)
        reason, delay_s = decision.reason, decision.delay_s
        job = self._stored(lambda: self._store.postpone(self._job, reason, delay_s, counts=decision.counts))
        return self._tell_put_back(job, reason, delay_s)

    def _fail(self, error: StembridgeError, outcome: Outcome) -> Job:
        about = {"action": "job_failed", "job": self._job.id, "detail": outcome.log}
        log.error(error.message, extra=about)
        delivery = outcome.value if isinstance(outcome.value, Delivery) else None
        job = self._stored(lambda: self._store.fail(self._job, error.message, delivery))
        self._publish(events.JobFailed(job_id=job.id, error=type(error).__name__, message=error.message))
        return job

    def _tell_put_back(self, job: Job, reason: str = JobHalted().message, delay_s: float = 0.0) -> Job:
        """Unless somebody has cancelled it meanwhile."""
        if job.state is JobState.CANCELLED:
            return self._tell_cancelled(job)
        self._publish(events.JobPostponed(job_id=job.id, reason=reason, delay_s=delay_s))
        return job

    def _tell_cancelled(self, job: Job) -> Job:
        self._publish(events.JobCancelled(job_id=job.id, reason=job.error))
        return job

    def _stored(self, write: Write) -> Job:
        return insist(write, self._store, self._job, wait=self._halt.wait, patience_s=self._patience_s)

    @contextlib.contextmanager
    def _storage_may_wait(self) -> Iterator[None]:
        """Progress that cannot be stored right now is no reason to lose hours of work.

        The store is left alone then for as long as it kept us waiting: the worker's events wait meanwhile.
        """
        asked_s = time.monotonic()
        try:
            yield
        except StorageError as cause:
            now_s = time.monotonic()
            self._rest_until_s = now_s + (now_s - asked_s)
            about = {"action": "progress_not_stored", "job": self._job.id}
            log.warning("Progress was not stored: %s", cause.message, extra=about)

    def _give_up(self, fault: BaseException) -> None:
        """A fault of ours, not the job's: without this it would be held as long as this process lives."""
        error = StageError(f"The job was abandoned: {type(fault).__name__}: {fault}. Start it again.")
        with contextlib.suppress(StembridgeError):
            job = self._stored(lambda: self._store.fail(self._job, error.message))
            log.error(error.message, extra={"action": "job_failed", "job": job.id})
            self._publish(events.JobFailed(job_id=job.id, error=type(error).__name__, message=error.message))


def _expect_delivery(outcome: Outcome) -> Outcome:
    if not outcome.is_success or isinstance(outcome.value, Delivery):
        return outcome
    found = type(outcome.value).__name__
    error = StageError(f"The job's function returned {found}; wanted a Delivery. Report this.")
    return Outcome(error=error, seconds=outcome.seconds, peak_bytes=outcome.peak_bytes)
