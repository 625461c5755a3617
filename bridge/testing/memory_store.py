"""A job store in memory that keeps the real one's promises, without a file: for tests of doors."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from bridge.errors import JobError, JobLostError
from bridge.jobs.ids import next_job_id
from bridge.jobs.processes import is_running
from bridge.jobs.requests import request_json
from bridge.jobs.states import OPEN, expect_move, steps_to_end
from bridge.jobs.store import (
    STALE_AFTER_S,
    Claim,
    Clock,
    IsRunning,
    StageRecord,
    Submitted,
    Worker,
    is_orphan,
)
from bridge.values import Delivery, Job, JobRequest, JobState

Names = Collection[JobState]


@dataclass
class _Entry:
    job: Job
    fingerprint: str
    claim: Claim | None = None
    is_cancel_requested: bool = False
    stages: list[StageRecord] = field(default_factory=list)

    @property
    def is_waiting(self) -> bool:
        state = self.job.state
        return state is JobState.PENDING or (state is JobState.PROCESSING and self.claim is None)

    def counts_as(self, fingerprint: str, states: Names) -> bool:
        return self.fingerprint == fingerprint and self.job.state in states and not self.is_cancel_requested


class MemoryJobStore:
    """``JobStore`` in a dictionary; usable from several threads, gone with the process."""

    def __init__(self, *, clock: Clock = time.time, is_running: IsRunning = is_running) -> None:
        self._clock = clock
        self._is_running = is_running
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()

    def submit(self, request: JobRequest, fingerprint: str, *, linked_to: str = "") -> Job:
        """Add a PENDING job."""
        request_json(request)
        with self._lock:
            now_s = self._clock()
            job_id = next_job_id(now_s, max(self._entries, default=""))
            job = Job(id=job_id, request=request, created_s=now_s, updated_s=now_s, linked_to=linked_to)
            self._entries[job_id] = _Entry(job=job, fingerprint=fingerprint)
            return job

    def submit_once(self, request: JobRequest, fingerprint: str, *, counting: Names = OPEN) -> Submitted:
        """The equal job that is there, or a new one."""
        with self._lock:
            found = self.find(fingerprint, counting)
            return Submitted(job=found or self.submit(request, fingerprint), is_new=found is None)

    def get(self, job_id: str) -> Job:
        """The job as it stands."""
        return self._entry(job_id).job

    def find(self, fingerprint: str, states: Names) -> Job | None:
        """The newest equal job in one of ``states``."""
        with self._lock:
            same = (e.job for e in self._entries.values() if e.counts_as(fingerprint, states))
            return max(same, key=lambda job: job.id, default=None)

    def find_open(self, fingerprint: str) -> Job | None:
        """The newest unfinished equal job."""
        return self.find(fingerprint, OPEN)

    def list(self, *, limit: int = 50, before: str = "", states: Names = frozenset()) -> tuple[Job, ...]:
        """Jobs, newest first."""
        newest_first = (self._entries[job_id].job for job_id in sorted(self._entries, reverse=True))
        wanted = (
            j for j in newest_first if (not before or j.id < before) and (not states or j.state in states)
        )
        return tuple(job for _, job in zip(range(limit), wanted, strict=False))

    def count(self, states: Names = frozenset()) -> int:
        """How many jobs are in ``states``."""
        return len(self.list(limit=len(self._entries), states=states))

    def claim(self, worker: Worker, job_id: str = "") -> Job | None:
        """Take a waiting job."""
        with self._lock:
            entries = [self._entry(job_id)] if job_id else list(self._entries.values())
            entry = min((e for e in entries if e.is_waiting), key=lambda e: e.job.id, default=None)
            if entry is None:
                return None
            attempt = entry.job.attempt + 1
            entry.claim = Claim(worker=worker, attempt=attempt, heartbeat_s=self._clock())
            return self._change(entry, state=JobState.PROCESSING, attempt=attempt)

    def claim_of(self, job_id: str) -> Claim | None:
        """Who works on the job."""
        return self._entry(job_id).claim

    def heartbeat(self, job: Job, *, stage: str | None = None, share: float | None = None) -> None:
        """A sign of life, and where the job stands."""
        news = {"stage": stage, "progress": share}
        with self._lock:
            self._beat(self._held(job), **{k: v for k, v in news.items() if v is not None})

    def is_cancel_requested(self, job: Job) -> bool:
        """Whether to stop."""
        return self._held(job).is_cancel_requested

    def transition(self, job: Job, state: JobState) -> Job:
        """Move a claimed job to another open state."""
        with self._lock:
            entry = self._held(job)
            expect_move(job.id, entry.job.state, state)
            if state.is_terminal:
                raise JobError(f"Job {job.id} ends by succeed, fail or confirm_cancel, not by transition.")
            return self._beat(entry, state=state)

    def succeed(self, job: Job, delivery: Delivery) -> Job:
        """End as SUCCESS."""
        return self._end(job, JobState.SUCCESS, delivery=delivery, progress=1.0, error="")

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        """End as FAILED."""
        return self._end(job, JobState.FAILED, error=error, delivery=delivery)

    def confirm_cancel(self, job: Job) -> Job:
        """End as CANCELLED."""
        return self._end(job, JobState.CANCELLED)

    def request_cancel(self, job_id: str) -> Job:
        """Cancel, or ask the worker to."""
        with self._lock:
            entry = self._entry(job_id)
            if entry.job.state is JobState.CANCELLED:
                return entry.job
            if entry.claim is None:
                _expect_steps(entry.job, JobState.CANCELLED)
                self._change(entry, state=JobState.CANCELLED)
            entry.is_cancel_requested = True
            return self._change(entry)

    def record_stage(self, job: Job, record: StageRecord) -> None:
        """Note a finished stage."""
        with self._lock:
            entry = self._held(job)
            same = [(r.attempt, r.stage, r.key) for r in entry.stages]
            if (job.attempt, record.stage, record.key) not in same:
                entry.stages.append(record.evolve(attempt=job.attempt))
            self._beat(entry)

    def stages(self, job_id: str) -> tuple[StageRecord, ...]:
        """The finished stages."""
        return tuple(self._entry(job_id).stages)

    def release(self, job: Job) -> Job:
        """Let a claim go."""
        with self._lock:
            return self._let_go(self._held(job))

    def release_orphans(self, stale_after_s: float = STALE_AFTER_S) -> tuple[Job, ...]:
        """Release the claims that nobody stands behind."""
        with self._lock:
            seen = [(entry, entry.claim) for entry in self._entries.values()]
            orphans = [(entry, claim) for entry, claim in seen if self._is_orphan(claim, stale_after_s)]
            return tuple(self._let_go(entry) for entry, claim in orphans if entry.claim == claim)

    def close(self) -> None:
        """Nothing to let go."""

    def _entry(self, job_id: str) -> _Entry:
        try:
            return self._entries[job_id]
        except KeyError:
            raise JobError(f"There is no job {job_id!r}.") from None

    def _held(self, job: Job) -> _Entry:
        entry = self._entry(job.id)
        is_current = entry.job.attempt == job.attempt
        if is_current and entry.claim is not None:
            return entry
        if is_current and entry.job.state.is_terminal:
            raise JobError(f"Job {job.id} has ended as {entry.job.state}.")
        raise JobLostError(f"Job {job.id} is no longer held by attempt {job.attempt}.")

    def _change(self, entry: _Entry, **changes: object) -> Job:
        entry.job = entry.job.evolve(updated_s=self._clock(), **changes)
        return entry.job

    def _beat(self, entry: _Entry, **changes: object) -> Job:
        if entry.claim is not None:
            entry.claim = entry.claim.evolve(heartbeat_s=self._clock())
        return self._change(entry, **changes)

    def _end(self, job: Job, state: JobState, **changes: object) -> Job:
        with self._lock:
            entry = self._held(job)
            _expect_steps(entry.job, state)
            entry.claim = None
            return self._change(entry, state=state, **changes)

    def _let_go(self, entry: _Entry) -> Job:
        entry.claim = None
        end = JobState.CANCELLED if entry.is_cancel_requested else JobState.PROCESSING
        return self._change(entry, state=end)

    def _is_orphan(self, claim: Claim | None, stale_after_s: float) -> bool:
        return claim is not None and is_orphan(
            claim, now_s=self._clock(), stale_after_s=stale_after_s, is_running=self._is_running
        )


def _expect_steps(job: Job, end: JobState) -> None:
    old = job.state
    for step in steps_to_end(old, end):
        expect_move(job.id, old, step)
        old = step
