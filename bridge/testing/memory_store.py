"""A job store in memory that keeps the real one's promises, without a file: for tests of doors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from bridge.errors import JobError, JobLostError
from bridge.jobs.files import SeenFile
from bridge.jobs.ids import next_job_id
from bridge.jobs.processes import is_running
from bridge.jobs.requests import plain_text, request_json
from bridge.jobs.states import OPEN, expect_move, steps_to_end
from bridge.jobs.store import (
    LONGEST_DELAY_S,
    ORPHAN_LIMIT,
    STALE_AFTER_S,
    Claim,
    Clock,
    Command,
    IsRunning,
    StageRecord,
    Submitted,
    Worker,
    is_orphan,
    lost_again,
)
from bridge.values import Delivery, Job, JobRequest, JobState

Names = Collection[JobState]


@dataclass
class _Entry:
    job: Job
    fingerprint: str
    claim: Claim | None = None
    is_cancel_requested: bool = False
    orphaned: int = 0
    stages: list[StageRecord] = field(default_factory=list)

    @property
    def is_waiting(self) -> bool:
        state = self.job.state
        return state is JobState.PENDING or (state is JobState.PROCESSING and self.claim is None)

    def delay_left(self, now_s: float) -> float:
        left_s = self.job.not_before_s - now_s
        return left_s if left_s > 0 and self.job.updated_s <= now_s else 0.0

    @property
    def is_success(self) -> bool:
        return self.job.state is JobState.SUCCESS

    def counts_as(self, fingerprint: str, states: Names) -> bool:
        return self.fingerprint == fingerprint and self.job.state in states and not self.is_cancel_requested


class MemoryFileLedger:
    """``FileLedger`` in a dictionary."""

    def __init__(self) -> None:
        self._files: dict[bytes, SeenFile] = {}
        self._lock = threading.Lock()

    def seen(self, path: Path) -> SeenFile | None:
        """The file as it was last time."""
        return self._files.get(os.fsencode(path))

    def seen_under(self, folder: Path) -> tuple[SeenFile, ...]:
        """All files that were seen in a folder and below."""
        separator = os.fsencode(os.sep)
        start = os.fsencode(folder).rstrip(separator) + separator
        with self._lock:
            return tuple(file for path, file in sorted(self._files.items()) if path.startswith(start))

    def remember(self, file: SeenFile) -> None:
        """Note a file, in place of what was noted of its path."""
        with self._lock:
            self._files[os.fsencode(file.path)] = file.evolve(refused=plain_text(file.refused))

    def forget(self, path: Path) -> None:
        """Note nothing of a path any more."""
        with self._lock:
            self._files.pop(os.fsencode(path), None)


class MemoryJobStore:
    """``JobStore`` in a dictionary; usable from several threads, gone with the process."""

    def __init__(self, *, clock: Clock = time.time, is_running: IsRunning = is_running) -> None:
        self._clock = clock
        self._is_running = is_running
        self._entries: dict[str, _Entry] = {}
        self._commands: dict[Command, str] = {}
        self._files = MemoryFileLedger()
        self._lock = threading.RLock()

    @property
    def files(self) -> MemoryFileLedger:
        """Files that were seen."""
        return self._files

    def submit(
        self, request: JobRequest, fingerprint: str, *, linked_to: str = "", command: Command | None = None
    ) -> Job:
        """Add a PENDING job."""
        request_json(request)
        with self._lock:
            return self._made_by(command) or self._add(request, fingerprint, linked_to, command)

    def submit_once(
        self,
        request: JobRequest,
        fingerprint: str,
        *,
        counting: Names = OPEN,
        command: Command | None = None,
        linked_to: str = "",
    ) -> Submitted:
        """The equal job that is there, or a new one."""
        request_json(request)
        with self._lock:
            if known := self._made_by(command):
                return Submitted(job=known, is_new=False)
            if equal := self.find(fingerprint, counting):
                self._note(command, equal.id)
                return Submitted(job=self._hurried(equal, request), is_new=False)
            return Submitted(job=self._add(request, fingerprint, linked_to, command), is_new=True)

    def _hurried(self, equal: Job, request: JobRequest) -> Job:
        if equal.state.is_terminal or equal.request.priority >= request.priority:
            return equal
        return self._change(self._entries[equal.id], request=equal.request.evolve(priority=request.priority))

    def job_of(self, command: Command) -> Job | None:
        """The job that a command led to."""
        with self._lock:
            return self._made_by(command)

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

    def open_ids(self) -> frozenset[str]:
        """The ids of all unfinished jobs."""
        with self._lock:
            return frozenset(id_ for id_, entry in self._entries.items() if not entry.job.state.is_terminal)

    def count(self, states: Names = frozenset()) -> int:
        """How many jobs are in ``states``."""
        return len(self.list(limit=len(self._entries), states=states))

    def claim(self, worker: Worker, job_id: str = "") -> Job | None:
        """Take a waiting job."""
        with self._lock:
            entries = [self._entry(job_id)] if job_id else list(self._entries.values())
            now_s = self._clock()
            waiting = (e for e in entries if e.is_waiting and (job_id or not e.delay_left(now_s)))
            entry = min(waiting, key=lambda e: (-e.job.request.priority, e.job.id), default=None)
            if entry is None:
                return None
            attempt = entry.job.attempt + 1
            entry.claim = Claim(worker=worker, attempt=attempt, heartbeat_s=self._clock())
            return self._change(entry, state=JobState.PROCESSING, attempt=attempt, error="", not_before_s=0.0)

    def next_due_s(self) -> float | None:
        """Seconds until a waiting job may be claimed."""
        with self._lock:
            now_s = self._clock()
            return min((e.delay_left(now_s) for e in self._entries.values() if e.is_waiting), default=None)

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

    def note_source(self, job: Job, fingerprint: str) -> None:
        """What the job is worked from."""
        with self._lock:
            self._held(job).fingerprint = fingerprint

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
        with self._lock:
            ended = self._end(job, JobState.SUCCESS, delivery=delivery, progress=1.0, error="")
            self._entry(job.id).is_cancel_requested = False
            return ended

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        """End as FAILED."""
        return self._end(job, JobState.FAILED, error=plain_text(error), delivery=delivery)

    def confirm_cancel(self, job: Job, reason: str = "") -> Job:
        """End as CANCELLED."""
        return self._end(job, JobState.CANCELLED, **_error(reason))

    def request_cancel(self, job_id: str, reason: str = "") -> Job:
        """Cancel, or ask the worker to."""
        with self._lock:
            entry = self._entry(job_id)
            if entry.job.state is JobState.CANCELLED:
                return entry.job
            if entry.claim is None:
                _expect_steps(entry.job, JobState.CANCELLED)
                self._change(entry, state=JobState.CANCELLED, error="")
            entry.is_cancel_requested = True
            return self._change(entry, **_error(reason))

    def record_stage(self, job: Job, record: StageRecord) -> None:
        """Note a finished stage."""
        with self._lock:
            entry = self._held(job)
            attempts = {r.attempt for r in entry.stages if (r.stage, r.key) == (record.stage, record.key)}
            if not attempts:
                entry.orphaned = 0
            if job.attempt not in attempts:
                entry.stages.append(record.evolve(attempt=job.attempt))
            self._beat(entry)

    def stages(self, job_id: str) -> tuple[StageRecord, ...]:
        """The finished stages."""
        return tuple(self._entry(job_id).stages)

    def release(self, job: Job) -> Job:
        """Let a claim go."""
        with self._lock:
            return self._let_go(self._held(job))

    def postpone(self, job: Job, reason: str, delay_s: float, *, counts: bool) -> Job:
        """Let a claim go, for later."""
        with self._lock:
            entry = self._held(job)
            if entry.is_cancel_requested:
                return self._let_go(entry)
            return self._let_go(
                entry,
                error=plain_text(reason),
                failures=entry.job.failures + counts,
                not_before_s=self._clock() + min(max(0.0, delay_s), LONGEST_DELAY_S),
            )

    def release_orphans(self, stale_after_s: float = STALE_AFTER_S) -> tuple[Job, ...]:
        """Release the claims that nobody stands behind."""
        with self._lock:
            seen = [(entry, entry.claim) for entry in self._entries.values()]
            orphans = [(entry, claim) for entry, claim in seen if self._is_orphan(claim, stale_after_s)]
            return tuple(self._set_free(entry) for entry, claim in orphans if entry.claim == claim)

    def forget(self, older_than_s: float) -> int:
        """Remove jobs that ended long ago."""
        with self._lock:
            before_s = self._clock() - older_than_s
            successes = {e.fingerprint: id_ for id_, e in sorted(self._entries.items()) if e.is_success}
            ended = {id_: e.job for id_, e in self._entries.items() if e.job.state.is_terminal}
            old = {id_ for id_, job in ended.items() if job.updated_s < before_s} - {*successes.values()}
            self._entries = {id_: entry for id_, entry in self._entries.items() if id_ not in old}
            self._commands = {command: id_ for command, id_ in self._commands.items() if id_ not in old}
            return len(old)

    def close(self) -> None:
        """Nothing to let go."""

    def _made_by(self, command: Command | None) -> Job | None:
        job_id = self._commands.get(command) if command else None
        return self.get(job_id) if job_id else None

    def _note(self, command: Command | None, job_id: str) -> None:
        if command is not None:
            self._commands[command] = job_id

    def _add(self, request: JobRequest, fingerprint: str, linked_to: str, command: Command | None) -> Job:
        now_s = self._clock()
        job_id = next_job_id(now_s, max(self._entries, default=""))
        job = Job(id=job_id, request=request, created_s=now_s, updated_s=now_s, linked_to=linked_to)
        self._entries[job_id] = _Entry(job=job, fingerprint=fingerprint)
        self._note(command, job_id)
        return job

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

    def _let_go(self, entry: _Entry, **changes: object) -> Job:
        entry.claim = None
        end = JobState.CANCELLED if entry.is_cancel_requested else JobState.PROCESSING
        return self._change(entry, state=end, **changes)

    def _set_free(self, entry: _Entry) -> Job:
        entry.orphaned += 1
        if entry.is_cancel_requested or entry.orphaned < ORPHAN_LIMIT:
            return self._let_go(entry)
        _expect_steps(entry.job, JobState.FAILED)
        entry.claim = None
        return self._change(entry, state=JobState.FAILED, error=lost_again(entry.orphaned))

    def _is_orphan(self, claim: Claim | None, stale_after_s: float) -> bool:
        return claim is not None and is_orphan(
            claim, now_s=self._clock(), stale_after_s=stale_after_s, is_running=self._is_running
        )


def _expect_steps(job: Job, end: JobState) -> None:
    old = job.state
    for step in steps_to_end(old, end):
        expect_move(job.id, old, step)
        old = step


def _error(reason: str) -> dict[str, str]:
    return {"error": plain_text(reason)} if reason else {}
