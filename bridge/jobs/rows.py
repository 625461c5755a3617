"""Rows of the jobs' tables as values, and the questions that are asked of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from bridge.errors import JobError
from bridge.jobs.processes import ProcessMark
from bridge.jobs.states import expect_move, steps_to_end
from bridge.jobs.store import Claim, Command, Worker
from bridge.jobs.tables import commands, jobs, stages
from bridge.values import Delivery, Job, JobRequest, JobState

Names = Collection[JobState]

NO_CLAIM = {
    "worker": None,
    "worker_host": None,
    "worker_pid": None,
    "worker_started": None,
    "heartbeat_s": None,
}

IS_WAITING = or_(
    jobs.c.state == JobState.PENDING, and_(jobs.c.state == JobState.PROCESSING, jobs.c.worker.is_(None))
)


def delay_left(now_s: float) -> ColumnElement[float]:
    """Seconds for which a waiting job must still wait; 0 where the clock stands before it was put off."""
    left = jobs.c.not_before_s - now_s
    return case((and_(left > 0, jobs.c.updated_s <= now_s), left), else_=0.0)


def in_states(states: Names) -> ColumnElement[bool]:
    """In one of ``states``, or in any where none is named."""
    return jobs.c.state.in_(list(states)) if states else true()


def job_of(row: Row[Any]) -> Job:
    """The job that a row holds."""
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
        failures=row.failures,
        not_before_s=row.not_before_s,
    )


def claim_in(row: Row[Any]) -> Claim | None:
    """Who works on the job of a row."""
    if row.worker is None:
        return None
    mark = ProcessMark(host=row.worker_host, pid=row.worker_pid, started=row.worker_started)
    worker = Worker(name=row.worker, process=mark)
    return Claim(worker=worker, attempt=row.attempt, heartbeat_s=row.heartbeat_s)


def row_of(connection: Connection, job_id: str) -> Row[Any]:
    """The row of a job; JobError where there is none."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise JobError(f"There is no job {job_id!r}; `stembridge status` lists those that there are.")
    return row


def newest_equal(connection: Connection, fingerprint: str, states: Names) -> Job | None:
    """The newest job of that fingerprint in one of ``states`` that is not being cancelled."""
    named = in_states(states) if states else false()
    same = and_(jobs.c.fingerprint == fingerprint, named, not_(jobs.c.is_cancel_requested))
    row = connection.execute(select(jobs).where(same).order_by(jobs.c.id.desc()).limit(1)).one_or_none()
    return job_of(row) if row else None


def job_by_command(connection: Connection, command: Command | None) -> Job | None:
    """The job that a command made before."""
    if command is None:
        return None
    same = and_(commands.c.client == command.client, commands.c.number == command.number)
    query = select(jobs).join(commands, commands.c.job_id == jobs.c.id).where(same)
    row = connection.execute(query).one_or_none()
    return job_of(row) if row else None


def has_stage(connection: Connection, **values: Any) -> bool:
    """Whether a stage with those values was recorded."""
    same = [stages.c[name] == value for name, value in values.items()]
    return connection.execute(select(stages.c.number).where(*same)).first() is not None


def newest_successes() -> Select[Any]:
    """Ids of the newest SUCCESS of each fingerprint: how a song is known to be done."""
    newest = select(func.max(jobs.c.id)).where(jobs.c.state == JobState.SUCCESS)
    return newest.group_by(jobs.c.fingerprint)


def expect_steps(row: Row[Any], end: JobState) -> None:
    """Let a job's way to ``end`` pass; JobError where the table has none."""
    old = JobState(row.state)
    for step in steps_to_end(old, end):
        expect_move(row.id, old, step)
        old = step
