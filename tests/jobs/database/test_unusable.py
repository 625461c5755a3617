"""What is no store, or cannot be used as one, is told."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import exc

from bridge.errors import DiskFullError, StorageError
from bridge.jobs import open_store
from bridge.jobs.database import has_no_room, open_database, told_as_storage
from tests.jobs.support import PRINT, request


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    """Left as it is, with what to do."""
    path.write_bytes(b"RIFF" + b"\0" * 5000)
    with pytest.raises(StorageError, match=r"jobs\.sqlite is damaged or is no job database.*move the file"):
        open_store(path)
    assert path.read_bytes() == b"RIFF" + b"\0" * 5000


def test_a_damaged_store_is_told_when_it_is_read(path: Path) -> None:
    """A page of rubbish in the middle."""
    store = open_store(path)
    for _ in range(200):
        store.submit(request(), PRINT)
    store.close()
    data = bytearray(path.read_bytes())
    data[8192:-4096] = b"\xa5" * (len(data) - 8192 - 4096)
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        _use(path)


def _use(path: Path) -> None:
    store = open_store(path)
    try:
        store.list(limit=500)
        store.submit(request(), PRINT)
    finally:
        store.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    """What a crash in the very first moment leaves."""
    path.touch()
    _use(path)


def test_a_folder_in_the_files_place_is_told(path: Path) -> None:
    """With the path and what to do."""
    path.mkdir()
    with pytest.raises(StorageError, match=r"jobs\.sqlite cannot be written.*another work folder"):
        open_store(path)


def test_a_file_in_the_folders_place_is_told(tmp_path: Path) -> None:
    """The same, one step higher."""
    (tmp_path / "work").touch()
    with pytest.raises(StorageError, match=r"work cannot hold the job database .*another work folder"):
        open_store(tmp_path / "work" / "jobs.sqlite")


@contextmanager
def as_nobody() -> Iterator[None]:
    """The super-user may write everywhere, so that permission is tried as somebody else."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="permission bits are POSIX")
@pytest.mark.parametrize("has_store", [True, False], ids=["old store", "new store"])
def test_a_read_only_folder_is_told(has_store: bool) -> None:
    """Whether the store is there or would have to be made."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "jobs.sqlite"
    if has_store:
        open_store(path).close()
        path.chmod(0o444)
    folder.chmod(0o555)
    try:
        with as_nobody(), pytest.raises(StorageError, match=r"cannot be written.*permission"):
            _use(path)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_full_disk_is_told_and_changes_nothing(path: Path) -> None:
    """SQLite's own limit on pages stands for the disk; the refused job is not there."""
    database = open_database(path, busy_timeout_s=1)
    from bridge.jobs.sql_store import SqlJobStore

    store = SqlJobStore(database, clock=lambda: 0.0, is_running=lambda _mark: True)
    first = store.submit(request(), PRINT)
    with database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DiskFullError, match=r"disk that holds .* is full"):
        store.submit(request().evolve(wishes=("x" * 100_000,)), PRINT)
    assert store.list() == (first,)
    store.close()


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR_SHMSIZE]
)
@pytest.mark.parametrize("is_full", [True, False])
def test_a_full_disk_is_told_in_whatever_words_sqlite_has(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_full: bool
) -> None:
    """Of a log that could not be made it says "disk I/O error", which is also what a broken disk gives."""
    monkeypatch.setattr("bridge.jobs.database.has_no_room", lambda folder: is_full and folder == path.parent)
    cause = sqlite3.OperationalError("disk I/O error")
    cause.sqlite_errorcode = code
    with pytest.raises(StorageError) as told, told_as_storage(path):
        raise exc.OperationalError("INSERT", {}, cause)
    assert isinstance(told.value, DiskFullError) == is_full
    assert ("is full" in told.value.message) == is_full


def test_a_folder_that_cannot_be_made_on_a_full_disk_is_told(path: Path) -> None:
    """The system's own word for it counts as well."""
    with pytest.raises(DiskFullError, match="is full"), told_as_storage(path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_room_is_found_by_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left behind; a folder that cannot be written has room as far as anybody knows."""
    assert not has_no_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not has_no_room(tmp_path / "missing")

    def refuse(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert has_no_room(tmp_path)
