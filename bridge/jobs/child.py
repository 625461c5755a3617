"""The worker process's side: takes tasks from its parent, tells what happens, and dies with it.

Imports nothing heavy by itself: the task's function does, after the parent has set the environment.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

from bridge.children import take_pipes
from bridge.errors import DiskFullError, JobCancelled, StageError, StembridgeError, is_disk_full
from bridge.events import Event, JobProgress
from bridge.jobs.channel import Ending, Frame, FrameWriter, Kind, Task, read_frame
from bridge.jobs.logs import OURS, LogSender
from bridge.jobs.memory import peak_bytes, reset_peak

PROGRESS_EVERY_S = 0.05
"""Progress in between is not sent: nobody sees more than twenty steps a second."""

FIRST_TASK_S = 30.0
"""A worker that was started gets its first task at once; without one for this long, nobody wants it."""


def main(keep_alive_s: float, niceness: int = 0) -> None:
    """Work until the parent is gone or nothing came for ``keep_alive_s``."""
    _ignore_interrupts()
    _step_back(niceness)
    faulthandler.enable()
    incoming, outgoing = take_pipes()
    inbox = _Inbox(incoming)
    writer = FrameWriter(outgoing)
    logs = LogSender(writer)
    logging.getLogger(OURS).addHandler(logs)
    patience_s = max(keep_alive_s, FIRST_TASK_S)
    while (frame := inbox.next_task(patience_s)) is not None:
        _serve(frame, inbox, writer, logs)
        gc.collect()
        patience_s = keep_alive_s


class _Inbox:
    """Reads the parent's frames in a thread of its own, so that a cancel reaches a task that computes."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._tasks: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._cancelled = -1
        threading.Thread(target=self._listen, args=(pipe,), name="parent", daemon=True).start()

    def next_task(self, timeout_s: float) -> Frame | None:
        """The next task's frame; None after the time-out."""
        try:
            return self._tasks.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def is_cancelled(self, number: int) -> bool:
        """Whether the parent asked to stop that run."""
        return self._cancelled >= number

    def _listen(self, pipe: BinaryIO) -> None:
        while (frame := read_frame(pipe)) is not None:
            if frame.kind is Kind.CANCEL:
                self._cancelled = frame.number
            else:
                self._tasks.put(frame)
        die()


class _Reporter:
    """What a task gets as ``report``: sends events, raises JobCancelled once the parent asked to stop."""

    def __init__(self, number: int, inbox: _Inbox, writer: FrameWriter) -> None:
        self._number = number
        self._inbox = inbox
        self._writer = writer
        self._sent_s = float("-inf")

    def __call__(self, event: Event) -> None:
        if self._inbox.is_cancelled(self._number):
            raise JobCancelled
        if not self._is_too_soon(event):
            self._writer.send(Kind.EVENT, self._number, event)

    def _is_too_soon(self, event: Event) -> bool:
        if not isinstance(event, JobProgress) or event.share >= 1:
            return False
        now_s = time.monotonic()
        if now_s - self._sent_s < PROGRESS_EVERY_S:
            return True
        self._sent_s = now_s
        return False


def _serve(frame: Frame, inbox: _Inbox, writer: FrameWriter, logs: LogSender) -> None:
    reset_peak()
    try:
        writer.send(Kind.TAKEN, frame.number)
        ending = _call(frame, _Reporter(frame.number, inbox, writer), logs)
        _send_ending(writer, frame.number, ending._replace(peak_bytes=peak_bytes()))
    except OSError:
        die()


def _send_ending(writer: FrameWriter, number: int, ending: Ending) -> None:
    try:
        writer.send(Kind.ENDED, number, ending)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        cause = StageError(
            f"The job's result ({type(ending.value).__name__}) cannot leave its process: {error}."
        )
        writer.send(Kind.ENDED, number, _failure(cause))


def _call(frame: Frame, report: Callable[[Event], None], logs: LogSender) -> Ending:
    try:
        task: Task = pickle.loads(frame.payload)
        logs.begin(frame.number, task.log_level)
        return Ending(value=_function(task.target)(*task.arguments, report))
    except StembridgeError as error:
        return _failure(_as_disk_full(error) if is_disk_full(error) else error)
    except SystemExit as error:
        return _failure(StageError(f"The job's code ended its process (exit {error.code}); wanted a result."))
    except MemoryError as error:
        return _failure(
            _told(error, "The job ran out of memory. Close other programs, or work on a shorter song.")
        )
    except OSError as error:
        return _failure(_disk_full(error) if is_disk_full(error) else _told(error))
    except BaseException as error:
        return _failure(_told(error))


def _told(error: BaseException, message: str = "") -> StageError:
    told = StageError(message or f"The job stopped at an unexpected fault: {type(error).__name__}: {error}.")
    told.__cause__ = error
    return told


def _disk_full(error: OSError) -> DiskFullError:
    where = f" while writing {error.filename}" if error.filename else ""
    full = DiskFullError(f"The disk is full{where}. Free some space; what was finished is kept.")
    full.__cause__ = error
    return full


def _as_disk_full(error: StembridgeError) -> StembridgeError:
    """Whoever met the full disk told it in the words of his part; what it is decides about another try."""
    if isinstance(error, DiskFullError):
        return error
    full = DiskFullError(error.message)
    full.__cause__ = error
    return full


def _failure(error: StembridgeError) -> Ending:
    kind = next(k for k in type(error).__mro__ if k.__module__ == StembridgeError.__module__)
    return Ending(
        value=getattr(error, "delivery", None),
        error_class=kind.__name__,
        message=error.message,
        log="".join(traceback.format_exception(error)),
    )


def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _step_back(niceness: int) -> None:
    """Let everything else on this machine go first; on Windows the parent has seen to that."""
    if niceness and sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.nice(niceness)


def _ignore_interrupts() -> None:
    """Ctrl-C in a terminal goes to every process of the group; what it means is the parent's decision."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)


def die() -> NoReturn:
    """End at once, with the engines that were started: nobody is there any more to take the result."""
    if sys.platform != "win32" and os.getpgid(0) == os.getpid():
        with contextlib.suppress(OSError):
            os.killpg(0, signal.SIGKILL)
    os._exit(1)
