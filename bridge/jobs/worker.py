"""A worker process as its parent sees it: started, given a task, listened to, cancelled, buried."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import bridge.errors
from bridge.errors import JobCancelled, QaError, StageError, StembridgeError
from bridge.events import Event, StageStarted
from bridge.jobs.channel import Ending, Frame, FrameWriter, Kind, Task, read_frame

KEEP_ALIVE_S = 60.0
CANCEL_GRACE_S = 0.5
"""A task that computes has this long to notice a cancel by itself; then its process is killed."""
TICK_S = 0.05
STDERR_BYTES = 65_536

_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from bridge.jobs.child import main; main(float(sys.argv[2]))"
)


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


OnEvent = Callable[[Event], None]
OnTick = Callable[[], None]


def ignore_event(_event: Event) -> None:
    """An event listener that listens to nothing."""


def ignore_tick() -> None:
    """A tick that does nothing."""


def worker_environment(threads: int | None = None) -> dict[str, str]:
    """The environment of workers: waiting threads sleep, and native libraries use ``threads`` threads each.

    Both must stand before those libraries load. A count that the user has set already stays.
    """
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    if threads is not None:
        for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
            environment.setdefault(f"{name}_NUM_THREADS", str(threads))
        environment.setdefault("VECLIB_MAXIMUM_THREADS", str(threads))
    return environment


class WorkerProcess:
    """A spawned process that does one task at a time and stays warm for ``keep_alive_s`` after each.

    It has a process group of its own, so that the engines it starts end with it, and ends by itself when this
    process is gone. Use as a context manager or ``close`` it.
    """

    def __init__(self, *, keep_alive_s: float = KEEP_ALIVE_S, threads: int | None = None) -> None:
        self._process = _spawn(keep_alive_s, worker_environment(threads))
        self._numbers = itertools.count()
        self._inbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._stderr = _Tail()
        assert self._process.stdin is not None
        self._writer = FrameWriter(self._process.stdin)
        self._threads = [self._start(self._listen), self._start(self._drain)]

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def run(
        self,
        target: str,
        *arguments: Any,
        on_event: OnEvent = ignore_event,
        on_tick: OnTick = ignore_tick,
        cancel: threading.Event | None = None,
    ) -> Outcome:
        """Call ``target`` ("module:function") with ``arguments`` and ``report(event)``; wait for its end.

        ``on_event`` gets every reported event, ``on_tick`` is called about twenty times a second, both in the
        calling thread; if one raises, the process is killed and the error goes on. Once ``cancel`` is set,
        ``report`` raises JobCancelled in the task; if that does not end it soon, the process is killed.
        However the task ends, there is an outcome: a crash becomes a StageError that names it.
        """
        watch = _Watch(on_event, on_tick, cancel or threading.Event())
        number = next(self._numbers)
        self._stderr.clear()
        try:
            self._send(Kind.RUN, number, Task(target, arguments))
            while (ending := self._step(number, watch)) is None:
                pass
        except BaseException:
            self.kill()
            raise
        return ending

    def kill(self) -> None:
        """End the process and what it started, at once."""
        if self._process.poll() is None:
            _kill_group(self._process)

    def close(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self, number: int, watch: _Watch) -> Outcome | None:
        """Wait for one frame or one tick; the outcome when that was the end."""
        try:
            frame = self._inbox.get(timeout=TICK_S)
        except queue.Empty:
            watch.tick()
        else:
            if frame is None:
                return self._crashed(watch)
            if frame.kind is Kind.ENDED:
                return watch.ended(pickle.loads(frame.payload), self._stderr.text())
            watch.take(frame)
        self._pass_cancel_on(number, watch)
        return None

    def _pass_cancel_on(self, number: int, watch: _Watch) -> None:
        if watch.wants_to_tell():
            self._send(Kind.CANCEL, number)
        elif watch.is_out_of_patience:
            self.kill()

    def _send(self, kind: Kind, number: int, message: Any = None) -> None:
        # a process that is gone is seen by _listen, which says so in the inbox
        with contextlib.suppress(OSError, ValueError):
            self._writer.send(kind, number, message)

    def _crashed(self, watch: _Watch) -> Outcome:
        self._inbox.put(None)  # for whoever runs next on this dead process
        self._threads[1].join(timeout=0.5)
        return watch.crashed(self._process.wait(), self._stderr.text())

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"worker-{self._process.pid}", daemon=True)
        thread.start()
        return thread

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while (frame := read_frame(self._process.stdout)) is not None:
            self._inbox.put(frame)
        # the process has closed its end: it is gone, or as good as; what it started must not go on without it
        _kill_group(self._process)
        self._process.wait()
        self._inbox.put(None)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        self._stderr.fill_from(self._process.stderr)


class _Watch:
    """One run as it goes: what has been heard, and how long a cancel has been waiting."""

    def __init__(self, on_event: OnEvent, on_tick: OnTick, cancel: threading.Event) -> None:
        self._on_event = on_event
        self._on_tick = on_tick
        self._cancel = cancel
        self._started_s = self._ticked_s = time.monotonic()
        self._told_s: float | None = None
        self._was_taken = False
        self._stage = ""

    def tick(self) -> None:
        """Call ``on_tick``."""
        self._ticked_s = time.monotonic()
        self._on_tick()

    def take(self, frame: Frame) -> None:
        """Note that the task began, or pass an event on; a stream of events must not hold up the ticks."""
        self._was_taken = True
        if frame.kind is Kind.EVENT:
            event: Event = pickle.loads(frame.payload)
            self._stage = event.stage if isinstance(event, StageStarted) else self._stage
            self._on_event(event)
        if time.monotonic() - self._ticked_s >= TICK_S:
            self.tick()

    def wants_to_tell(self) -> bool:
        """Whether a cancel was asked for and not yet passed on; true once."""
        if self._told_s is not None or not self._cancel.is_set():
            return False
        self._told_s = time.monotonic()
        return True

    @property
    def is_out_of_patience(self) -> bool:
        """Whether a cancel was passed on and not obeyed in time."""
        return self._told_s is not None and time.monotonic() - self._told_s > CANCEL_GRACE_S

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
        error = (
            JobCancelled() if self._told_s is not None else _crash(exit_code, self._stage, self._was_taken)
        )
        seconds = time.monotonic() - self._started_s
        return Outcome(error=error, log=stderr, seconds=seconds, was_taken=self._was_taken)


class _Tail:
    """The last bytes of a stream."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._lock = threading.Lock()

    def clear(self) -> None:
        with self._lock:
            self._parts.clear()

    def text(self) -> str:
        with self._lock:
            return b"".join(self._parts).decode("utf-8", "replace")

    def fill_from(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while part := pipe.read1(STDERR_BYTES):  # type: ignore[attr-defined]
                self._append(part)

    def _append(self, part: bytes) -> None:
        with self._lock:
            self._parts.append(part)
            while sum(map(len, self._parts)) > STDERR_BYTES and len(self._parts) > 1:
                self._parts.popleft()


def _spawn(keep_alive_s: float, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    paths = json.dumps([str(Path(entry).absolute()) for entry in sys.path])
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _BOOTSTRAP, paths, str(keep_alive_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        | getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def _rebuilt(ending: Ending) -> StembridgeError:
    kind: type[StembridgeError] = getattr(bridge.errors, ending.error_class)
    return QaError(ending.message, ending.value) if kind is QaError else kind(ending.message)


def _crash(exit_code: int, stage: str, was_taken: bool) -> StageError:
    during = f" in the stage {stage}" if stage else ""
    if not was_taken:
        during = " before it began"
    return StageError(f"The job's process {_death(exit_code)}{during}. {_counsel(exit_code)}")


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
