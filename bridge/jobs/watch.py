"""One run of a task as its parent follows it: what was heard, why it has to end, how it ended."""

from __future__ import annotations

import pickle
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

import bridge.errors
from bridge.errors import JobCancelled, JobHalted, QaError, StembridgeError, WorkerDiedError
from bridge.events import Event, StageStarted
from bridge.jobs.channel import Ending, Frame, Kind
from bridge.jobs.limits import Limits, LimitWatch
from bridge.jobs.logs import log_here
from bridge.jobs.memory import held_bytes

CANCEL_GRACE_S = 0.5
"""A task that computes has this long to notice a cancel by itself; then its process is killed."""
TICK_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ended."""

    value: Any = None
    """What the function returned; beside an error, the delivery that the error carried, or None."""
    error: StembridgeError | None = None
    """Why there is no result; ``JobCancelled`` where it was stopped on request."""
    log: str = ""
    """Traceback of the error, or what a crashed process last wrote: for the log, not for people."""
    seconds: float = 0.0
    peak_bytes: int | None = None
    """Most memory that the process held; None where that is not known, as after a crash."""
    was_taken: bool = True
    """False where the process ended before it began the task, so that it may be given to another."""

    @property
    def is_success(self) -> bool:
        """Whether there is a result."""
        return self.error is None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was stopped on request."""
        return isinstance(self.error, JobCancelled)

    @property
    def is_halted(self) -> bool:
        """Whether its process was killed since everything stops."""
        return isinstance(self.error, JobHalted)


OnEvent = Callable[[Event], None]
OnTick = Callable[[], None]


def ignore_event(_event: Event) -> None:
    """An event listener that listens to nothing."""


def ignore_tick() -> None:
    """A tick that does nothing."""


class RunOptions(TypedDict, total=False):
    """How a run is followed, and what may end it."""

    on_event: OnEvent
    """Gets every reported event, in the calling thread."""
    on_tick: OnTick
    """Called about twenty times a second, in the calling thread."""
    cancel: threading.Event
    """Once set, ``report`` raises JobCancelled in the task; if that does not end it soon, it is killed."""
    halt: threading.Event
    """Once set, the task is killed at once, and its outcome is JobHalted."""
    limits: Limits
    """What it may take; over one of them it is killed, and its outcome is a LimitError."""
    about: Mapping[str, str]
    """Stands in the log records of the task, such as its job."""


class Watch:
    """One run as it goes, in the process ``pid``."""

    def __init__(
        self,
        pid: int,
        *,
        on_event: OnEvent = ignore_event,
        on_tick: OnTick = ignore_tick,
        cancel: threading.Event | None = None,
        halt: threading.Event | None = None,
        limits: Limits | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_tick = on_tick
        self._cancel = cancel or threading.Event()
        self._halt = halt or threading.Event()
        self._limits = LimitWatch(limits or Limits(), lambda: held_bytes(pid))
        self._about = about or {}
        self._started_s = self._ticked_s = time.monotonic()
        self._told_s: float | None = None
        self._reason: StembridgeError | None = None
        self._was_taken = False
        self._stage = ""

    def tick(self) -> None:
        """Call ``on_tick``, and look whether the task has to end."""
        self._ticked_s = time.monotonic()
        self._on_tick()
        self._reason = self._reason or self._limits.look()

    def take(self, frame: Frame) -> None:
        """Note that the task began, or pass an event on; a stream of events must not hold up the ticks."""
        self._was_taken = True
        if frame.kind is Kind.LOG:
            log_here(pickle.loads(frame.payload), self._about)
        if frame.kind is Kind.EVENT:
            self._hear(pickle.loads(frame.payload))
        if time.monotonic() - self._ticked_s >= TICK_S:
            self.tick()

    def _hear(self, event: Event) -> None:
        self._stage = event.stage if isinstance(event, StageStarted) else self._stage
        self._limits.heard(event)
        self._on_event(event)

    def wants_to_tell(self) -> bool:
        """Whether a cancel was asked for and not yet passed on; true once."""
        if self._told_s is not None or not self._cancel.is_set():
            return False
        self._told_s = time.monotonic()
        return True

    def must_be_killed(self) -> bool:
        """Whether everything stops, a limit was passed, or a cancel was not obeyed in time."""
        if self._halt.is_set():
            self._reason = self._reason or JobHalted()
        has_ignored_cancel = self._told_s is not None and time.monotonic() - self._told_s > CANCEL_GRACE_S
        return self._reason is not None or has_ignored_cancel

    def ended(self, ending: Ending, stderr: str) -> Outcome:
        """The outcome of a task that ended by itself."""
        error = _rebuilt(ending) if ending.error_class else None
        if error is not None and self._told_s is not None:
            error = JobCancelled()  # whatever broke, broke because it was told to stop
        return Outcome(
            value=ending.value,
            error=error,
            log="\n".join(part for part in (ending.log, stderr) if part),
            seconds=time.monotonic() - self._started_s,
            peak_bytes=ending.peak_bytes,
        )

    def crashed(self, exit_code: int, stderr: str) -> Outcome:
        """The outcome of a task whose process ended under it."""
        error = JobCancelled() if self._told_s is not None else self._reason
        error = error or _crash(exit_code, self._stage, self._was_taken)
        seconds = time.monotonic() - self._started_s
        return Outcome(error=error, log=stderr, seconds=seconds, was_taken=self._was_taken)


def _rebuilt(ending: Ending) -> StembridgeError:
    kind: type[StembridgeError] = getattr(bridge.errors, ending.error_class)
    return QaError(ending.message, ending.value) if kind is QaError else kind(ending.message)


def _crash(exit_code: int, stage: str, was_taken: bool) -> WorkerDiedError:
    during = f" in the stage {stage}" if stage else ""
    if not was_taken:
        during = " before it began"
    return WorkerDiedError(f"The job's process {_death(exit_code)}{during}. {_counsel(exit_code)}")


def _death(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


def _counsel(exit_code: int) -> str:
    if exit_code == -9:
        return (
            "Most often the system does that when memory runs out: close other programs and start it again."
        )
    return "Start it again: finished stages are kept. If it happens twice, report it with the log."
