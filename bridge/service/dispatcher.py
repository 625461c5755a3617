"""Starts jobs as there is room, a bounded number at once, and tidies up after those that did not end well."""

from __future__ import annotations

import logging
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from bridge.config import Config
from bridge.errors import JobLostError, StembridgeError
from bridge.events import Event, JobCancelled, JobFailed
from bridge.jobs import JOB_TARGET, JobStore, Limits, RetryPolicy, Workers, run_job
from bridge.values import Job, JobState

CLEAN_TARGET = "bridge.pipeline:clean_up"
TIDIED_WITHIN_S = 30.0
"""A folder that takes longer is on a disk that hangs; nobody waits for it with the service's end."""

log = logging.getLogger(__name__)


class Dispatcher:
    """Threads that each take one job after the other through a worker process.

    Args:
        settings: the configuration as it is when a job starts.
        store: where the jobs are.
        workers: the processes that do them.
        publish: hears what happens.
        on_pause: called with the reason when no job may start, with "" when they may again.
        free_bytes: of the disk that holds a folder.
    """

    def __init__(
        self,
        settings: Callable[[], Config],
        store: JobStore,
        workers: Workers,
        publish: Callable[[Event], None],
        *,
        on_pause: Callable[[str], None] = lambda _: None,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        target: str = JOB_TARGET,
    ) -> None:
        self._settings = settings
        self._store = store
        self._workers = workers
        self._publish = publish
        self._on_pause = on_pause
        self._free_bytes = free_bytes
        self._target = target
        self._changed = threading.Condition()
        self._wakes = 0
        self._is_closing = False
        self._halt = threading.Event()
        self._is_paused = False
        self._at_work = 0
        self._untidy: deque[Job] = deque()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take over what an earlier service left, and begin."""
        self._take_over()
        for number in range(self._settings().service.jobs):
            thread = threading.Thread(target=self._work, name=f"jobs-{number + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def look_after(self) -> None:
        """Take over, while running, what another process left that died with a job: a ``process`` command."""
        try:
            self._take_over()
        except StembridgeError as error:
            log.warning("%s", error.message, extra={"action": "not_taken_over"})

    def wake(self) -> None:
        """There may be a job to start."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()

    def tidy(self, job: Job) -> None:
        """Remove, soon, what a job that ended FAILED or CANCELLED left."""
        if job.attempt and job.state in (JobState.FAILED, JobState.CANCELLED):
            self._untidy.append(job)
            self.wake()

    @property
    def at_work(self) -> int:
        """How many jobs are at work."""
        return self._at_work

    def close(self) -> None:
        """Start no more jobs; those at work go on."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Put the jobs at work back, and end."""
        self.close()
        self._halt.set()
        for thread in self._threads:
            thread.join()

    def _take_over(self) -> None:
        for job in self._store.release_orphans():
            if job.state is JobState.FAILED:
                self._publish(JobFailed(job_id=job.id, error="WorkerDiedError", message=job.error))
            elif job.state is JobState.CANCELLED:
                self._publish(JobCancelled(job_id=job.id, reason=job.error))
            self.tidy(job)
            self.wake()

    def _work(self) -> None:
        while not self._is_closing:
            seen = self._wakes
            try:
                if not (self._tidy_one() or self._run_one()):
                    self._wait(self._patience_s(), seen)
            except JobLostError as error:
                log.warning("%s", error.message, extra={"action": "job_lost"})
            except StembridgeError as error:
                log.error("%s", error.message, extra={"action": "dispatch_failed"})
                self._wait(self._settings().service.pause_s, seen)
            except Exception:
                log.exception("A fault of stembridge itself; please report it with this log.")
                self._wait(self._settings().service.pause_s, seen)
        while self._tidy_one():
            pass

    def _run_one(self) -> bool:
        """Run the job whose turn it is; False where there is none, or no room."""
        is_due = self._store.next_due_s() == 0.0
        lacks_room = (is_due or self._is_paused) and self._lacks_room()
        if not is_due or lacks_room:
            return False
        config = self._settings()
        self._count(+1)
        try:
            ended = run_job(
                self._store,
                settings=config,
                workers=self._workers,
                publish=self._publish,
                halt=self._halt,
                limits=limits_of(config),
                retry=retry_policy_of(config),
                target=self._target,
            )
        finally:
            self._count(-1)
        if ended is not None:
            self.tidy(ended.job)
        return ended is not None

    def _tidy_one(self) -> bool:
        try:
            job = self._untidy.popleft()
        except IndexError:
            return False
        outcome = self._workers.run(
            CLEAN_TARGET, job, self._settings(), limits=Limits(stall_s=TIDIED_WITHIN_S)
        )
        if outcome.error is not None:
            log.warning(
                "What job %s left was not removed: %s",
                job.id,
                outcome.error.message,
                extra={"action": "not_tidied", "job": job.id},
            )
        return True

    def _lacks_room(self) -> bool:
        """Whether the working disk is so full that jobs wait; told when that changes."""
        config = self._settings()
        reserve = config.work.reserve_gb * 1e9
        free = self._free_bytes(config.data_folder)
        reason = ""
        if free < reserve:
            reason = (
                f"The disk of {config.data_folder} has {free / 1e9:.1f} GB free; {reserve / 1e9:.1f} GB stay "
                "free (work.reserve_gb). Jobs wait until there is room: free some, or move work.folder."
            )
        self._tell_pause(reason)
        return bool(reason)

    def _tell_pause(self, reason: str) -> None:
        """Tell when jobs begin to wait for room, and when they go on: not every few seconds in between."""
        with self._changed:
            was_paused, self._is_paused = self._is_paused, bool(reason)
        if was_paused == bool(reason):
            return
        self._on_pause(reason)
        if reason:
            log.warning("%s", reason, extra={"action": "paused"})
        else:
            log.info("There is room again; jobs go on.", extra={"action": "resumed"})

    def _patience_s(self) -> float:
        due_s = self._store.next_due_s()
        look_s = self._settings().service.look_s
        return look_s if not due_s else min(look_s, due_s)

    def _wait(self, seconds: float, seen: int) -> None:
        """Wait, but not for what came since ``seen`` wakes."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._wakes != seen, seconds)

    def _count(self, change: int) -> None:
        with self._changed:
            self._at_work += change
            self._changed.notify_all()


def limits_of(config: Config) -> Limits:
    """What a job may take."""
    service = config.service
    return Limits(
        memory_bytes=round(service.memory_gb * 1e9),
        stall_s=service.stall_s,
        stage_limit_s=service.stage_limit_s,
    )


def retry_policy_of(config: Config) -> RetryPolicy:
    """When what may pass is tried again."""
    return RetryPolicy(retry_after_s=config.service.retry_after_s, pause_s=config.service.pause_s)
