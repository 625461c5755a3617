"""The service as doors see it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bridge.config import Config
from bridge.jobs import OPEN, Command, FileLedger, Submitted
from bridge.jobs.inspection import Inspected
from bridge.service.feed import Feed
from bridge.service.state import DoorState
from bridge.values import Job, JobRequest, JobState, Value


class JobEdit(Value):
    """What a repeated job does otherwise; None leaves it as it was."""

    recipe: str | None = None
    destination: Path | None = None
    targets: tuple[str, ...] | None = None
    wishes: tuple[str, ...] | None = None
    keep_separated: bool | None = None


class Service:
    """What doors may do. Every method may be called from any thread."""

    config: Config
    """The settings as they are now; each door gets a new start when its own change."""
    feed: Feed
    """What happens, numbered."""
    files: FileLedger
    """Files that were seen, across restarts."""

    def inspect(self, path: Path) -> Inspected:
        """What a file (or folder of stems) is: hash, and whether it is whole. Done in a worker; blocks."""
        raise NotImplementedError

    def submit(
        self,
        request: JobRequest,
        *,
        sha256: str = "",
        counting: Collection[JobState] = OPEN,
        command: Command | None = None,
    ) -> Submitted:
        """Commit a job, or find the equal one in one of the states ``counting``; durable on return.

        ``sha256`` of the source is computed (in a worker) where it is not given. A ``command`` takes effect
        once: given again, it returns the job that it made. Raises ConfigError for an unknown recipe, target
        or wish, InputError for a source that cannot be read, StorageError.
        """
        raise NotImplementedError

    def supersede(self, old_job_id: str, reason: str) -> Job:
        """Cancel an unfinished job whose source changed; one that has ended stays as it is."""
        raise NotImplementedError

    def cancel(self, job_id: str, reason: str = "") -> Job:
        """Cancel; at work it ends within a second. JobError where it has ended otherwise."""
        raise NotImplementedError

    def again(self, job_id: str, edit: JobEdit | None = None, *, command: Command | None = None) -> Submitted:
        """A new job linked to an ended one, with its finished stages; retry is this without an edit."""
        raise NotImplementedError

    def job(self, job_id: str) -> Job:
        """The job; JobError where there is none."""
        raise NotImplementedError

    def jobs(
        self, *, limit: int = 50, before: str = "", states: Collection[JobState] = frozenset()
    ) -> tuple[Job, ...]:
        """Jobs, newest first, a page at a time."""
        raise NotImplementedError

    def count(self, states: Collection[JobState] = frozenset()) -> int:
        """How many jobs are in ``states``."""
        raise NotImplementedError

    def confine(self, path: Path) -> Path:
        """The path with links followed, if it lies in a permitted folder; InputError else."""
        raise NotImplementedError

    def tell_state(self, state: DoorState) -> None:
        """Say how a door does, for ``status`` and ``doctor``."""
        raise NotImplementedError
