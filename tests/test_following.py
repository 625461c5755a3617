"""A command that follows or cancels a job at which another process works, or worked."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bridge.cli import process
from bridge.cli.jobs import cancel as cancel_command
from bridge.config import Config, load_config, shipped_config_path
from bridge.jobs import JobStore, Worker, open_store
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobRequest, JobState


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(shipped_config_path(), {"work": {"folder": str(tmp_path / "data")}})


def started(store: JobStore, folder: Path) -> Job:
    job = store.submit(JobRequest(source=folder / "Song.wav", destination=folder), "print")
    held = store.claim(Worker.here(), job.id)
    assert held is not None
    return held


def test_ctrl_c_just_after_the_end_leaves_the_result(tmp_path: Path, config: Config) -> None:
    """The song was delivered: that is what the command says."""
    store, cancel = MemoryJobStore(), threading.Event()
    delivery = Delivery(folder=tmp_path / "StemBridge" / "Song", files=())
    job = store.succeed(started(store, tmp_path), delivery)
    cancel.set()
    ended = process._wait_for_others(store, job, config, cancel)
    assert ended is not None
    assert ended.outcome.value == delivery


def test_ctrl_c_cancels_what_another_process_does(tmp_path: Path, config: Config) -> None:
    store, cancel = MemoryJobStore(), threading.Event()
    job = started(store, tmp_path)
    cancel.set()
    assert process._wait_for_others(store, job, config, cancel) is None
    assert store.is_cancel_requested(job)


def test_a_job_cancelled_while_no_service_runs_leaves_nothing_half_done(
    tmp_path: Path, config: Config
) -> None:
    """The service was stopped in the middle of it, and with that its worker killed."""
    settings = tmp_path / "settings.toml"
    settings.write_text(f"[work]\nfolder = {str(config.data_folder)!r}\n", encoding="utf-8")
    config.data_folder.mkdir()
    store = open_store(config.store_path)
    job = store.release(started(store, tmp_path))
    store.close()
    left = tmp_path / "StemBridge" / f".{job.id}.partial"
    left.mkdir(parents=True)
    cancel_command(job.id, config_file=settings)
    assert not left.exists()
    store = open_store(config.store_path)
    assert store.get(job.id).state is JobState.CANCELLED
    store.close()
