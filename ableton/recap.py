"""The state of jobs, for clients that missed too much of the story or come late to it."""

from __future__ import annotations

from typing import Final

from ableton.addresses import SENT
from ableton.messages import Atom, encode
from ableton.routes import Route
from ableton.titles import title_of
from bridge.jobs import OPEN, TERMINAL
from bridge.service import Service
from bridge.values import Job, JobState

MAX_WAITING: Final = 50
"""Waiting jobs that are told, the newest; ``list`` has the rest."""
MAX_ENDED: Final = 5

Row = tuple[Atom, ...]


def tell_states(service: Service, *routes: Route) -> int:
    """Send ``resync``, in as many messages as it takes; the number after which events go on.

    The number is read first: a job may have got further than its events by then, never less far.
    """
    last = service.feed.last_number
    pages = _pages([_row(job) for job in _jobs(service)])
    for part, page in enumerate(pages):
        packet = encode(SENT["resync"].message(service.feed.epoch, last, part, len(pages), rows=page))
        for route in routes:
            route.send(packet)
    return last


def _jobs(service: Service) -> tuple[Job, ...]:
    """Those that ended, those at work, those that wait; of each the oldest first.

    All that are at work are told, however many wait behind them. They are looked up last: one that began
    meanwhile is at work.
    """
    ended = service.jobs(limit=MAX_ENDED, states=TERMINAL)
    waiting = service.jobs(limit=MAX_WAITING, states={JobState.PENDING})
    at_work = {job.id: job for job in reversed(service.jobs(states=OPEN - {JobState.PENDING}))}
    return (*reversed(ended), *at_work.values(), *(job for job in reversed(waiting) if job.id not in at_work))


def _pages(rows: list[Row]) -> list[list[Row]]:
    """The rows of each message; one without rows where there are none."""
    pages: list[list[Row]] = []
    while rows or not pages:
        entry = SENT["resync"]
        room = len(entry.rows_of(entry.message("", 0, 0, 1, rows=rows)))
        pages.append(rows[:room])
        rows = rows[room:]
    return pages


def _row(job: Job) -> Row:
    files = len(job.delivery.files) if job.delivery else 0
    request = job.request
    return (job.id, job.state, job.stage, job.progress, title_of(request.source.name), request.recipe, files)
