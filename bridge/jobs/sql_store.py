"""The job store in SQL. Every method is one transaction; every write checks the claim inside it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from bridge.errors import JobError, JobLostError
from bridge.jobs.database import Database
from bridge.jobs.ids import next_job_id
from bridge.jobs.processes import ProcessMark
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
from bridge.jobs.tables import jobs, stages
from bridge.values import Delivery, Job, JobRequest, JobState

Names = Collection[JobState]
_NO_CLAIM = {
    "worker": None,
    "worker_host": None,
    "worker_pid": None,
    "worker_started": None,
    "heartbeat_s": None,
}


class SqlJobStore:
    """``JobStore`` over a ``Database``; usable from several threads and processes at once."""

    def __init__(self, database: Database, *, clock: Clock, is_running: IsRunning) -> None:
        self._database = database
        self._clock = clock
        self._is_running = is_running

    def submit(self, request: JobRequest, fingerprint: str, *, linked_to: str = "") -> Job:
        """Add a PENDING job."""
        text = request_json(request)
        with self._database.writing() as connection:
            return self._insert(connection, text, fingerprint, linked_to)

    def submit_once(self, request: JobRequest, fingerprint: str, *, counting: Names = OPEN) -> Submitted:
        """The equal job that is there, or a new one."""
        text = request_json(request)
        with self._database.writing() as connection:
            found = _find(connection, fingerprint, counting)
            return Submitted(
                job=found or self._insert(connection, text, fingerprint, ""), is_new=found is None
            )

    def get(self, job_id: str) -> Job:
        """The job as it stands."""
        with self._database.reading() as connection:
            return _job(_row(connection, job_id))

    def find(self, fingerprint: str, states: Names) -> Job | None:
        """The newest equal job in one of ``states``."""
        with self._database.reading() as connection:
            return _find(connection, fingerprint, states)

    def find_open(self, fingerprint: str) -> Job | None:
        """The newest unfinished equal job."""
        return self.find(fingerprint, OPEN)

    def list(self, *, limit: int = 50, before: str = "", states: Names = frozenset()) -> tuple[Job, ...]:
        """Jobs, newest first."""
        older = jobs.c.id < before if before else true()
        query = select(jobs).where(older, _in(states)).order_by(jobs.c.id.desc()).limit(max(0, limit))
        with self._database.reading() as connection:
            return tuple(_job(row) for row in connection.execute(query))

    def count(self, states: Names = frozenset()) -> int:
        """How many jobs are in ``states``."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(jobs).where(_in(states))).scalar_one()

    def claim(self, worker: Worker, job_id: str = "") -> Job | None:
        """Take a waiting job."""
        wanted = jobs.c.id == job_id if job_id else true()
        query = select(jobs).where(wanted, _IS_WAITING).order_by(jobs.c.id).limit(1)
        with self._database.writing() as connection:
            row = connection.execute(query).one_or_none()
            if row is not None:
                return self._hold(connection, row, worker)
            if job_id:
                _row(connection, job_id)  # an id that nobody knows is an error, not "nothing waits"
            return None

    def claim_of(self, job_id: str) -> Claim | None:
        """Who works on the job."""
        with self._database.reading() as connection:
            return _claim(_row(connection, job_id))

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
        return self._end(job, JobState.SUCCESS, delivery=delivery.model_dump_json(), progress=1.0, error="")

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        """End as FAILED."""
        return self._end(
            job, JobState.FAILED, error=error, delivery=delivery.model_dump_json() if delivery else None
        )

    def confirm_cancel(self, job: Job) -> Job:
        """End as CANCELLED."""
        return self._end(job, JobState.CANCELLED)

    def request_cancel(self, job_id: str) -> Job:
        """Cancel, or ask the worker to."""
        with self._database.writing() as connection:
            row = _row(connection, job_id)
            if row.state == JobState.CANCELLED:
                return _job(row)
            if row.worker is not None:
                return self._change(connection, job_id, is_cancel_requested=True)
            _expect_steps(row, JobState.CANCELLED)
            return self._change(connection, job_id, state=JobState.CANCELLED, is_cancel_requested=True)

    def record_stage(self, job: Job, record: StageRecord) -> None:
        """Note a finished stage."""
        values = {**record.model_dump(), "job_id": job.id, "attempt": job.attempt}
        with self._database.writing() as connection:
            self._held(connection, job)
            if not _is_recorded(connection, values):
                connection.execute(insert(stages).values(values))
            self._beat(connection, job.id)

    def stages(self, job_id: str) -> tuple[StageRecord, ...]:
        """The finished stages."""
        columns = [stages.c[name] for name in StageRecord.model_fields]
        query = select(*columns).where(stages.c.job_id == job_id).order_by(stages.c.number)
        with self._database.reading() as connection:
            _row(connection, job_id)
            return tuple(StageRecord.model_validate(r._asdict()) for r in connection.execute(query))

    def release(self, job: Job) -> Job:
        """Let a claim go."""
        with self._database.writing() as connection:
            return self._let_go(connection, self._held(connection, job))

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
                self._let_go(connection, now)
                for now, seen in ((_row(connection, row.id), row) for row in orphans)
                if _claim(now) == _claim(seen)
            )

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def _insert(self, connection: Connection, request: str, fingerprint: str, linked_to: str) -> Job:
        now_s = self._clock()
        last_id = connection.execute(select(func.max(jobs.c.id))).scalar() or ""
        values: dict[str, Any] = {
            "id": next_job_id(now_s, last_id),
            "request": request,
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
        }
        return _job(connection.execute(insert(jobs).values(values).returning(jobs)).one())

    def _hold(self, connection: Connection, row: Row[Any], worker: Worker) -> Job:
        if row.state == JobState.PENDING:
            expect_move(row.id, JobState(row.state), JobState.PROCESSING)
        return self._beat(
            connection,
            row.id,
            state=JobState.PROCESSING,
            attempt=row.attempt + 1,
            worker=worker.name,
            worker_host=worker.process.host,
            worker_pid=worker.process.pid,
            worker_started=worker.process.started,
        )

    def _held(self, connection: Connection, job: Job) -> Row[Any]:
        """The row of a job whose claim ``job`` holds: the fence that every write of a worker passes."""
        row = _row(connection, job.id)
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
        return _job(connection.execute(query.returning(jobs)).one())

    def _beat(self, connection: Connection, job_id: str, **values: Any) -> Job:
        return self._change(connection, job_id, heartbeat_s=self._clock(), **values)

    def _end(self, job: Job, state: JobState, **values: Any) -> Job:
        with self._database.writing() as connection:
            _expect_steps(self._held(connection, job), state)
            return self._change(connection, job.id, state=state, **_NO_CLAIM, **values)

    def _let_go(self, connection: Connection, row: Row[Any]) -> Job:
        """Unclaimed again; one that was to be cancelled ends here, since its worker cannot confirm it."""
        end = JobState.CANCELLED if row.is_cancel_requested else JobState.PROCESSING
        return self._change(connection, row.id, state=end, **_NO_CLAIM)

    def _is_orphan(self, row: Row[Any], stale_after_s: float) -> bool:
        claim = _claim(row)
        return claim is not None and is_orphan(
            claim, now_s=self._clock(), stale_after_s=stale_after_s, is_running=self._is_running
        )


