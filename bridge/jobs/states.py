"""The states of a job as a table: what is not in it cannot happen."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.errors import JobError
from bridge.values import JobState

MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
    JobState.PROCESSING: frozenset(
        {JobState.RETRYING_QA, JobState.SUCCESS, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.RETRYING_QA: frozenset({JobState.PROCESSING}),
    JobState.SUCCESS: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
"""From each state, the states that may follow. Terminal ones never move: "again" makes a new, linked job."""

OPEN = frozenset(state for state in JobState if not state.is_terminal)
"""The states of jobs that have not ended."""

TERMINAL = frozenset(JobState) - OPEN
"""The states of jobs that have."""


def can_move(old: JobState, new: JobState) -> bool:
    """Whether the table allows the step."""
    return new in MOVES[old]


def expect_move(job_id: str, old: JobState, new: JobState) -> None:
    """Let an allowed step pass; JobError where the table has none."""
    if can_move(old, new):
        return
    if old in TERMINAL:
        raise JobError(
            f"Job {job_id} is {old} and cannot become {new}: it has ended. "
            f"To do it once more: stembridge again {job_id}"
        )
    allowed = ", ".join(sorted(MOVES[old]))
    raise JobError(f"Job {job_id} is {old} and cannot become {new}; from there it can become: {allowed}.")


def steps_to_end(old: JobState, end: JobState) -> tuple[JobState, ...]:
    """The states through which an open job passes to ``end``: a QA retry goes back to PROCESSING first."""
    return (JobState.PROCESSING, end) if old is JobState.RETRYING_QA else (end,)
