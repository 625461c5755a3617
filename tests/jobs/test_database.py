"""The SQLite file: durable, shared, migrated, and clear about what is wrong with it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, exc, inspect

from bridge.errors import DiskFullError, StorageError
from bridge.events import Event
from bridge.jobs import Workers, open_store, run_job
from bridge.jobs.database import MIGRATIONS, has_no_room, open_database, told_as_storage, use_wal
from bridge.jobs.tables import SCHEMA, metadata
from bridge.values import JobState
from tests.jobs.support import HERE, PRINT, StartPython, line_of, output_of, request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        yield connection
        connection.commit()


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


def test_the_migrations_make_what_the_code_expects(path: Path) -> None:
    """Tables, columns, types, nullability and indexes are those of tables.py."""
    open_store(path).close()
    expected = path.with_name("expected.sqlite")
    engines = [create_engine(f"sqlite:///{file}") for file in (path, expected)]
    metadata.create_all(engines[1])
    made, wanted = (_schema(engine) for engine in engines)
    for engine in engines:
        engine.dispose()
    made.pop("alembic_version")
    assert made == wanted


def _schema(engine: object) -> dict[str, object]:
    tables = inspect(engine)
    return {
        name: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["primary_key"]) for c in tables.get_columns(name)
            },
            "indexes": {i["name"]: i["column_names"] for i in tables.get_indexes(name)},
            "unique": [u["column_names"] for u in tables.get_unique_constraints(name)],
            "foreign": [
                (f["constrained_columns"], f["referred_table"], f["options"])
                for f in tables.get_foreign_keys(name)
            ],
        }
        for name in tables.get_table_names()
    }


def test_the_code_knows_the_newest_migration() -> None:
    """Else an old file would never be brought up to date."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [SCHEMA]
    assert all(" new code" in (script.doc + script.longdoc) for script in scripts.walk_revisions())


def test_a_migration_can_be_undone(path: Path) -> None:
    """Down to nothing and up again, in the same file."""
    from alembic import command
    from alembic.config import Config

    database = open_database(path, busy_timeout_s=3)
    with database.writing() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    database.close()
    store = open_store(path)
    assert store.count() == 0
    store.close()


OLD_JOB = """
INSERT INTO jobs (id, request, fingerprint, linked_to, state, attempt, stage, progress, error, delivery,
                  created_s, updated_s, is_cancel_requested)
VALUES (:id, :request, :fingerprint, '', :state, 1, 'mix', 0.5, :error, :delivery, 1.0, 2.0, 0)
"""
OLD_REQUEST = """
{"source": "/songs/a.mp3", "recipe": "full", "destination": "/projects/one", "targets": ["club"],
 "wishes": [], "keep_separated": false, "origin": "cli"}
"""
OLD_DELIVERY = (
    '{"folder": "/projects/one/StemBridge/a", "files": ["Report.html"], "main_figures": {"lufs": -14}}'
)


def test_jobs_of_the_first_schema_are_there_after_the_update(path: Path) -> None:
    """Ended ones with their delivery and stages, waiting ones ready to be taken; the update runs once."""
    make_first_schema(path)
    with raw(path) as connection:
        states = {"1" * 16: "SUCCESS", "2" * 16: "FAILED", "3" * 16: "PENDING", "4" * 16: "PROCESSING"}
        for job_id, state in states.items():
            values = {"id": job_id, "request": OLD_REQUEST, "fingerprint": PRINT, "state": state}
            values["error"] = "broken" if state == "FAILED" else ""
            connection.execute(OLD_JOB, {**values, "delivery": OLD_DELIVERY if state == "SUCCESS" else None})
        connection.execute("INSERT INTO stages VALUES (1, ?, 1, 'mix', 'key', 2.5, 0)", ("1" * 16,))
    for _ in range(2):
        store = open_store(path)
        assert {job.id: str(job.state) for job in store.list()} == states
        done = store.get("1" * 16)
        assert done.delivery is not None
        assert (done.delivery.main_figures, done.failures, done.not_before_s) == ({"lufs": -14}, 0, 0)
        assert [record.key for record in store.stages(done.id)] == ["key"]
        assert store.get("2" * 16).error == "broken"
        store.close()
    store = open_store(path)
    claimed = [store.claim(HERE), store.claim(HERE), store.claim(HERE)]
    store.close()
    assert [job.id if job else None for job in claimed] == ["3" * 16, "4" * 16, None]


