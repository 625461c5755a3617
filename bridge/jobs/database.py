"""Opens the SQLite database of jobs: durable, shared between processes, brought up to date by Alembic."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, inspect, text

from bridge.errors import DiskFullError, StorageError, is_disk_full
from bridge.jobs.tables import SCHEMA

MIGRATIONS = Path(__file__).with_name("migrations")
TRIAL_BYTES = 65_536
"""What SQLite needs at least to work with a database: the index of its log and some pages."""

_WRITES = "stembridge_writes"
_MIGRATING = threading.Lock()
"""Alembic works at one database at a time: two in a process would be written into each other."""


class Database:
    """An open database: transactions that read or write, with storage faults told as StorageError."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITES: True})
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the database."""
        with told_as_storage(self.path), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start and is on the disk when it ends."""
        with told_as_storage(self.path), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def open_database(path: Path, busy_timeout_s: float) -> Database:
    """Open the database at ``path``, create it where it is missing, migrate it where it is old."""
    with told_as_storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        database = Database(_engine(path, busy_timeout_s), path)
        try:
            _prepare(database)
        except BaseException:
            database.close()
            raise
        if is_new:
            for folder in path.absolute().parents:  # of which any may have been made for it just now
                _sync_folder(folder)
    return database


def _prepare(database: Database) -> None:
    with database.reading() as connection:
        version = _version(connection)
    if version != SCHEMA:
        with _MIGRATING, database.writing() as connection:
            _migrate(connection, database.path)


def _engine(path: Path, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_timeout_s},
        max_overflow=-1,  # as many connections as threads: none waits for another's
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # the driver must not open transactions of its own: it would start them as readers, and two readers
        # that both want to write cannot wait for each other
        connection.isolation_level = None
        use_wal(connection, busy_timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def use_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switch to WAL. SQLite does not wait for this lock by itself: two first openers would see "locked"."""
    give_up = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as cause:
            if cause.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.005)
        else:
            return


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(connection: Connection, path: Path) -> None:
    """Under the write lock: another process may have migrated just before; then nothing is left to do."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    _expect_ours(connection, path, known)
    command.upgrade(config, "head")


def _expect_ours(connection: Connection, path: Path, known: list[str]) -> None:
    version = _version(connection)
    tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if version is None and tables:
        raise StorageError(
            f"{path} is another program's database (tables {', '.join(tables[:5])}); wanted stembridge's "
            "jobs. Choose another work folder in the configuration."
        )
    if version is not None and version not in known:
        raise StorageError(
            f"{path} was written by a newer stembridge (schema {version}; this one knows up to {SCHEMA}). "
            "Update stembridge, or choose another work folder in the configuration."
        )


@contextmanager
def told_as_storage(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into StorageError; faults of our own SQL pass as they are."""
    try:
        yield
    except (exc.IntegrityError, exc.ProgrammingError):
        raise
    except exc.DBAPIError as cause:
        raise _storage_error(path, cause.orig or cause) from cause
    except OSError as cause:
        if is_disk_full(cause):
            raise DiskFullError(_FULL.format(path=path, cause=cause.strerror or cause)) from cause
        raise StorageError(
            f"{path.parent} cannot hold the job database ({cause.strerror or cause}); wanted a folder "
            "that can be written. Check its permission and free space, or choose another work folder in the "
            "configuration."
        ) from cause


def _storage_error(path: Path, cause: BaseException) -> StorageError:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    # of a full disk SQLite says that only where a write was refused, else that a file could not be used
    if code == sqlite3.SQLITE_FULL or (code in _USE_FAILED and has_no_room(path.parent)):
        return DiskFullError(_FULL.format(path=path, cause=cause))
    words = _ADVICE.get(code, "{path} cannot be used as the job database ({cause}). {elsewhere}")
    elsewhere = "Check the disk, or choose another work folder in the configuration."
    return StorageError(words.format(path=path, cause=cause, elsewhere=elsewhere))


def has_no_room(folder: Path) -> bool:
    """Whether a small file finds no room in ``folder``: asked by trying, since a quota shows in no figure."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as trial:
            trial.write(bytes(TRIAL_BYTES))
    except OSError as fault:
        return is_disk_full(fault)
    return False


_DAMAGED = (
    "{path} is damaged or is no job database ({cause}). Finished deliveries are not touched by this. "
    "Stop stembridge, move the file and those beside it that end in -wal and -shm away, and start again: "
    "a new one is made, and only the list of past jobs is lost."
)
_LOCKED = (
    "{path} is locked by another program for too long ({cause}). Close the program that has it open "
    "(a database browser, a backup), and try again."
)
_READ_ONLY = (
    "{path} cannot be written ({cause}); wanted a file and a folder with write permission. Change the "
    "permission, or choose another work folder in the configuration."
)
_FULL = "The disk that holds {path} is full ({cause}). Free some space and try again; no job is lost."

_ADVICE = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
}
_USE_FAILED = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def _sync_folder(folder: Path) -> None:
    """Wait until a new file's name is on the disk, as far as that can be had: Windows has no such call."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
