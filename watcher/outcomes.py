"""What the ends of jobs mean for the songs in watched folders: a note comes or goes, a song has its turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bridge import events
from bridge.errors import StembridgeError
from bridge.events import Event
from bridge.service import Service
from watcher.book import Book, DoorClosed, Verdict
from watcher.folder import FolderWatch

FolderOf = Callable[[Path], FolderWatch | None]

log = logging.getLogger(__name__)


class Outcomes:
    """A thread that hears how jobs end, first of all those that ended while the door was closed."""

    def __init__(self, service: Service, book: Book, folder_of: FolderOf) -> None:
        self._service, self._book, self._folder_of = service, book, folder_of
        self._subscription = service.feed.subscribe()
        self._missed = 0
        self._thread = threading.Thread(target=self._run, name="watch outcomes", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more; ``join`` waits for the thread."""
        self._subscription.close()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._guarded(self._catch_up)
            for event in self._subscription:
                self._guarded(partial(self._hear, event))
                if self._subscription.missed != self._missed:
                    self._missed = self._subscription.missed
                    self._guarded(self._catch_up)
        except DoorClosed:
            pass

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except DoorClosed:
            raise
        except StembridgeError as error:
            log.error("How a job ended could not be noted: %s", error, extra={"action": "outcome_lost"})
        except Exception:
            log.exception("How a job ended could not be noted", extra={"action": "outcome_lost"})

    def _catch_up(self) -> None:
        for job_id in self._book.failures():
            self._act(job_id)

    def _hear(self, event: Event) -> None:
        if isinstance(event, events.JobQueued):
            self._book.follow(event.job_id)
        elif isinstance(event, events.JobDone):
            self._act(event.job_id)
        elif isinstance(event, events.JobFailed):
            self._act(event.job_id, event.error)

    def _act(self, job_id: str, error: str = "") -> None:
        verdict = self._book.ended(job_id, error)
        self._pass_on(verdict, why=self._service.job(job_id).error if verdict.failed else "")

    def _pass_on(self, verdict: Verdict, why: str) -> None:
        for path in verdict.done:
            if folder := self._folder_of(path):
                folder.clear_note(path)
        for path in verdict.failed:
            if folder := self._folder_of(path):
                folder.note(path, why)
        for path in verdict.again:
            if folder := self._folder_of(path):
                folder.look_again(path)
