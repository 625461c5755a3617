"""The contract of the ledger of files: in the database and in memory alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.jobs import FileLedger, SeenFile, open_store
from bridge.testing.memory_store import MemoryJobStore

FOLDER = Path(os.path.abspath("/music"))  # noqa: PTH100 - a drive's letter where there are drives


@pytest.fixture(params=["sqlite", "memory"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileLedger]:
    store = open_store(tmp_path / "jobs.sqlite") if request.param == "sqlite" else MemoryJobStore()
    yield store.files
    store.close()


def seen(name: str = "Night Drive.mp3", **changes: object) -> SeenFile:
    file = SeenFile(path=FOLDER / name, size_bytes=5_000_000_000, modified_ns=7, inode=9, sha256="a" * 64)
    return file.evolve(**changes)


def test_a_file_is_known_by_its_path(ledger: FileLedger) -> None:
    """As it was when it was seen; another was never."""
    file = seen(job_id="f" * 16)
    ledger.remember(file)
    assert ledger.seen(file.path) == file
    assert ledger.seen(FOLDER / "other.mp3") is None


def test_the_last_look_counts(ledger: FileLedger) -> None:
    """One entry for each path."""
    ledger.remember(seen())
    refused = seen(sha256="b" * 64, refused="It is empty (0 bytes). Export it again.")
    ledger.remember(refused)
    assert ledger.seen(refused.path) == refused
    assert ledger.seen_under(FOLDER) == (refused,)


def test_forgotten_files_are_unknown(ledger: FileLedger) -> None:
    """Forgetting what is not there is no fault."""
    ledger.remember(seen())
    for _ in range(2):
        ledger.forget(seen().path)
        assert ledger.seen(seen().path) is None


def test_files_under_a_folder(ledger: FileLedger) -> None:
    """At any depth; a folder whose name only begins the same is another."""
    inside = ["suno/a.mp3", "suno/b/c.mp3", "suno/é.mp3"]
    for name in ("suno 2/a.mp3", "suno.mp3", "suno0/a.mp3", "sun/a.mp3", *inside):
        ledger.remember(seen(name))
    assert {file.path for file in ledger.seen_under(FOLDER / "suno")} == {FOLDER / name for name in inside}
    assert len(ledger.seen_under(FOLDER)) == 7
    assert len(ledger.seen_under(Path(FOLDER.anchor))) == 7


def test_names_with_wildcards_are_names(ledger: FileLedger) -> None:
    """A folder called 100% holds its own files."""
    ledger.remember(seen("100%/a_b.mp3"))
    ledger.remember(seen("100 percent/a-b.mp3"))
    assert [file.path.name for file in ledger.seen_under(FOLDER / "100%")] == ["a_b.mp3"]
    assert ledger.seen(FOLDER / "100%" / "a-b.mp3") is None


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_names_that_are_no_text_are_known(ledger: FileLedger) -> None:
    """A file system keeps any bytes; the words about them are told as far as they go."""
    broken = os.fsdecode(b"\xff\xfe.mp3")
    ledger.remember(seen(broken, refused=f"{broken} is no song"))
    found = ledger.seen(FOLDER / broken)
    assert found is not None
    assert (found.path, found.refused) == (FOLDER / broken, "??.mp3 is no song")
    assert ledger.seen_under(FOLDER) == (found,)


def test_numbers_of_any_size_are_kept(ledger: FileLedger) -> None:
    """File systems use all 64 bits, or 128, and times before 1970."""
    file = seen(inode=2**127, modified_ns=-(2**65))
    ledger.remember(file)
    assert ledger.seen(file.path) == file


def test_files_are_there_after_a_restart(tmp_path: Path) -> None:
    """In the same file as the jobs."""
    first = open_store(tmp_path / "jobs.sqlite")
    first.files.remember(seen())
    first.close()
    second = open_store(tmp_path / "jobs.sqlite")
    assert second.files.seen(seen().path) == seen()
    second.close()