_IS_WAITING = or_(
    jobs.c.state == JobState.PENDING, and_(jobs.c.state == JobState.PROCESSING, jobs.c.worker.is_(None))
)


def _in(states: Names) -> ColumnElement[bool]:
    return jobs.c.state.in_(list(states)) if states else true()


def _find(connection: Connection, fingerprint: str, states: Names) -> Job | None:
    named = _in(states) if states else false()
    same = and_(jobs.c.fingerprint == fingerprint, named, not_(jobs.c.is_cancel_requested))
    row = connection.execute(select(jobs).where(same).order_by(jobs.c.id.desc()).limit(1)).one_or_none()
    return _job(row) if row else None


def _row(connection: Connection, job_id: str) -> Row[Any]:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise JobError(f"There is no job {job_id!r}; `stembridge status` lists those that there are.")
    return row


def _is_recorded(connection: Connection, values: dict[str, Any]) -> bool:
    same = [stages.c[name] == values[name] for name in ("job_id", "attempt", "stage", "key")]
    return connection.execute(select(stages.c.number).where(*same)).first() is not None


def _expect_steps(row: Row[Any], end: JobState) -> None:
    old = JobState(row.state)
    for step in steps_to_end(old, end):
        expect_move(row.id, old, step)
        old = step


def _claim(row: Row[Any]) -> Claim | None:
    if row.worker is None:
        return None
    mark = ProcessMark(host=row.worker_host, pid=row.worker_pid, started=row.worker_started)
    worker = Worker(name=row.worker, process=mark)
    return Claim(worker=worker, attempt=row.attempt, heartbeat_s=row.heartbeat_s)


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        request=JobRequest.model_validate_json(row.request),
        state=JobState(row.state),
        attempt=row.attempt,
        created_s=row.created_s,
        updated_s=row.updated_s,
        stage=row.stage,
        progress=row.progress,
        error=row.error,
        delivery=Delivery.model_validate_json(row.delivery) if row.delivery else None,
        linked_to=row.linked_to,
    )
