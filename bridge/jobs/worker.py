"""A worker process as its parent sees it: started, given a task, listened to, cancelled, buried."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, Self, Unpack

from bridge.children import Tail, bury, python_command
from bridge.jobs.channel import Frame, FrameWriter, Kind, Task, read_frame
from bridge.jobs.logs import parent_level
from bridge.jobs.watch import TICK_S, Outcome, RunOptions, Watch

KEEP_ALIVE_S = 60.0
IDLE_FROM = 15
"""Niceness from which on Windows gives a worker only the time that nobody else wants."""

_MAIN = "from bridge.jobs.child import main; main(float(sys.argv[2]), int(sys.argv[3]))"


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

    It has a process group of its own, so that the engines it starts end with it (on Windows they see their
    pipes close), and ends by itself when this process is gone. ``niceness``, 0 to 19, is how far it steps
    back behind everything else on the machine.
    Use as a context manager or ``close`` it.
    """

    def __init__(
        self, *, keep_alive_s: float = KEEP_ALIVE_S, threads: int | None = None, niceness: int = 0
    ) -> None:
        self._process = _spawn(keep_alive_s, niceness, worker_environment(threads))
        self._numbers = itertools.count()
        self._inbox: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._stderr = Tail()
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

    def run(self, target: str, *arguments: Any, **options: Unpack[RunOptions]) -> Outcome:
        """Call ``target`` ("module:function") with ``arguments`` and ``report(event)``; wait for its end.

        What the task logs is logged here. If a listener among the ``options`` raises, the process is killed
        and the error goes on. However the task ends, there is an outcome: a crash becomes a WorkerDiedError
        that names it.
        """
        watch = Watch(self.pid, **options)
        number = next(self._numbers)
        self._stderr.clear()
        try:
            self._send(Kind.RUN, number, Task(target, arguments, parent_level()))
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
        bury(self._process, self._threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _step(self, number: int, watch: Watch) -> Outcome | None:
        """Wait for one frame or one tick; the outcome when that was the end."""
        try:
            frame = self._inbox.get(timeout=TICK_S)
        except queue.Empty:
            watch.tick()
        else:
            if frame is None:
                return self._crashed(watch)
            if frame.number != number:
                return None  # a late word of a run that was given up
            if frame.kind is Kind.ENDED:
                return watch.ended(pickle.loads(frame.payload), self._stderr.text())
            watch.take(frame)
        if watch.wants_to_tell():
            self._send(Kind.CANCEL, number)
        if watch.must_be_killed():
            self.kill()
        return None

    def _send(self, kind: Kind, number: int, message: Any = None) -> None:
        # a process that is gone is seen by _listen, which says so in the inbox
        with contextlib.suppress(OSError, ValueError):
            self._writer.send(kind, number, message)

    def _crashed(self, watch: Watch) -> Outcome:
        self._inbox.put(None)  # for whoever runs next on this dead process
        self._threads[1].join(timeout=0.5)
        return watch.crashed(self._process.wait(), self._stderr.text())

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=f"worker-{self._process.pid}", daemon=True)
        thread.start()
        return thread

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as frames:
            while (frame := read_frame(frames)) is not None:
                self._inbox.put(frame)
        # the process has closed its end: it is gone, or as good as; what it started must not go on without it
        _kill_group(self._process)
        self._process.wait()
        self._inbox.put(None)

    def _drain(self) -> None:
        assert self._process.stderr is not None
        self._stderr.fill_from(self._process.stderr)


def _spawn(keep_alive_s: float, niceness: int, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        python_command(_MAIN, str(keep_alive_s), str(niceness)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=os.name == "posix",
        creationflags=_windows_flags(niceness),
    )


def _windows_flags(niceness: int) -> int:
    """A group of its own, no window, and the priority class; 0 on other systems, which have no such flags."""
    names = ["CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"]
    if niceness:
        names.append("BELOW_NORMAL_PRIORITY_CLASS" if niceness < IDLE_FROM else "IDLE_PRIORITY_CLASS")
    return sum(getattr(subprocess, name, 0) for name in names)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
