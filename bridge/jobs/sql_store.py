"""The job store in SQL. Every method is one transaction; every write checks the claim inside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, true, update

from bridge.errors import JobError, JobLostError
from bridge.jobs.database import Database
from bridge.jobs.ids import next_job_id
from bridge.jobs.requests import plain_text, request_json
from bridge.jobs.rows import (
    IS_WAITING,
    NO_CLAIM,
    Names,
    claim_in,
    delay_left,
    expect_steps,
    has_stage,
    in_states,
    job_by_command,
    job_of,
    newest_equal,
    newest_successes,
    row_of,
)
from bridge.jobs.sql_files import SqlFileLedger
from bridge.jobs.states import OPEN, TERMINAL, expect_move
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
from bridge.jobs.tables import commands, jobs, stages
from bridge.values import Delivery, Job, JobRequest, JobState


class SqlJobStore:
    """``JobStore`` over a ``Database``; usable from several threads and processes at once."""

    def __init__(self, database: Database, *, clock: Clock, is_running: IsRunning) -> None:
        self._database = database
        self._clock = clock
        self._is_running = is_running
        self._files = SqlFileLedger(database)

    @property
    def files(self) -> SqlFileLedger:
        """Files that were seen."""
        return self._files

    def submit(
        self, request: JobRequest, fingerprint: str, *, linked_to: str = "", command: Command | None = None
    ) -> Job:
        """Add a PENDING job."""
        values = self._new(request, fingerprint, linked_to)
        with self._database.writing() as connection:
            return job_by_command(connection, command) or self._insert(connection, values, command)

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
        values = self._new(request, fingerprint, linked_to)
        with self._database.writing() as connection:
            if known := job_by_command(connection, command):
                return Submitted(job=known, is_new=False)
            if equal := newest_equal(connection, fingerprint, counting):
                _note_command(connection, command, equal.id)
                return Submitted(job=self._hurried(connection, equal, request), is_new=False)
            return Submitted(job=self._insert(connection, values, command), is_new=True)

    def job_of(self, command: Command) -> Job | None:
        """The job that a command led to."""
        with self._database.reading() as connection:
            return job_by_command(connection, command)

    def get(self, job_id: str) -> Job:
        """The job as it stands."""
        with self._database.reading() as connection:
            return job_of(row_of(connection, job_id))

    def find(self, fingerprint: str, states: Names) -> Job | None:
        """The newest equal job in one of ``states``."""
        with self._database.reading() as connection:
            return newest_equal(connection, fingerprint, states)

    def find_open(self, fingerprint: str) -> Job | None:
        """The newest unfinished equal job."""
        return self.find(fingerprint, OPEN)

    def list(self, *, limit: int = 50, before: str = "", states: Names = frozenset()) -> tuple[Job, ...]:
        """Jobs, newest first."""
        older = jobs.c.id < before if before else true()
        query = select(jobs).where(older, in_states(states)).order_by(jobs.c.id.desc()).limit(max(0, limit))
        with self._database.reading() as connection:
            return tuple(job_of(row) for row in connection.execute(query))

    def open_ids(self) -> frozenset[str]:
        """The ids of all unfinished jobs."""
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(jobs.c.id).where(in_states(OPEN))).scalars())

    def count(self, states: Names = frozenset()) -> int:
        """How many jobs are in ``states``."""
        with self._database.reading() as connection:
            query = select(func.count()).select_from(jobs).where(in_states(states))
            return connection.execute(query).scalar_one()

    def claim(self, worker: Worker, job_id: str = "") -> Job | None:
        """Take a waiting job."""
        wanted = jobs.c.id == job_id if job_id else delay_left(self._clock()) == 0
        first = (jobs.c.priority.desc(), jobs.c.id)
        query = select(jobs).where(wanted, IS_WAITING).order_by(*first).limit(1)
        with self._database.writing() as connection:
            row = connection.execute(query).one_or_none()
            if row is not None:
                return self._hold(connection, row, worker)
            if job_id:
                row_of(connection, job_id)  # an id that nobody knows is an error, not "nothing waits"
            return None

    def next_due_s(self) -> float | None:
        """Seconds until a waiting job may be claimed."""
        query = select(func.min(delay_left(self._clock()))).where(IS_WAITING)
        with self._database.reading() as connection:
            return connection.execute(query).scalar()

    def claim_of(self, job_id: str) -> Claim | None:
        """Who works on the job."""
        with self._database.reading() as connection:
            return claim_in(row_of(connection, job_id))

    def heartbeat(self, job: Job, *, stage: str | None = None, share: float | None = None) -> None:
        """A sign of life, and where the job stands."""
        news = {"stage": stage, "progress": share}
        with self._database.writing() as connection:
            self._held(connection, job)
            self._beat(connection, job.id, **{k: v for k, v in news.items() if v is not None})

    def is_cancel_requested(self, job: Job) -> bool:
        """Whether to stop."""
        with self._database.reading() as connection:
            return bool(self._held(connection, job).is_cancel_requested)

    def note_source(self, job: Job, fingerprint: str) -> None:
        """What the job is worked from."""
        with self._database.writing() as connection:
            if self._held(connection, job).fingerprint != fingerprint:
                self._beat(connection, job.id, fingerprint=fingerprint)

    def transition(self, job: Job, state: JobState) -> Job:
        """Move a claimed job to another open state."""
        with self._database.writing() as connection:
            old = JobState(self._held(connection, job).state)
            expect_move(job.id, old, state)
            if state.is_terminal:
                raise JobError(f"Job {job.id} ends by succeed, fail or confirm_cancel, not by transition.")
            return self._beat(connection, job.id, state=state)

    def succeed(self, job: Job, delivery: Delivery) -> Job:
        """End as SUCCESS."""
        done = {"delivery": delivery.model_dump_json(), "progress": 1.0, "error": ""}
        return self._end(job, JobState.SUCCESS, is_cancel_requested=False, **done)

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        """End as FAILED."""
        text = delivery.model_dump_json() if delivery else None
        return self._end(job, JobState.FAILED, error=plain_text(error), delivery=text)

    def confirm_cancel(self, job: Job, reason: str = "") -> Job:
        """End as CANCELLED."""
        return self._end(job, JobState.CANCELLED, **_error(reason))

    def request_cancel(self, job_id: str, reason: str = "") -> Job:
        """Cancel, or ask the worker to."""
        with self._database.writing() as connection:
            row = row_of(connection, job_id)
            if row.state == JobState.CANCELLED:
                return job_of(row)
            if row.worker is not None:
                return self._change(connection, job_id, is_cancel_requested=True, **_error(reason))
            expect_steps(row, JobState.CANCELLED)
            end = {"state": JobState.CANCELLED, "is_cancel_requested": True, "error": plain_text(reason)}
            return self._change(connection, job_id, **end)

    def record_stage(self, job: Job, record: StageRecord) -> None:
        """Note a finished stage."""
        values = {**record.model_dump(), "job_id": job.id, "attempt": job.attempt}
        with self._database.writing() as connection:
            self._held(connection, job)
            same = {name: values[name] for name in ("job_id", "stage", "key")}
            # also one that was found finished: it may be of an attempt that died before it could say so
            is_new = not has_stage(connection, **same)
            if not has_stage(connection, **same, attempt=job.attempt):
                connection.execute(insert(stages).values(values))
            self._beat(connection, job.id, **({"orphaned": 0} if is_new else {}))

    def stages(self, job_id: str) -> tuple[StageRecord, ...]:
        """The finished stages."""
        columns = [stages.c[name] for name in StageRecord.model_fields]
        query = select(*columns).where(stages.c.job_id == job_id).order_by(stages.c.number)
        with self._database.reading() as connection:
            row_of(connection, job_id)
            return tuple(StageRecord.model_validate(r._asdict()) for r in connection.execute(query))

    def release(self, job: Job) -> Job:
        """Let a claim go."""
        with self._database.writing() as connection:
            return self._let_go(connection, self._held(connection, job))

    def postpone(self, job: Job, reason: str, delay_s: float, *, counts: bool) -> Job:
        """Let a claim go, for later."""
        with self._database.writing() as connection:
            row = self._held(connection, job)
            if row.is_cancel_requested:
                return self._let_go(connection, row)
            return self._let_go(
                connection,
                row,
                error=plain_text(reason),
                failures=row.failures + counts,
                not_before_s=self._clock() + min(max(0.0, delay_s), LONGEST_DELAY_S),
            )

    def release_orphans(self, stale_after_s: float = STALE_AFTER_S) -> tuple[Job, ...]:
        """Release the claims that nobody stands behind."""
        with self._database.reading() as connection:
            held = connection.execute(select(jobs).where(jobs.c.worker.is_not(None))).all()
        orphans = [row for row in held if self._is_orphan(row, stale_after_s)]
        if not orphans:
            return ()
        # looking at processes takes time, so it is done outside the lock; inside, the claim must be the same
        with self._database.writing() as connection:
            return tuple(
                self._set_free(connection, now)
                for now, seen in ((row_of(connection, row.id), row) for row in orphans)
                if claim_in(now) == claim_in(seen)
            )

    def forget(self, older_than_s: float) -> int:
        """Remove jobs that ended long ago."""
        old = (jobs.c.state.in_(list(TERMINAL)), jobs.c.updated_s < self._clock() - older_than_s)
        query = delete(jobs).where(*old, jobs.c.id.not_in(newest_successes()))
        with self._database.writing() as connection:
            return connection.execute(query).rowcount

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _new(self, request: JobRequest, fingerprint: str, linked_to: str) -> dict[str, Any]:
        now_s = self._clock()
        return {
            "request": request_json(request),
            "fingerprint": fingerprint,
            "linked_to": linked_to,
            "state": JobState.PENDING,
            "attempt": 0,
            "stage": "",
            "progress": 0.0,
            "error": "",
            "created_s": now_s,
            "updated_s": now_s,
            "is_cancel_requested": False,
            "priority": request.priority,
            "failures": 0,
            "orphaned": 0,
            "not_before_s": 0.0,
        }

    def _hurried(self, connection: Connection, equal: Job, request: JobRequest) -> Job:
        """An equal job that waits, as urgent as the more urgent of the two requests."""
        if equal.state.is_terminal or equal.request.priority >= request.priority:
            return equal
        urgent = equal.request.evolve(priority=request.priority)
        return self._change(connection, equal.id, request=request_json(urgent), priority=request.priority)

    def _insert(self, connection: Connection, values: dict[str, Any], command: Command | None) -> Job:
        last_id = connection.execute(select(func.max(jobs.c.id))).scalar() or ""
        job_id = next_job_id(values["created_s"], last_id)
        row = connection.execute(insert(jobs).values(id=job_id, **values).returning(jobs)).one()
        _note_command(connection, command, job_id)
        return job_of(row)

    def _hold(self, connection: Connection, row: Row[Any], worker: Worker) -> Job:
        if row.state == JobState.PENDING:
            expect_move(row.id, JobState(row.state), JobState.PROCESSING)
        return self._beat(
            connection,
            row.id,
            state=JobState.PROCESSING,
            attempt=row.attempt + 1,
            error="",
            not_before_s=0.0,
            worker=worker.name,
            worker_host=worker.process.host,
            worker_pid=worker.process.pid,
            worker_started=worker.process.started,
        )

    def _held(self, connection: Connection, job: Job) -> Row[Any]:
        """The row of a job whose claim ``job`` holds: the fence that every write of a worker passes."""
        row = row_of(connection, job.id)
        if row.attempt == job.attempt and row.worker is not None:
            return row
        if row.attempt == job.attempt and JobState(row.state).is_terminal:
            raise JobError(f"Job {job.id} has ended as {row.state}; nothing more can be written for it.")
        raise JobLostError(
            f"Job {job.id} is no longer held by attempt {job.attempt} (now at {row.attempt}): another worker "
            "took it over, or its claim was released. Stop working on it; nothing was written."
        )

    def _change(self, connection: Connection, job_id: str, **values: Any) -> Job:
        query = update(jobs).where(jobs.c.id == job_id).values(updated_s=self._clock(), **values)
        return job_of(connection.execute(query.returning(jobs)).one())

    def _beat(self, connection: Connection, job_id: str, **values: Any) -> Job:
        return self._change(connection, job_id, heartbeat_s=self._clock(), **values)

    def _end(self, job: Job, state: JobState, **values: Any) -> Job:
        with self._database.writing() as connection:
            expect_steps(self._held(connection, job), state)
            return self._change(connection, job.id, state=state, **NO_CLAIM, **values)

    def _let_go(self, connection: Connection, row: Row[Any], **values: Any) -> Job:
        """Unclaimed again; one that was to be cancelled ends here, since its worker cannot confirm it."""
        end = JobState.CANCELLED if row.is_cancel_requested else JobState.PROCESSING
        return self._change(connection, row.id, state=end, **NO_CLAIM, **values)

    def _set_free(self, connection: Connection, row: Row[Any]) -> Job:
        """Unclaimed again after the service died; one to which that happens again and again ends here."""
        count = row.orphaned + 1
        if row.is_cancel_requested or count < ORPHAN_LIMIT:
            return self._let_go(connection, row, orphaned=count)
        expect_steps(row, JobState.FAILED)
        words = lost_again(count)
        return self._change(
            connection, row.id, state=JobState.FAILED, error=words, orphaned=count, **NO_CLAIM
        )

    def _is_orphan(self, row: Row[Any], stale_after_s: float) -> bool:
        claim = claim_in(row)
        return claim is not None and is_orphan(
            claim, now_s=self._clock(), stale_after_s=stale_after_s, is_running=self._is_running
        )


def _error(reason: str) -> dict[str, Any]:
    """The reason as the job's error, where there is one: an earlier one stays."""
    return {"error": plain_text(reason)} if reason else {}


def _note_command(connection: Connection, command: Command | None, job_id: str) -> None:
    if command is not None:
        connection.execute(insert(commands).values(**command.model_dump(), job_id=job_id))
