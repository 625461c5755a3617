"""What a job can do without: where it fails, it alone is missing, and why is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bridge.errors import JobCancelled, MissedError, StembridgeError, is_disk_full
from bridge.protocols import Progress

Result = TypeVar("Result")


def attempt(work: Callable[[Progress], Result], progress: Progress) -> Result:
    """The result of work that the job can do without; MissedError, with the cause in words, where it fails.

    What concerns the job passes as it is: whatever ``progress`` raised, a full disk, a lack of memory.
    """
    listener = _Listener(progress)
    try:
        result = work(listener)
    except (JobCancelled, MemoryError):
        raise
    except (Exception, SystemExit) as failure:
        listener.pass_on()
        if is_disk_full(failure):
            raise
        raise MissedError(_words(failure)) from failure
    listener.pass_on()
    return result


class _Listener:
    """Passes progress on, and keeps what it raised: that is meant for the job, no fault of the work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._interruption: BaseException | None = None

    def __call__(self, share: float) -> None:
        try:
            self._progress(share)
        except BaseException as interruption:
            self._interruption = interruption
            raise

    def pass_on(self) -> None:
        """Raise again what was raised, whatever the work made of it."""
        if self._interruption is not None:
            raise self._interruption from None


def _words(failure: BaseException) -> str:
    if isinstance(failure, StembridgeError):
        return failure.message
    return f"{type(failure).__name__}: {failure}"
