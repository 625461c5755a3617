"""Tells what other processes did to jobs: a ``cancel``, ``retry`` or ``process`` on the command line.

They change the same store and need no connection to the service; but doors and the log hear of jobs through
the feed alone.
"""

from __future__ import annotations

import logging

from bridge import events
from bridge.errors import StembridgeError
from bridge.events import Event
from bridge.jobs import JobStore
from bridge.service.feed import Feed
from bridge.values import Job, JobState

log = logging.getLogger(__name__)


class Onlooker:
    """Compares, at every ``look``, the unfinished jobs of the store with those that the feed knows of.

    What this process does is in the store a moment before it is told, so a difference counts only when it
    is there at two looks.
    """

    def __init__(self, store: JobStore, feed: Feed) -> None:
        self._store = store
        self._feed = feed
        self._heard = feed.last_number
        self._known: frozenset[str] | None = None
        self._odd: frozenset[str] = frozenset()

    def look(self) -> None:
        """Tell what nobody told; a store that cannot be read now is looked at the next time."""
        try:
            last = self._feed.last_number  # what comes after it is heard at the next look
            there = self._store.open_ids()
            odd = there ^ self._listen(there, last)
            for job_id in sorted(odd & self._odd):
                self._tell(self._store.get(job_id))
            self._odd = odd - self._odd
        except StembridgeError as error:
            log.debug("%s", error.message)

    def _listen(self, there: frozenset[str], last: int) -> frozenset[str]:
        """The unfinished jobs that the feed knows of; ``last`` was told before the store was asked."""
        told = self._feed.since(self._heard)
        known = self._known
        if told is None or known is None:  # more happened than is kept, or it is the first look
            known, told = there, ()
            self._heard = last
        elif told:
            self._heard = told[-1].number
        for _number, event in told:
            is_end = isinstance(event, events.JobDone | events.JobFailed | events.JobCancelled)
            known = known - {event.job_id} if is_end else known | {event.job_id}
        self._known = known
        return known

    def _tell(self, job: Job) -> None:
        self._feed.publish(_event_of(job))


def _event_of(job: Job) -> Event:
    """What must have happened to a job, as far as it can be seen from where it stands."""
    if job.state is JobState.SUCCESS and job.delivery is not None:
        return events.JobDone(job_id=job.id, delivery=job.delivery)
    if job.state is JobState.FAILED:
        return events.JobFailed(job_id=job.id, error="StembridgeError", message=job.error)
    if job.state is JobState.CANCELLED:
        return events.JobCancelled(job_id=job.id, reason=job.error)
    return events.JobQueued(job_id=job.id, source=job.request.source.name, recipe=job.request.recipe)
