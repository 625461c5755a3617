"""What is known of the files in watched folders, and which job each of them became."""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from bridge.errors import JobError, StorageError
from bridge.jobs import OPEN, SeenFile, Submitted
from bridge.service import Service
from bridge.service.marks import Mark
from bridge.values import Job, JobOrigin, JobRequest, JobState

DONE = OPEN | {JobState.SUCCESS}
"""States in which a job keeps its equal from being made: FAILED and CANCELLED ones do not count."""


NO_MARK = Mark(-1, -1, 0)
"""What no file looks like."""

DISTURBED = frozenset({"SourceChangedError", "SourceMissingError"})
"""Errors of jobs that say nothing about the song: it was written, or its disk away, under the work."""

TRIALS = 3
"""How often a file that looks the same has another try after such an error."""


log = logging.getLogger(__name__)


class DoorClosed(Exception):  # noqa: N818 - a request that was met, not a fault
    """The door was closed; nothing more takes effect."""


class Known(NamedTuple):
    """A file that was dealt with: as it looked then, and what it became."""

    mark: Mark
    job_id: str
    """"" where it became no job."""


class Verdict(NamedTuple):
    """What the end of a job means for the files behind it."""

    done: tuple[Path, ...] = ()
    failed: tuple[Path, ...] = ()
    again: tuple[Path, ...] = ()
    """Files that were left to this job, as equals of its own source, and now have to go their own way."""


class Failure(NamedTuple):
    """A failed job that stands for a file."""

    job_id: str
    is_first: bool
    """Whether no other job of the same source has failed."""


