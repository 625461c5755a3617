"""What the store accepted is in the file, whatever happens next."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bridge.jobs import open_store
from bridge.jobs.database import open_database
from tests.jobs.support import PRINT, request


def test_a_store_is_made_with_its_folders_and_found_again(tmp_path: Path) -> None:
    """The job of yesterday is there today."""
    path = tmp_path / "a" / "folder that % is # new?" / "jobs.sqlite"
    first = open_store(path)
    job = first.submit(request(), PRINT)
    first.close()
    second = open_store(path)
    assert second.get(job.id) == job
    second.close()


def test_writes_are_durable_and_readers_do_not_wait(path: Path) -> None:
    """WAL, synced at every commit; foreign keys hold; a writer waits for another."""
    database = open_database(path, busy_timeout_s=3)
    with database.reading() as connection:
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 3000}
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
    database.close()
    assert found == wanted


def test_a_submitted_job_is_in_the_files_when_submit_returns(path: Path, tmp_path: Path) -> None:
    """What a crash at that moment would leave, taken as a copy while the store is open, holds the job."""
    store = open_store(path)
    job = store.submit(request(), PRINT)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("jobs.sqlite", "jobs.sqlite-wal"):
        shutil.copy(path.with_name(name), crashed / name)
    again = open_store(crashed / "jobs.sqlite")
    assert again.get(job.id) == job
    again.close()
    store.close()


def test_a_torn_log_loses_the_last_jobs_and_nothing_before(path: Path, tmp_path: Path) -> None:
    """Cut anywhere, the store opens and holds the first jobs in order: never a part of one."""
    store = open_store(path)
    jobs = [store.submit(request(), PRINT) for _ in range(6)]
    log = path.with_name("jobs.sqlite-wal").read_bytes()
    kept = set()
    for cut in range(0, len(log), max(1, len(log) // 12)):
        torn = tmp_path / f"torn-{cut}"
        torn.mkdir()
        shutil.copy(path, torn / "jobs.sqlite")
        (torn / "jobs.sqlite-wal").write_bytes(log[:cut])
        again = open_store(torn / "jobs.sqlite")
        found = again.list()[::-1]
        again.close()
        assert found == tuple(jobs[: len(found)])
        kept.add(len(found))
    store.close()
    assert 0 in kept
    assert len(kept) > 3


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync folders")
def test_a_new_database_stays_with_all_its_folders_when_the_power_goes(
    tmp_path: Path, synced: set[int]
) -> None:
    """Every folder that was made for it is synced in the one around it."""
    open_store(tmp_path / "one" / "two" / "jobs.sqlite").close()
    for folder in (tmp_path, tmp_path / "one", tmp_path / "one" / "two"):
        assert folder.stat().st_ino in synced
