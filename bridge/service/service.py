"""The service as doors see it: every method may be called from any thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from bridge import events
from bridge.config import Config, home_path
from bridge.errors import InputError, JobError
from bridge.jobs import OPEN, Command, FileLedger, Inspected, JobStore, Outcome, Submitted, fingerprint
from bridge.service.feed import Feed
from bridge.service.state import DoorState
from bridge.values import ASKED_FOR, Job, JobRequest, JobState, Value
from presets import parse_wishes, target

HASH_TARGET = "bridge.service.tasks:hash_song"
INSPECT_TARGET = "bridge.jobs.inspection:inspect"
WARM_TARGET = "bridge.service.tasks:nothing"


class JobEdit(Value):
    """What a repeated job does otherwise; None leaves it as it was."""

    recipe: str | None = None
    destination: Path | None = None
    targets: tuple[str, ...] | None = None
    wishes: tuple[str, ...] | None = None
    keep_separated: bool | None = None

    def applied_to(self, request: JobRequest) -> JobRequest:
        """The request with what is edited in place of what it had."""
        changes = {name: value for name, value in self if value is not None}
        return request.evolve(**changes)


class Runs(Protocol):
    """Calls "module:function" somewhere: in worker processes, or in a test here."""

    def run(self, target: str, /, *arguments: Any) -> Outcome:
        """Call it and wait for its end."""
        ...


class Service:
    """What doors may do.

    Args:
        settings: gives the configuration as it is now.
        store: where jobs are kept.
        prober: where strangers' files are read.
        feed: hears what happens.
        on_queued: called when there is a job to start.
        on_ended: called with a job that was cancelled while nobody was at work on it.
        on_state: called when a door has told how it does.
    """

    def __init__(
        self,
        settings: Callable[[], Config],
        store: JobStore,
        prober: Runs,
        *,
        feed: Feed,
        on_queued: Callable[[], None] = lambda: None,
        on_ended: Callable[[Job], None] = lambda _: None,
        on_state: Callable[[DoorState], None] = lambda _: None,
    ) -> None:
        self.feed = feed
        """What happens, numbered."""
        self._settings = settings
        self._store = store
        self._prober = prober
        self._on_queued = on_queued
        self._on_ended = on_ended
        self._on_state = on_state

    @property
    def config(self) -> Config:
        """The settings as they are now; a door is started anew when its own change."""
        return self._settings()

    @property
    def files(self) -> FileLedger:
        """Files that were seen, across restarts."""
        return self._store.files

    def inspect(self, path: Path) -> Inspected:
        """What a file (or folder of stems) is: its hash, and whether it is whole. Read in a worker; blocks.

        Raises InputError where it is no song or cannot be read.
        """
        inspected: Inspected = _value(self._prober.run(INSPECT_TARGET, path))
        return inspected

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
        once: given again, it returns the job that it made. Raises ConfigError or PresetError for an unknown
        recipe, target or wish, InputError for a source that cannot be read, StorageError.
        """
        return self.made_by(command) or self._submit(request, sha256, counting, command, linked_to="")

    def again(self, job_id: str, edit: JobEdit | None = None, *, command: Command | None = None) -> Submitted:
        """A new job linked to an ended one, which reuses its finished stages; without an edit, a retry.

        Raises JobError where the job has not ended, or there is none.
        """
        if made := self.made_by(command):
            return made
        old = self._store.get(job_id)
        if not old.state.is_terminal:
            raise JobError(
                f"Job {job_id} has not ended ({old.state}); wanted one that has. "
                "Wait for it, or cancel it first."
            )
        request = (edit or JobEdit()).applied_to(old.request).evolve(priority=ASKED_FOR)
        return self._submit(request, "", OPEN, command, linked_to=job_id)

    def cancel(self, job_id: str, reason: str = "") -> Job:
        """Cancel; a job at work ends within a second. JobError where it has ended otherwise."""
        was_open = not self._store.get(job_id).state.is_terminal
        job = self._store.request_cancel(job_id, reason)
        if was_open and job.state is JobState.CANCELLED:  # nobody was at work on it who would tell
            self.feed.publish(events.JobCancelled(job_id=job_id, reason=reason))
            self._on_ended(job)
        return job

    def supersede(self, old_job_id: str, reason: str) -> Job:
        """Cancel an unfinished job whose source changed; one that has ended stays as it is."""
        try:
            return self.cancel(old_job_id, reason)
        except JobError:
            return self._store.get(old_job_id)

    def job(self, job_id: str) -> Job:
        """The job; JobError where there is none."""
        return self._store.get(job_id)

    def jobs(
        self, *, limit: int = 50, before: str = "", states: Collection[JobState] = frozenset()
    ) -> tuple[Job, ...]:
        """Jobs, newest first, a page at a time: at most ``limit``, older than the job ``before``."""
        return self._store.list(limit=limit, before=before, states=states)

    def count(self, states: Collection[JobState] = frozenset()) -> int:
        """How many jobs are in ``states``, or in all."""
        return self._store.count(states)

    def made_by(self, command: Command | None) -> Submitted | None:
        """What a command led to that was given before: looked up first, since its song may be gone by now."""
        job = self._store.job_of(command) if command else None
        return Submitted(job=job, is_new=False) if job else None

    def confine(self, path: Path) -> Path:
        """The absolute path with links followed, if it lies in a permitted folder.

        Permitted are ``service.roots``, the watched folders and their projects. InputError else.
        """
        try:
            real = path.expanduser().resolve()
        except (OSError, RuntimeError, ValueError) as cause:
            raise InputError(
                f"{path} cannot be followed ({cause}); wanted a path on this machine."
            ) from cause
        roots = self._roots()
        if any(real.is_relative_to(root) for root in roots):
            return real
        allowed = ", ".join(str(root) for root in roots) or "nothing"
        raise InputError(
            f"{path} lies outside of the folders that may be named from outside ({allowed}). "
            "Add its folder to service.roots in the settings, or move the file."
        )

    def warm_up(self) -> None:
        """Have a worker ready for files that will soon be named; returns at once."""
        threading.Thread(target=self._prober.run, args=(WARM_TARGET,), name="warm-up", daemon=True).start()

    def tell_state(self, state: DoorState) -> None:
        """Say how a door does, for ``status`` and ``doctor``."""
        self._on_state(state)

    def _submit(
        self,
        request: JobRequest,
        sha256: str,
        counting: Collection[JobState],
        command: Command | None,
        linked_to: str,
    ) -> Submitted:
        self._expect_known_words(request)
        content = sha256 or _value(self._prober.run(HASH_TARGET, request.source))
        submitted = self._store.submit_once(
            request, fingerprint(request, content), counting=counting, command=command, linked_to=linked_to
        )
        if submitted.is_new:
            job_id, name = submitted.job.id, request.source.name
            self.feed.publish(events.JobQueued(job_id=job_id, source=name, recipe=request.recipe))
            self._on_queued()
        return submitted

    def _expect_known_words(self, request: JobRequest) -> None:
        self.config.recipe(request.recipe)
        for name in request.targets:
            target(name)
        for words in request.wishes:
            parse_wishes(words)

    def _roots(self) -> list[Path]:
        folders = self.config.watch.folders
        named = [home_path(root) for root in self.config.service.roots]
        watched = [folder.folder for folder in folders]
        projects = [folder.project_folder for folder in folders if folder.project_folder]
        return [Path(os.path.realpath(root)) for root in (*named, *watched, *projects)]


def _value(outcome: Outcome) -> Any:
    if outcome.error is not None:
        raise outcome.error
    return outcome.value
