"""The state of jobs, for clients that missed too much of the story or come late to it."""

from __future__ import annotations

from typing import Final

from ableton.addresses import SENT
from ableton.messages import encode
from ableton.routes import Route
from bridge.jobs import OPEN, TERMINAL
from bridge.service import Service
from bridge.values import Job

MAX_OPEN: Final = 50
"""Open jobs that are told, the newest; ``list`` has the rest. Few enough for a socket's buffer."""
MAX_ENDED: Final = 5


def tell_states(service: Service, *routes: Route) -> int:
    """Send ``resync`` and a ``state`` for each job that matters; the number after which events go on.

    The number is read first: a job may have got further than its events by then, never less far.
    """
    last, epoch = service.feed.last_number, service.feed.epoch
    jobs = _jobs(service)
    packets = [encode(SENT["resync"].message(epoch, last, len(jobs)))]
    packets += [_state(job, last, epoch, index, len(jobs)) for index, job in enumerate(jobs)]
    for route in routes:
        for packet in packets:
            route.send(packet)
    return last


def _jobs(service: Service) -> tuple[Job, ...]:
    """Oldest first, as they happened."""
    ended = service.jobs(limit=MAX_ENDED, states=TERMINAL)
    waiting = service.jobs(limit=MAX_OPEN, states=OPEN)
    return (*reversed(ended), *reversed(waiting))


def _state(job: Job, last: int, epoch: str, index: int, count: int) -> bytes:
    return encode(
        SENT["state"].message(
            last,
            epoch,
            job.id,
            index,
            count,
            job.state,
            job.stage,
            job.progress,
            job.request.source.stem,
            job.request.recipe,
            len(job.delivery.files) if job.delivery else 0,
            job.error,
        )
    )
