"""Storing how a job ended, though the database cannot be written at this moment: hours of work hang on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from bridge.errors import JobError, JobLostError, StorageError
from bridge.jobs.store import JobStore
from bridge.values import Job

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
PATIENCE_S = 600.0
"""A command in a terminal tries for so long; a service, for which nobody waits, until it is stopped."""

Write = Callable[[], Job]


def insist(
    write: Write,
    store: JobStore,
    job: Job,
    *,
    wait: Callable[[float], bool],
    patience_s: float = PATIENCE_S,
    clock: Callable[[], float] = time.monotonic,
) -> Job:
    """The job as ``write`` left it, which is tried again while there is no room or somebody locks the store.

    Args:
        write: ends, releases or postpones ``job``.
        store: what it writes to.
        job: the claimed job.
        wait: lets so many seconds pass; true where everything stops, so that the last error is raised.
        patience_s: after so long the last error is raised, too.
        clock: monotonic seconds.
    """
    give_up_s = clock() + patience_s
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return write()
        except StorageError as cause:
            _tell(job, cause, is_first=pause_s == FIRST_PAUSE_S)
            if clock() >= give_up_s or wait(pause_s):
                raise
        except JobError:
            if pause_s == FIRST_PAUSE_S:
                raise
            return _written_all_the_same(store, job)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _tell(job: Job, cause: StorageError, *, is_first: bool) -> None:
    level = logging.WARNING if is_first else logging.DEBUG
    text = "The end of the job could not be stored; it is tried again: %s"
    log.log(level, text, cause.message, extra={"action": "end_not_stored", "job": job.id})


def _written_all_the_same(store: JobStore, job: Job) -> Job:
    """A write of which an error was told may be on the disk: then the job has ended, in this attempt."""
    now = store.get(job.id)
    if now.attempt == job.attempt and now.state.is_terminal:
        return now
    raise JobLostError(f"Job {job.id} is no longer held by attempt {job.attempt}; nothing more was written.")
