"""Whether a job that failed is tried again: a decision, made from a table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Annotated

from pydantic import Field

from bridge.errors import (
    DeliveryError,
    DiskFullError,
    EngineError,
    LimitError,
    SourceChangedError,
    StembridgeError,
    StorageError,
    WorkerDiedError,
)
from bridge.values import Job, Seconds, Value


class RetryPolicy(Value):
    """When what may pass is tried again."""

    retry_after_s: tuple[Seconds, ...]
    """Seconds before each new attempt; as many as there are, so often it is tried again."""
    pause_s: Annotated[float, Field(gt=0)]
    """Seconds between looks while a full disk makes a job wait."""


class RetryDecision(Value):
    """A job is put off and tried again."""

    delay_s: Seconds
    counts: bool
    """Whether this was one of the failures of which there is a bounded number."""
    reason: str
    """Why it waits, for people."""


class Chance(Enum):
    """What may become of a fault with time."""

    NONE = auto()
    """The same work on the same file fails in the same way."""
    BOUNDED = auto()
    """It may pass; tried again a number of times."""
    WHEN_THERE_IS_ROOM = auto()
    """Somebody has to free some space; until then the job waits."""


CHANCES: Mapping[type[StembridgeError], Chance] = {
    StembridgeError: Chance.NONE,
    StorageError: Chance.BOUNDED,
    DiskFullError: Chance.WHEN_THERE_IS_ROOM,
    DeliveryError: Chance.BOUNDED,
    EngineError: Chance.BOUNDED,
    LimitError: Chance.BOUNDED,
    WorkerDiedError: Chance.BOUNDED,
    SourceChangedError: Chance.BOUNDED,
}
"""By class of error; one that is not here has the chance of the class that it derives from."""


def chance_of(error: StembridgeError) -> Chance:
    """What may become of an error with time."""
    return next(CHANCES[kind] for kind in type(error).__mro__ if kind in CHANCES)


def decide(
    job: Job, error: StembridgeError, *, retry_after_s: tuple[float, ...], pause_s: float
) -> RetryDecision | None:
    """Whether and when a job that met ``error`` is tried again; None where it has failed for good."""
    chance = chance_of(error)
    if chance is Chance.WHEN_THERE_IS_ROOM:
        reason = f"{error.message} The job waits, and goes on by itself when there is room."
        return RetryDecision(delay_s=pause_s, counts=False, reason=reason)
    if chance is Chance.NONE or job.failures >= len(retry_after_s):
        return None
    delay_s = retry_after_s[job.failures]
    attempts = f"attempt {job.failures + 2} of {len(retry_after_s) + 1}"
    reason = f"{error.message} It is tried again in {delay_s:g} s ({attempts})."
    return RetryDecision(delay_s=delay_s, counts=True, reason=reason)
