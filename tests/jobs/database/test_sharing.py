"""Many processes and threads use one store."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import StorageError
from bridge.events import Event
from bridge.jobs import Workers, open_store, run_job
from bridge.jobs.database import use_wal
from bridge.jobs.tables import metadata
from bridge.values import JobState
from tests.jobs.database.support import raw
from tests.jobs.support import HERE, PRINT, StartPython, line_of, output_of, request

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
