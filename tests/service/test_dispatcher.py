"""Starts jobs as there is room, and goes on whatever the store or the disk does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.config import Config, load_config, shipped_config_path
from bridge.errors import StorageError
from bridge.jobs import Workers
from bridge.service.dispatcher import Dispatcher
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Job, JobRequest, JobState
from tests.jobs.support import wait_until

TASKS = "bridge.testing.tasks"
GB = 10**9


@pytest.fixture
def config(tmp_path: Path) -> Config:
    service = {"look_s": 0.1, "pause_s": 1.0}
    return load_config(shipped_config_path(), {"work": {"folder": str(tmp_path)}, "service": service})


@pytest.fixture
def request_(tmp_path: Path) -> JobRequest:
    return JobRequest(source=tmp_path / "Song.wav", destination=tmp_path)


@contextmanager
def at_work(config: Config, store: MemoryJobStore, **options: Any) -> Iterator[Dispatcher]:
    with Workers(keep_alive_s=30, threads=1) as workers:
        made = Dispatcher(
            lambda: config, store, workers, lambda _: None, target=f"{TASKS}:deliver", **options
        )
        made.start()
        try:
            yield made
        finally:
            made.stop()


def state_of(store: MemoryJobStore, job: Job) -> Callable[[], JobState]:
    return lambda: store.get(job.id).state


class _Moody(MemoryJobStore):
    """Refuses the second look at the queue of each pair: the one that asks how long to wait."""

    looks = 0

    def next_due_s(self) -> float | None:
        self.looks += 1
        if self.looks == 2:
            raise StorageError("The database is locked.")
        return super().next_due_s()


def test_a_store_that_fails_at_any_moment_ends_no_thread(config: Config, request_: JobRequest) -> None:
    store = _Moody()
    with at_work(config, store):
        wait_until(lambda: store.looks >= 2)
        job = store.submit(request_, "print")
        wait_until(lambda: state_of(store, job)() is JobState.SUCCESS)


def test_the_pause_of_a_full_disk_ends_though_no_job_waits_any_more(
    config: Config, request_: JobRequest
) -> None:
    """The one that waited was cancelled; then somebody made room."""
    free, told, store = [0], list[str](), MemoryJobStore()
    job = store.submit(request_, "print")
    with at_work(config, store, free_bytes=lambda _: free[0], on_pause=told.append):
        wait_until(lambda: bool(told))
        store.request_cancel(job.id)
        free[0] = 100 * GB
        wait_until(lambda: told[-1] == "")


def test_what_a_cancelled_job_left_is_removed_though_the_service_ends(
    config: Config, request_: JobRequest
) -> None:
    store = MemoryJobStore()
    job = store.submit(request_, "print").evolve(attempt=1, state=JobState.CANCELLED)
    left = request_.destination / "StemBridge" / f".{job.id}.partial"
    left.mkdir(parents=True)
    with Workers(keep_alive_s=30, threads=1) as workers:
        dispatcher = Dispatcher(lambda: config, store, workers, lambda _: None)
        dispatcher.tidy(job)
        dispatcher.close()
        dispatcher.start()
        wait_until(lambda: not dispatcher._threads[0].is_alive())
    assert not left.exists()
