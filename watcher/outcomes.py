"""What the ends of jobs mean for the songs in watched folders: a note comes or goes, a song has its turn."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from bridge import events
from bridge.errors import StembridgeError
from bridge.events import Event
from bridge.service import Service
from watcher import intake
from watcher.book import Book, DoorClosed, Verdict
from watcher.folder import FolderWatch

FolderOf = Callable[[Path], FolderWatch | None]

log = logging.getLogger(__name__)


class Outcomes:
    """A thread that hears how jobs end."""

    def __init__(self, service: Service, book: Book, folder_of: FolderOf) -> None:
        self._service, self._book, self._folder_of = service, book, folder_of
        self._subscription = service.feed.subscribe()
        self._missed = 0
        self._late: list[Callable[[], None]] = []
        self._try_again_s = 0.0
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="watch outcomes", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; ``join`` waits for the thread."""
        self._is_stopped = True
        self._subscription.close()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def catch_up(self) -> None:
        """Act on failures that are on record: they came while the door was closed, or the folder away."""
        for failure in self._book.failures():
            verdict, why = self._judged(failure.job_id)
            for folder, path in self._with_folders(verdict.failed):
                folder.note_late(path, why, may_try=failure.is_first)
            self._begin_again(verdict)

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._turn()
        except DoorClosed:
            pass

    def _turn(self) -> None:
        event = self._subscription.get(intake.TROUBLE_S if self._late else None)
        if event is not None:
            self._try(partial(self._hear, event))
        if self._subscription.missed != self._missed:
            self._missed = self._subscription.missed
            self._try(self.catch_up)
        if self._late and time.monotonic() >= self._try_again_s:
            late, self._late = self._late, []
            for work in late:
                self._try(work)

    def _try(self, work: Callable[[], None]) -> None:
        """Do it, or do it later: an end that nobody acts on would be forgotten until the next start."""
        try:
            work()
        except DoorClosed:
            raise
        except StembridgeError as error:
            log.warning("How a job ended is noted later: %s", error, extra={"action": "outcome_late"})
            self._late.append(work)
            self._try_again_s = time.monotonic() + intake.TROUBLE_S
        except Exception:
            log.exception("How a job ended could not be noted", extra={"action": "outcome_lost"})

    def _hear(self, event: Event) -> None:
        if isinstance(event, events.JobQueued):
            self._book.follow(event.job_id)
        elif isinstance(event, events.JobDone):
            self._act(event.job_id)
        elif isinstance(event, events.JobFailed):
            self._act(event.job_id, event.error)

    def _act(self, job_id: str, error: str = "") -> None:
        verdict, why = self._judged(job_id, error)
        for folder, path in self._with_folders(verdict.done):
            folder.clear_note(path)
        for folder, path in self._with_folders(verdict.failed):
            folder.note(path, why)
        self._begin_again(verdict)

    def _judged(self, job_id: str, error: str = "") -> tuple[Verdict, str]:
        verdict = self._book.ended(job_id, error)
        return verdict, self._service.job(job_id).error if verdict.failed else ""

    def _begin_again(self, verdict: Verdict) -> None:
        for folder, path in self._with_folders(verdict.again):
            folder.look_again(path)

    def _with_folders(self, paths: Iterable[Path]) -> Iterator[tuple[FolderWatch, Path]]:
        return ((folder, path) for path in paths if (folder := self._folder_of(path)) is not None)