def make_first_schema(path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0001")
    engine.dispose()


def test_the_code_of_before_goes_on_after_the_update(path: Path) -> None:
    """A process that was at work meanwhile adds a job as it knows how: it is one like all others."""
    open_store(path).close()
    with raw(path) as connection:
        values = {"id": "1" * 16, "request": OLD_REQUEST, "fingerprint": PRINT, "state": "PENDING"}
        connection.execute(OLD_JOB, {**values, "error": "", "delivery": None})
    store = open_store(path)
    job = store.claim(HERE)
    store.close()
    assert job is not None
    assert (job.id, job.attempt) == ("1" * 16, 2)


OPENERS = 4
OPEN_AT_ONCE = """
import sys
from pathlib import Path
from bridge.jobs import open_store
from tests.jobs.support import PRINT, request
import bridge.jobs.database, bridge.jobs.sql_store, alembic.command
print("ready", flush=True)
sys.stdin.readline()
store = open_store(Path(sys.argv[1]))
print(store.submit(request(), PRINT).id)
store.close()
"""


def test_many_processes_make_the_store_at_once(path: Path, start: StartPython) -> None:
    """One migrates, the others wait; each job is there."""
    openers = [start(OPEN_AT_ONCE, path) for _ in range(OPENERS)]
    assert [line_of(opener) for opener in openers] == ["ready"] * OPENERS
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.flush()
    ids = {output_of(opener).strip() for opener in openers}
    store = open_store(path)
    assert {job.id for job in store.list()} == ids
    store.close()
    assert len(ids) == OPENERS


def test_a_newer_store_is_refused(path: Path) -> None:
    """And left as it is."""
    open_store(path).close()
    with raw(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"newer stembridge \(schema 0999.*Update stembridge"):
        open_store(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(path: Path) -> None:
    """Nothing is written into it."""
    with raw(path) as connection:
        connection.execute("CREATE TABLE tracks (name TEXT)")
    with pytest.raises(StorageError, match=r"another program's database \(tables tracks\)"):
        open_store(path)
    with raw(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("tracks",)]


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


def test_a_locked_store_is_told_after_the_time(path: Path) -> None:
    """Somebody else's program holds it; readers are not held up."""
    store = open_store(path, busy_timeout_s=0.05)
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked by another program"):
            store.submit(request(), PRINT)
        assert store.list() == ()
    assert store.submit(request(), PRINT).state is JobState.PENDING
    store.close()


class _FreedWhenRefused:
    """A connection beside another that locks the file, and lets go once this one was refused."""

    def __init__(self, path: Path, other: sqlite3.Connection) -> None:
        self.mine = sqlite3.connect(path, timeout=0)
        self.other = other
        self.refused = 0

    def execute(self, sql: str) -> sqlite3.Cursor:
        try:
            return self.mine.execute(sql)
        except sqlite3.OperationalError:
            self.refused += 1
            self.other.rollback()
            raise


def test_the_first_openers_wait_for_each_other(path: Path) -> None:
    """SQLite refuses the switch to WAL at once while another opener holds the new file."""
    with raw(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        connection = _FreedWhenRefused(path, other)
        with closing(connection.mine):
            use_wal(connection, busy_timeout_s=5)  # type: ignore[arg-type]
            assert connection.mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.refused == 1


def test_the_first_openers_do_not_wait_for_ever(path: Path) -> None:
    """After the time the lock is told."""
    with raw(path) as other, closing(sqlite3.connect(path, timeout=0)) as mine:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            use_wal(mine, busy_timeout_s=0.01)


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


HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.rollback()
print("free", flush=True)
sys.stdin.readline()
"""


def test_a_job_ends_well_though_another_program_locks_the_store_meanwhile(
    path: Path, start: StartPython
) -> None:
    """For longer than SQLite waits: progress is left out, the end is stored once the lock is gone."""
    store = open_store(path, busy_timeout_s=0.05)
    store.submit(request(), PRINT)
    other: list[subprocess.Popen[str]] = []
    free = threading.Timer(1.0, lambda: let_go(other[0]))

    def listen(event: Event) -> None:
        if event.kind == "stage_started" and not other:
            other.append(start(HOLD_LOCK, path))
            assert line_of(other[0]) == "locked"
            free.start()

    with Workers(keep_alive_s=0) as workers:
        ended = run_job(
            store,
            settings=None,
            workers=workers,
            publish=listen,
            target="bridge.testing.tasks:retry_qa_slowly",
        )
    assert ended is not None
    assert (ended.job.state, ended.job.attempt) == (JobState.SUCCESS, 1)
    assert store.get(ended.job.id) == ended.job
    store.close()
    free.join()


def let_go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


CLAIM_ALL = """
import sys
from pathlib import Path
from bridge.jobs import Worker, open_store
store = open_store(Path(sys.argv[1]))
worker = Worker.here(sys.argv[2])
while (job := store.claim(worker)) is not None:
    print(job.id, job.attempt)
    store.fail(job, sys.argv[2])
store.close()
"""


def test_processes_that_claim_at_once_share_the_jobs(path: Path, start: StartPython) -> None:
    """Every job once: none twice, none left."""
    store = open_store(path)
    ids = {store.submit(request(), PRINT).id for _ in range(90)}
    claimers = [start(CLAIM_ALL, path, name) for name in ("one", "two", "three")]
    lines = [line for c in claimers for line in output_of(c).splitlines()]
    assert sorted(lines) == sorted(f"{job_id} 1" for job_id in ids)
    assert store.count({JobState.FAILED}) == len(ids)
    store.close()


SUBMIT_ONCE = """
import sys
from pathlib import Path
from bridge.jobs import open_store
from tests.jobs.support import request
store = open_store(Path(sys.argv[1]))
print(sum(store.submit_once(request(), f"{n:064x}").is_new for n in range(40)))
store.close()
"""


def test_processes_that_submit_the_same_at_once_add_it_once(path: Path, start: StartPython) -> None:
    """A folder and a command that see the same song make one job."""
    open_store(path).close()
    submitters = [start(SUBMIT_ONCE, path) for _ in range(3)]
    made = [int(output_of(s)) for s in submitters]
    store = open_store(path)
    assert sum(made) == store.count() == 40
    store.close()


def test_a_store_is_used_from_several_threads(path: Path) -> None:
    """Claims from threads do not collide either."""
    from concurrent.futures import ThreadPoolExecutor

    store = open_store(path)
    for _ in range(60):
        store.submit(request(), PRINT)
    with ThreadPoolExecutor(4) as pool:
        claimed = [job.id for job in pool.map(lambda _n: store.claim(HERE), range(80)) if job]
    store.close()
    assert len(claimed) == len(set(claimed)) == 60


def test_the_package_imports_without_the_database(start: StartPython) -> None:
    """A worker, and a command that needs no store, do not pay for SQLAlchemy, Alembic or NumPy."""
    code = "import sys, bridge.jobs; print({'sqlalchemy', 'alembic', 'numpy'} & set(sys.modules))"
    assert output_of(start(code)) == "set()\n"


def test_databases_that_threads_make_at_the_same_time_are_each_whole(tmp_path: Path) -> None:
    """Alembic keeps what it works at for the whole process: the tables came into each other's files."""
    paths = [tmp_path / f"{number}" / "jobs.sqlite" for number in range(6)]
    start, faults = threading.Barrier(len(paths)), list[Exception]()

    def _make(path: Path) -> None:
        start.wait()
        try:
            open_store(path).close()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=_make, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for path in paths:
        with raw(path) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert set(metadata.tables) <= tables


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync folders")
def test_a_new_database_stays_with_all_its_folders_when_the_power_goes(
    tmp_path: Path, synced: set[int]
) -> None:
    """Every folder that was made for it is synced in the one around it."""
    open_store(tmp_path / "one" / "two" / "jobs.sqlite").close()
    for folder in (tmp_path, tmp_path / "one", tmp_path / "one" / "two"):
        assert folder.stat().st_ino in synced
