"""What every job store can do: the one wide protocol, the values around it, and the default one."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Protocol, Self

from pydantic import Field

from bridge.jobs.files import FileLedger
from bridge.jobs.processes import ProcessMark, is_running, this_process
from bridge.jobs.states import OPEN
from bridge.values import Delivery, Job, JobRequest, JobState, Seconds, Value

Clock = Callable[[], float]
"""Seconds since 1970."""

IsRunning = Callable[[ProcessMark], bool | None]
"""Whether a process still runs; None where that cannot be known from here."""

STALE_AFTER_S = 60.0
"""A claim from another host whose last sign of life is older is given up; far above a network's pauses."""

LONGEST_DELAY_S = 86_400.0
"""A job is put off for this long at most."""

ORPHAN_LIMIT = 5
"""A job under which the whole service died so often, without a new stage finished in between, is given up."""


class Worker(Value):
    """Who claims jobs: a name for people, and the process that must be alive for the claim to hold."""

    name: str
    process: ProcessMark

    @classmethod
    def here(cls, name: str = "worker") -> Self:
        """A worker in this process."""
        return cls(name=name, process=this_process())


class Claim(Value):
    """A worker's hold on a job."""

    worker: Worker
    attempt: int
    heartbeat_s: float


class StageRecord(Value):
    """A stage that a job has finished."""

    stage: str
    key: str
    seconds: Seconds = 0.0
    was_reused: bool = False
    attempt: int = Field(default=0, description="the job's attempt that finished it; the store fills it in")


class Command(Value):
    """A door's command, which takes effect once however often it arrives."""

    client: str = Field(min_length=1, max_length=64)
    """The sender, by a name that it made up afresh when it started."""
    number: int = Field(ge=0)
    """Counts up with each of its commands."""


class Submitted(Value):
    """The job that stands for a request."""

    job: Job
    is_new: bool
    """False where an equal request was there already."""


