"""Keeps worker processes warm between jobs."""

from __future__ import annotations

import threading
from typing import Any, Self

from bridge.jobs.worker import (
    KEEP_ALIVE_S,
    OnEvent,
    OnTick,
    Outcome,
    WorkerProcess,
    ignore_event,
    ignore_tick,
)


class Workers:
    """Runs tasks, each in a process that does nothing else meanwhile; idle ones are used again.

    As many tasks run at once as threads call ``run``. An idle process ends by itself after ``keep_alive_s``;
    0 means one process for each task. Use as a context manager or ``close`` it.
    """

    def __init__(self, *, keep_alive_s: float = KEEP_ALIVE_S, threads: int | None = None) -> None:
        self._keep_alive_s = keep_alive_s
        self._threads = threads
        self._idle: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def run(
        self,
        target: str,
        *arguments: Any,
        on_event: OnEvent = ignore_event,
        on_tick: OnTick = ignore_tick,
        cancel: threading.Event | None = None,
    ) -> Outcome:
        """As ``WorkerProcess.run``, in a warm process or else a new one."""
        while True:
            worker, is_warm = self._take()
            try:
                outcome = worker.run(target, *arguments, on_event=on_event, on_tick=on_tick, cancel=cancel)
            finally:
                self._put_back(worker)
            # a warm process may end, its time being over, just when it is given a task
            if outcome.was_taken or outcome.is_cancelled or not is_warm:
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
        return WorkerProcess(keep_alive_s=self._keep_alive_s, threads=self._threads), False

    def _put_back(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker.is_alive and self._keep_alive_s > 0 and not self._is_closed:
                self._idle.append(worker)
                return
        worker.close()
