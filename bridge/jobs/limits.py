"""What a job may take, and the watch over it: memory, time without a word, time in one stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from bridge.errors import LimitError
from bridge.events import Event, StageStarted
from bridge.values import Value

MEMORY_LOOK_EVERY_S = 1.0
LONGEST_TICK_S = 1.0
"""Longer pauses between two looks are a laptop that slept, not a job that stood still."""

Positive = Annotated[float, Field(gt=0)]
Clock = Callable[[], float]


class Limits(Value):
    """What a job may take; None is no limit."""

    memory_bytes: Annotated[int, Field(gt=0)] | None = None
    """Of its process and those that this started."""
    stall_s: Positive | None = None
    """Seconds without any event."""
    stage_limit_s: Positive | None = None
    """Seconds in one stage."""


class LimitWatch:
    """Watches one run of a job.

    Args:
        limits: what it may take.
        memory: bytes that it holds now; None where that is not known.
        clock: monotonic seconds.
    """

    def __init__(
        self, limits: Limits, memory: Callable[[], int | None], clock: Clock = time.monotonic
    ) -> None:
        self._limits = limits
        self._memory = memory
        self._clock = clock
        self._looked_s = clock()
        self._silent_s = self._staged_s = 0.0
        self._since_memory_s = 0.0
        self._stage = ""

    def heard(self, event: Event) -> None:
        """The job is alive; a new stage begins its own time."""
        self._silent_s = 0.0
        if isinstance(event, StageStarted):
            self._stage = event.stage
            self._staged_s = 0.0

    def look(self) -> LimitError | None:
        """Which limit the job has passed, in words; to be called every few hundredths of a second."""
        self._count_time()
        return self._memory_passed() or self._stall_passed() or self._stage_passed()

    def _count_time(self) -> None:
        now_s = self._clock()
        passed_s = min(max(0.0, now_s - self._looked_s), LONGEST_TICK_S)
        self._looked_s = now_s
        self._silent_s += passed_s
        self._staged_s += passed_s
        self._since_memory_s += passed_s

    def _memory_passed(self) -> LimitError | None:
        most = self._limits.memory_bytes
        if most is None or self._since_memory_s < MEMORY_LOOK_EVERY_S:
            return None
        self._since_memory_s = 0.0
        held = self._memory()
        if held is None or held <= most:
            return None
        return LimitError(
            f"{self._where} took {_gb(held)} of memory; a job may take {_gb(most)} (service.memory_gb). "
            "Raise that if this machine has memory to spare, or work on a shorter song."
        )

    def _stall_passed(self) -> LimitError | None:
        most_s = self._limits.stall_s
        if most_s is None or self._silent_s <= most_s:
            return None
        return LimitError(
            f"{self._where} made no progress for {_time(most_s)}, so it was ended (service.stall_s). Start "
            "the job again: finished stages are kept. If it happens twice, report it with the log."
        )

    def _stage_passed(self) -> LimitError | None:
        most_s = self._limits.stage_limit_s
        if most_s is None or self._staged_s <= most_s:
            return None
        return LimitError(
            f"{self._where} took longer than {_time(most_s)}, the most that one stage may take "
            "(service.stage_limit_s). Raise that for very long songs on a slow machine, or cut the song."
        )

    @property
    def _where(self) -> str:
        return f"The stage {self._stage}" if self._stage else "The job, before its first stage,"


def _gb(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def _time(seconds: float) -> str:
    """ "45 s", "15 min", "4 h"."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