class Book:
    """The service's ledger of files, at hand, together with its jobs. Usable from several threads.

    One lock holds together what belongs together: that a job is made and that its file is known to be it;
    that a job is superseded and that the equals of its source are taken again. After ``close`` every change
    raises DoorClosed, so that a thread that is late does not disturb the door that came after.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.RLock()
        self._files: dict[Path, Known] = {}
        self._by_job: defaultdict[str, set[Path]] = defaultdict(set)
        self._trials: Counter[tuple[Path, Mark]] = Counter()
        self._unsaved: dict[Path, SeenFile] = {}
        self._is_closed = False

    def close(self) -> None:
        """Change nothing from now on."""
        with self._lock:
            self._save()
            self._is_closed = True

    def load(self, folder: Path) -> None:
        """Read what is known of a folder.

        A door that died after it had made a job, and before it had noted that, left a job that stands for no
        file: it is entered with a mark that no file has, so that its source is looked at anew.
        """
        with self._lock:
            for file in self._service.files.seen_under(folder):
                self._enter(file.path, _known(file))
            for job in self._jobs_in(OPEN):
                if self._is_unknown(job) and job.request.source.is_relative_to(folder):
                    self._enter(job.request.source, Known(NO_MARK, job.id))

    def _is_unknown(self, job: Job) -> bool:
        """Whether this door made the job, and no file is known to be it."""
        is_own = job.request.origin is JobOrigin.FOLDER and not job.linked_to
        return is_own and job.request.source not in self._files

    def save(self) -> None:
        """Write what could not be written when it was noted."""
        with self._lock:
            self._expect_open()
            self._save()

    def known(self, path: Path) -> Known | None:
        """The file as it was when it was dealt with; None where it was not."""
        return self._files.get(path)

    def inside(self, folder: Path) -> list[Path]:
        """The known files that lie directly in a folder."""
        with self._lock:
            return [path for path in self._files if path.parent == folder]

    def take(
        self, request: JobRequest, mark: Mark, sha256: str, *, counting: Collection[JobState] = DONE
    ) -> Submitted:
        """Make the job, or find the equal one in a state that counts; either way the file is known then."""
        with self._lock:
            self._expect_open()
            submitted = self._service.submit(request, sha256=sha256, counting=counting)
            self._remember(request.source, mark, sha256, job_id=submitted.job.id)
            return submitted

    def refuse(self, path: Path, mark: Mark, sha256: str, why: str) -> None:
        """Note that a file becomes no job as it is."""
        with self._lock:
            self._expect_open()
            self._remember(path, mark, sha256, refused=why)

    def is_same_content(self, path: Path, mark: Mark, sha256: str) -> bool:
        """Whether a file that looks new holds what it held; then the job that it became stands for it."""
        with self._lock:
            self._expect_open()
            seen = self._service.files.seen(path) if path in self._files else None
            if seen is None or not seen.job_id or seen.sha256 != sha256:
                return False
            self._remember(path, mark, sha256, job_id=seen.job_id)
            return True

    def changed(self, path: Path) -> tuple[Path, ...]:
        """Forget a file that is not what it was, and end its job if that is unfinished.

        Gives the files that had been left to that job as its source's equals: they have to be taken again.
        The file itself is forgotten last, so that a door that dies in the middle does all of it once more.
        """
        with self._lock:
            self._expect_open()
            known = self._files.get(path)
            if known is None:
                return ()
            orphans = self._superseded(path, known.job_id)
            for file in (*orphans, path):
                self._forget(file)
            return orphans

    def _superseded(self, path: Path, job_id: str) -> tuple[Path, ...]:
        """End the job of a source that changed; gives the equals of its source.

        They are taken again also when the job is done: it may have been worked from the new content already.
        A job that a user cancelled stays cancelled for all of them.
        """
        job = self._job(job_id)
        reason = f"{path.name} changed; its new content becomes a new job."
        if job is None or job.request.source != path:
            return ()
        if not job.state.is_terminal:
            self._service.supersede(job_id, reason)
        elif job.state is JobState.CANCELLED and job.error != reason:
            return ()
        return tuple(self._by_job.get(job_id, set()) - {path})

    def forget(self, path: Path) -> None:
        """Know nothing of a file any more."""
        with self._lock:
            self._expect_open()
            self._forget(path)

    def ended(self, job_id: str, error: str = "") -> Verdict:
        """What the end of a job means; ``error`` is the name of its error's class, where that is known."""
        with self._lock:
            self._expect_open()
            job = self._job(job_id)
            if job is None:
                return Verdict()
            files = frozenset(self._by_job.get(job_id, ()))
            if job.state is JobState.SUCCESS:
                return Verdict(done=(*files, job.request.source))
            if job.state is not JobState.FAILED:
                return Verdict()
            return self._after_failure(job, files, was_disturbed=error in DISTURBED)

    def _after_failure(self, job: Job, files: Iterable[Path], *, was_disturbed: bool) -> Verdict:
        failed, again = [], []
        for path in files:
            is_equal = path != job.request.source
            if is_equal or (was_disturbed and self._may_try_again(path)):
                self._forget(path)
                again.append(path)
            else:
                failed.append(path)
        return Verdict(failed=tuple(failed), again=tuple(again))

    def _may_try_again(self, path: Path) -> bool:
        trial = path, self._files[path].mark
        self._trials[trial] += 1
        return self._trials[trial] < TRIALS

    def follow(self, job_id: str) -> None:
        """Let a job that repeats another (a retry from another door) stand for the other's file."""
        with self._lock:
            self._expect_open()
            job = None if job_id in self._by_job else self._job(job_id)
            known = self._files.get(job.request.source) if job else None
            if job is None or known is None or not job.linked_to or known.job_id != job.linked_to:
                return
            seen = self._service.files.seen(job.request.source)
            if seen is not None:
                self._remember(seen.path, known.mark, seen.sha256, job_id=job_id)

    def failures(self) -> list[Failure]:
        """The failed jobs that files are known by, from the store: their ends may have been missed."""
        failed = self._jobs_in({JobState.FAILED})
        times = Counter(job.request.source for job in failed)
        return [
            Failure(job.id, is_first=times[job.request.source] == 1)
            for job in failed
            if self._by_job.get(job.id)
        ]

    def _jobs_in(self, states: Collection[JobState]) -> list[Job]:
        found: list[Job] = []
        while page := self._service.jobs(limit=500, before=found[-1].id if found else "", states=states):
            found += page
        return found

    def is_done(self, path: Path) -> bool:
        """Whether the file became a job that ended well."""
        known = self._files.get(path)
        job = self._job(known.job_id) if known else None
        return job is not None and job.state is JobState.SUCCESS

    def _job(self, job_id: str) -> Job | None:
        try:
            return self._service.job(job_id) if job_id else None
        except JobError:
            return None

    def _remember(self, path: Path, mark: Mark, sha256: str, *, job_id: str = "", refused: str = "") -> None:
        file = SeenFile(
            path=path,
            size_bytes=mark.size_bytes,
            modified_ns=mark.modified_ns,
            inode=mark.inode,
            sha256=sha256,
            job_id=job_id,
            refused=refused,
        )
        # known before it is written: a job that was made and not known could not be superseded
        self._enter(path, _known(file))
        self._unsaved[path] = file
        self._save()

    def _save(self) -> None:
        """Write what is not written yet; where that fails it is tried again with the next file."""
        for path, file in list(self._unsaved.items()):
            try:
                self._service.files.remember(file)
            except StorageError as error:
                log.warning("%s is not noted yet: %s", path, error, extra={"action": "file_unsaved"})
                return
            del self._unsaved[path]

    def _enter(self, path: Path, known: Known) -> None:
        self._leave(path)
        self._files[path] = known
        if known.job_id:
            self._by_job[known.job_id].add(path)

    def _forget(self, path: Path) -> None:
        self._service.files.forget(path)
        self._unsaved.pop(path, None)
        self._leave(path)

    def _leave(self, path: Path) -> None:
        known = self._files.pop(path, None)
        if known is None or not known.job_id:
            return
        self._by_job[known.job_id].discard(path)
        if not self._by_job[known.job_id]:
            del self._by_job[known.job_id]

    def _expect_open(self) -> None:
        if self._is_closed:
            raise DoorClosed


def _known(file: SeenFile) -> Known:
    return Known(Mark(file.size_bytes, file.modified_ns, file.inode), file.job_id)
