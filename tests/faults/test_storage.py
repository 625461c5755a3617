"""Short runs of what ``python -m tests.faults.storage`` does at length, and single power cuts."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from bridge.jobs import open_store
from bridge.pipeline.shelf import Shelf
from bridge.stages.base import Made
from tests.faults.storage import run_trial
from tests.faults.storage_disks import EXT4_MOUNTS, Disk, why_no_power
from tests.faults.storage_kinds import KINDS
from tests.faults.storage_power import end_of_commits, is_sound, tear_wal
from tests.faults.storage_scene import Counts
from tests.jobs.support import PRINT, request


def played(kind: str, number: int) -> Counts:
    if why := KINDS[kind][1]():
        pytest.skip(why)
    counts = Counts()
    run_trial(kind, number, 2026, counts)
    assert counts.faults_made > 0
    assert counts.songs > 0
    return counts


def test_no_song_is_lost_or_doubled_over_a_full_disk() -> None:
    assert played("full all", 1).faults() == []


def test_what_was_acknowledged_or_delivered_before_a_power_cut_is_so_after_it() -> None:
    counts = played("power cut", 3)
    assert counts.faults() == []
    assert counts.acknowledged > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS])
def test_every_kind_of_fault_once(kind: str) -> None:
    assert played(kind, 2).faults() == []


@pytest.fixture(params=EXT4_MOUNTS)
def crash_disk(request: pytest.FixtureRequest, tmp_path: Path) -> contextlib.AbstractContextManager[Disk]:
    if why := why_no_power():
        pytest.skip(why)
    return Disk("ext4", tmp_path / "disk", 16, request.param)


def test_a_finished_stage_is_whole_after_a_power_cut_or_not_there(
    crash_disk: contextlib.AbstractContextManager[Disk],
) -> None:
    """Sizes and times may be on the disk before the bytes are: then a file of zeros would look unchanged."""
    content = {"a.json": b"{}" * 30_000, "b.jpg": b"\xff\xd8" * 5000}
    with crash_disk as disk:
        shelf = Shelf(disk.path / "stages")
        room = shelf.room("mix-1")
        for name, text in content.items():
            (room / name).write_bytes(text)
        shelf.put("mix-1", "mix", room, Made(files={name: room / name for name in content}), 1.0)
        disk.cut()
        disk.power_up()
        found = Shelf(disk.path / "stages").find("mix-1")
        assert found is not None
        assert {asset.role: asset.path.read_bytes() for asset in found.assets} == content


def test_a_job_that_was_acknowledged_is_there_after_a_power_cut(
    crash_disk: contextlib.AbstractContextManager[Disk],
) -> None:
    """In a database in a folder that was made for it a moment before."""
    with crash_disk as disk:
        path = disk.path / "a" / "new" / "folder" / "jobs.sqlite3"
        store = open_store(path)
        known = store.submit(request(), PRINT)
        disk.cut()
        with contextlib.suppress(Exception):
            store.close()
        disk.power_up()
        with contextlib.closing(open_store(path)) as again:
            assert again.get(known.id) == known


@pytest.mark.parametrize("seed", range(6))
def test_whatever_follows_the_last_commit_in_the_log_is_passed_over(tmp_path: Path, seed: int) -> None:
    """Frames that were never synced, cut, in part, or nonsense."""
    path = tmp_path / "jobs.sqlite3"
    kept = tmp_path / "kept"
    kept.mkdir()
    with contextlib.closing(open_store(path)) as store:
        known = [store.submit(request(), PRINT) for _ in range(5)]
        for file in tmp_path.glob("jobs.sqlite3*"):
            (kept / file.name).write_bytes(file.read_bytes())
    left = kept / "jobs.sqlite3"
    wal = kept / "jobs.sqlite3-wal"
    assert end_of_commits(wal) == wal.stat().st_size
    tear_wal(left, random.Random(seed))
    assert is_sound(left) == "ok"
    with contextlib.closing(open_store(left)) as store:
        assert sorted(store.list(), key=lambda job: job.id) == known


def test_the_judge_of_databases_sees_damage(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    open_store(path).close()
    assert is_sound(path) == "ok"
    content = bytearray(path.read_bytes())
    content[4096 : 3 * 4096] = bytes(2 * 4096)
    path.write_bytes(content)
    assert is_sound(path) != "ok"
