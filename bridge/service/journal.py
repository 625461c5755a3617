"""Writes what happens into the log, in words that a producer can read and with ids that a machine can."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable

from bridge import events
from bridge.errors import StembridgeError
from bridge.events import STAGE_WORDS, Event
from bridge.service.feed import Feed
from bridge.values import Job

NAMES_KEPT = 5000

log = logging.getLogger("bridge.journal")


class Journal:
    """A listener of the feed in a thread of its own. ``find`` gives a job by its id."""

    def __init__(self, feed: Feed, find: Callable[[str], Job]) -> None:
        self._feed = feed
        self._find = find
        self._names: OrderedDict[str, str] = OrderedDict()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="journal", daemon=True)

    def start(self) -> None:
        """Begin with the next event."""
        self._thread.start()

    def stop(self) -> None:
        """Write what has been told, and end."""
        self._is_closing.set()
        self._feed.wake()
        self._thread.join(timeout=5)

    def _listen(self) -> None:
        number = 0
        while True:
            is_last = self._is_closing.is_set()
            told = self._feed.wait(number, timeout_s=0 if is_last else None)
            for numbered in told or ():
                self._write(numbered.event)
            # fell behind: better a gap in the log than a growing heap of events
            number = told[-1].number if told else self._feed.last_number if told is None else number
            if is_last:
                return

    def _write(self, event: Event) -> None:
        words = words_of(event)
        if not words:
            return
        level = logging.WARNING if _is_trouble(event) else logging.INFO
        log.log(level, "%s: %s", self._name(event), words, extra={"action": event.kind, "job": event.job_id})

    def _name(self, event: Event) -> str:
        if isinstance(event, events.JobQueued):
            self._keep(event.job_id, event.source)
        if event.job_id not in self._names:
            try:
                self._keep(event.job_id, self._find(event.job_id).request.source.name)
            except StembridgeError:
                return f"Job {event.job_id}"
        return self._names[event.job_id]

    def _keep(self, job_id: str, name: str) -> None:
        self._names[job_id] = name
        if len(self._names) > NAMES_KEPT:
            self._names.popitem(last=False)


def _is_trouble(event: Event) -> bool:
    """Whether somebody may have to do something; a job that is put back since the service stops is none."""
    is_delayed = isinstance(event, events.JobPostponed) and event.delay_s > 0
    return is_delayed or isinstance(event, events.JobFailed)


def words_of(event: Event) -> str:
    """An event in words; "" for those that would only fill the log."""
    match event:
        case events.JobQueued():
            return f"waits for its turn (recipe {event.recipe})"
        case events.JobStarted():
            return "begins" if event.attempt == 1 else f"goes on (attempt {event.attempt})"
        case events.StageDone():
            how = "finished earlier" if event.was_reused else f"done in {event.seconds:.1f} s"
            return f"{STAGE_WORDS.get(event.stage, event.stage)}: {how}"
        case events.JobNote():
            return event.text
        case events.QaRetryStarted():
            return f"once more, corrected: {'; '.join(event.reasons)}"
        case events.JobPostponed():
            later = f" Goes on in {event.delay_s:.0f} s." if event.delay_s else ""
            return f"put off. {event.reason}{later}"
        case events.JobDone():
            return f"delivered {len(event.delivery.files)} files to {event.delivery.folder}"
        case events.JobFailed():
            return f"FAILED. {event.message}"
        case events.JobCancelled():
            return f"cancelled. {event.reason}".rstrip()
    return ""