class JobStore(Protocol):
    """Keeps jobs. Everything that a method changed is durable when it returns.

    A worker writes with the ``Job`` that ``claim`` gave it: its ``attempt`` is the fencing number. When the
    claim is no longer held, every write raises JobLostError and changes nothing. A step that the state table
    does not have, or an unknown id, is a JobError; a database that cannot be used is a StorageError.
    """

    @property
    def files(self) -> FileLedger:
        """Files that were seen, kept beside the jobs."""
        ...

    def submit(
        self, request: JobRequest, fingerprint: str, *, linked_to: str = "", command: Command | None = None
    ) -> Job:
        """Add a PENDING job, with an id greater than all before.

        A ``command`` takes effect once: given again, it returns the job that it made, as that stands now.
        """
        ...

    def submit_once(
        self,
        request: JobRequest,
        fingerprint: str,
        *,
        counting: Collection[JobState] = OPEN,
        command: Command | None = None,
        linked_to: str = "",
    ) -> Submitted:
        """The newest job of that fingerprint in one of the states ``counting``, or else a new one.

        Atomic: of two processes that submit the same thing at once, one adds it. A job that is being
        cancelled does not count; one that waits becomes as urgent as this request, if that is more. A
        ``command`` that was given before returns the job that it led to, whatever became of that.
        """
        ...

    def job_of(self, command: Command) -> Job | None:
        """The job that a command led to; None where it was not given before."""
        ...

    def get(self, job_id: str) -> Job:
        """The job as it stands; JobError where there is none of that id."""
        ...

    def find(self, fingerprint: str, states: Collection[JobState]) -> Job | None:
        """The newest job of that fingerprint in one of ``states`` that is not being cancelled."""
        ...

    def find_open(self, fingerprint: str) -> Job | None:
        """The newest unfinished job of that fingerprint."""
        ...

    def list(
        self, *, limit: int = 50, before: str = "", states: Collection[JobState] = frozenset()
    ) -> tuple[Job, ...]:
        """Jobs, newest first: at most ``limit``, older than the job ``before``, in ``states`` or in any."""
        ...

    def open_ids(self) -> frozenset[str]:
        """The ids of all unfinished jobs; cheap, however many there are."""
        ...

    def count(self, states: Collection[JobState] = frozenset()) -> int:
        """How many jobs are in ``states``, or in all."""
        ...

    def claim(self, worker: Worker, job_id: str = "") -> Job | None:
        """Take that job, or the first that waits; None where there is nothing to take.

        Waiting are PENDING jobs, and PROCESSING ones whose claim was released. Higher priority goes first; of
        equals, the oldest. One that was put off is passed over until its time has come, unless it is named,
        or the clock was set back to before it was put off. The job comes back PROCESSING with ``attempt``
        one higher.
        """
        ...

    def next_due_s(self) -> float | None:
        """Seconds until a waiting job may be claimed, 0 for at once; None where none waits."""
        ...

    def claim_of(self, job_id: str) -> Claim | None:
        """Who works on the job, if anybody."""
        ...

    def heartbeat(self, job: Job, *, stage: str | None = None, share: float | None = None) -> None:
        """Say that the claim lives, and where the job stands: stage, and share of the whole (0 to 1)."""
        ...

    def is_cancel_requested(self, job: Job) -> bool:
        """Whether somebody asked to cancel this claimed job. Reads only."""
        ...

    def note_source(self, job: Job, fingerprint: str) -> None:
        """Say of what bytes a claimed job is: those that it was given for may have been replaced since."""
        ...

    def transition(self, job: Job, state: JobState) -> Job:
        """Move a claimed job between PROCESSING and RETRYING_QA."""
        ...

    def succeed(self, job: Job, delivery: Delivery) -> Job:
        """End a claimed job as SUCCESS, with its delivery."""
        ...

    def fail(self, job: Job, error: str, delivery: Delivery | None = None) -> Job:
        """End a claimed job as FAILED, saying why; ``delivery`` is what was delivered all the same."""
        ...

    def confirm_cancel(self, job: Job, reason: str = "") -> Job:
        """End a claimed job as CANCELLED, once its work has stopped; its error is the reason, if any."""
        ...

    def request_cancel(self, job_id: str, reason: str = "") -> Job:
        """Cancel a job from outside: at once where nobody works on it, else its worker is asked to stop.

        ``reason`` becomes the job's error. A CANCELLED job stays as it is; one that ended otherwise is a
        JobError.
        """
        ...

    def record_stage(self, job: Job, record: StageRecord) -> None:
        """Note a finished stage of a claimed job; the same stage and key in one attempt count once."""
        ...

    def stages(self, job_id: str) -> tuple[StageRecord, ...]:
        """The finished stages of a job, in the order in which they were recorded."""
        ...

    def release(self, job: Job) -> Job:
        """Give a claim back undone: the job waits again and keeps its attempt number."""
        ...

    def postpone(self, job: Job, reason: str, delay_s: float, *, counts: bool) -> Job:
        """Give a claim back undone, not to be taken again for ``delay_s``, which is a day at most.

        ``reason`` is the job's error while it waits. ``counts`` says whether this was one of its failures. A
        job that was to be cancelled meanwhile is CANCELLED.
        """
        ...

    def release_orphans(self, stale_after_s: float = STALE_AFTER_S) -> tuple[Job, ...]:
        """Release every claim whose process is gone; the jobs as they stand then.

        A process on this host is looked at directly, however old its heartbeat: a sleeping laptop loses
        nothing. One on another host is given up when its heartbeat is older than ``stale_after_s``.

        Most of them wait again. One that was to be cancelled is CANCELLED. One to which this happened
        ``ORPHAN_LIMIT`` times since it last finished a new stage is FAILED: it may be what ends the service.
        """
        ...

    def forget(self, older_than_s: float) -> int:
        """Remove what ended longer ago than that, and tell how many jobs that were.

        Their stages and commands go with them; files that were seen stay. The newest SUCCESS of each
        fingerprint stays, too: by it a song is known to be done.
        """
        ...

    def close(self) -> None:
        """Let the database go."""
        ...


def open_store(
    path: Path,
    *,
    clock: Clock = time.time,
    is_running: IsRunning = is_running,
    busy_timeout_s: float = 15.0,
) -> JobStore:
    """Open, create or bring up to date the SQLite store at ``path``; safe when several processes do it.

    Raises StorageError where the file is no store, is damaged, newer than this stembridge, locked for longer
    than ``busy_timeout_s``, or cannot be written. SQLAlchemy is imported here, not with the package.
    """
    from bridge.jobs.database import open_database
    from bridge.jobs.sql_store import SqlJobStore

    return SqlJobStore(open_database(path, busy_timeout_s), clock=clock, is_running=is_running)


def lost_again(count: int) -> str:
    """What is told of a job under which the service died ``count`` times."""
    return (
        f"stembridge, or the whole computer, stopped {count} times in a row while this job was at work, and "
        "no stage of it was finished in between. Most often memory runs out: close other programs, or take a "
        "shorter song. Then start the job again; finished stages are kept."
    )


def is_orphan(claim: Claim, *, now_s: float, stale_after_s: float, is_running: IsRunning) -> bool:
    """Whether nobody stands behind a claim any more."""
    running = is_running(claim.worker.process)
    return now_s - claim.heartbeat_s > stale_after_s if running is None else not running
