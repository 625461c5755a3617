"""Keeps worker processes warm between jobs."""

from __future__ import annotations

import threading
from typing import Any, Self, Unpack

from bridge.errors import WorkerDiedError
from bridge.jobs.watch import Outcome, RunOptions
from bridge.jobs.worker import KEEP_ALIVE_S, WorkerProcess


class Workers:
    """Runs tasks, each in a process that does nothing else meanwhile; idle ones are used again.

    As many tasks run at once as threads call ``run``. An idle process ends by itself after ``keep_alive_s``;
    0 means one process for each task. ``threads`` and ``niceness`` are as for ``WorkerProcess``. Use as a
    context manager or ``close`` it.
    """

    def __init__(
        self, *, keep_alive_s: float = KEEP_ALIVE_S, threads: int | None = None, niceness: int = 0
    ) -> None:
        self._keep_alive_s = keep_alive_s
        self._threads = threads
        self._niceness = niceness
        self._idle: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def run(self, target: str, *arguments: Any, **options: Unpack[RunOptions]) -> Outcome:
        """As ``WorkerProcess.run``, in a warm process or else a new one."""
        while True:
            try:
                worker, is_warm = self._take()
            except OSError as cause:
                return Outcome(error=_not_started(cause), was_taken=False)
            try:
                outcome = worker.run(target, *arguments, **options)
            except BaseException:
                worker.close()  # killed in the middle of its work: it may seem alive for a moment yet
                raise
            self._put_back(worker)
            # a warm process may end, its time being over, just when it is given a task
            has_just_ended = is_warm and not outcome.was_taken and isinstance(outcome.error, WorkerDiedError)
            if not has_just_ended:
                return outcome

    def close(self) -> None:
        """End the idle processes; those at work end when their task does."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self) -> tuple[WorkerProcess, bool]:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive:
                    return worker, True
                worker.close()
        fresh = WorkerProcess(keep_alive_s=self._keep_alive_s, threads=self._threads, niceness=self._niceness)
        return fresh, False

    def _put_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker.is_alive and self._keep_alive_s > 0 and not self._is_closed:
                self._idle.append(worker)
                return
        worker.close()


def _not_started(cause: OSError) -> WorkerDiedError:
    return WorkerDiedError(
        f"No worker process could be started ({cause.strerror or cause}); wanted one for the task. Is there "
        "enough memory, and was stembridge updated while it ran? Then start it anew."
    )
