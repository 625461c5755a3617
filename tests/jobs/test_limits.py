"""Limits by an injected clock: when they are passed, what is said, and what does not count."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.errors import LimitError
from bridge.events import JobProgress, StageStarted
from bridge.jobs import Limits
from bridge.jobs.limits import LimitWatch
from tests.jobs.support import Clock

TICK_S = 0.25


class Watching:
    """A job under watch whose clock and memory are set by hand."""

    def __init__(self, **limits: float) -> None:
        self.clock = Clock(0.0)
        self.held: int | None = 0
        self.looks = 0
        self.watch = LimitWatch(Limits.model_validate(limits), self._memory, self.clock)

    def _memory(self) -> int | None:
        self.looks += 1
        return self.held

    def start(self, stage: str) -> None:
        self.watch.heard(StageStarted(job_id="1", stage=stage))

    def step(self, share: float = 0.5) -> None:
        self.watch.heard(JobProgress(job_id="1", stage="any", share=share))

    def pass_time(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> LimitError | None:
        """Look all the time; the first error."""
        for _ in range(round(seconds / TICK_S)):
            self.clock.now_s += TICK_S
            meanwhile()
            if error := self.watch.look():
                return error
        return None


def test_without_limits_nothing_is_passed() -> None:
    """And memory is not even looked at."""
    watching = Watching()
    watching.held = 1 << 60
    assert watching.pass_time(10_000) is None
    assert watching.looks == 0


def test_memory_is_looked_at_once_a_second() -> None:
    """Up to the limit is well; what passes it is told with the stage and both figures."""
    watching = Watching(memory_bytes=2_500_000_000)
    watching.start("mix")
    watching.held = 2_500_000_000
    assert watching.pass_time(10) is None
    assert watching.looks == 10
    watching.held = 2_730_000_000
    error = watching.pass_time(1)
    assert error is not None
    assert error.message == (
        "The stage mix took 2.73 GB of memory; a job may take 2.50 GB (service.memory_gb). "
        "Raise that if this machine has memory to spare, or work on a shorter song."
    )


def test_memory_that_is_not_known_passes_no_limit() -> None:
    """The process has just ended."""
    watching = Watching(memory_bytes=1)
    watching.held = None
    assert watching.pass_time(10) is None


def test_silence_is_a_stall() -> None:
    """Counted from the last event of any kind."""
    watching = Watching(stall_s=900)
    watching.start("separate")
    assert watching.pass_time(899) is None
    watching.step()
    assert watching.pass_time(900) is None
    error = watching.pass_time(1)
    assert error is not None
    assert "The stage separate made no progress for 15 min" in error.message
    assert "service.stall_s" in error.message


def test_a_stage_has_its_time_whatever_it_tells() -> None:
    """The next one begins anew."""
    watching = Watching(stage_limit_s=7200, stall_s=10)
    for stage in ("separate", "mix"):
        watching.start(stage)
        assert watching.pass_time(7200, meanwhile=watching.step) is None
    error = watching.pass_time(1, meanwhile=watching.step)
    assert error is not None
    assert "The stage mix took longer than 2 h" in error.message
    assert "service.stage_limit_s" in error.message


def test_time_before_the_first_stage_counts() -> None:
    """A job may hang before it says a word."""
    error = Watching(stall_s=45).pass_time(46)
    assert error is not None
    assert error.message.startswith("The job, before its first stage, made no progress for 45 s")


@pytest.mark.parametrize("jump_s", [3e6, -3e6], ids=["slept for a month", "a clock that goes back"])
def test_a_sleeping_laptop_passes_no_limit(jump_s: float) -> None:
    """Between two looks one second counts at most."""
    watching = Watching(stall_s=10, stage_limit_s=10)
    watching.start("mix")
    watching.pass_time(5)
    watching.clock.now_s += jump_s
    assert watching.watch.look() is None
    assert watching.pass_time(3) is None
    assert watching.pass_time(2.5) is not None
