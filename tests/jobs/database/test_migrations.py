"""The schema: made, updated, undone, and read by the code of before."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from bridge.errors import StorageError
from bridge.jobs import open_store
from bridge.jobs.database import MIGRATIONS, open_database
from bridge.jobs.tables import SCHEMA, metadata
from tests.jobs.database.support import raw
from tests.jobs.support import HERE, PRINT


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
