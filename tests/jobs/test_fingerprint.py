"""What counts as the same work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import InputError
from bridge.jobs import fingerprint, hash_source
from bridge.values import JobOrigin, JobRequest

BASE = JobRequest(source=Path("/songs/a.mp3"), destination=Path("/projects/one"))
SHA = "0" * 64

OTHER_WORK = {
    "recipe": {"recipe": "quick"},
    "destination": {"destination": Path("/projects/two")},
    "target": {"targets": ("club",)},
    "wish": {"wishes": ("punchy drums",)},
    "keep_separated": {"keep_separated": True},
}
SAME_WORK = {
    "another path": {"source": Path("/elsewhere/b.mp3")},
    "another door": {"origin": JobOrigin.OSC},
    "a longer way to the same folder": {"destination": Path("/projects/two/../one")},
}


@pytest.mark.parametrize("change", OTHER_WORK.values(), ids=OTHER_WORK)
def test_what_changes_the_result_changes_the_fingerprint(change: dict[str, object]) -> None:
    """Recipe, destination, targets and options decide what is delivered where."""
    assert fingerprint(BASE.evolve(**change), SHA) != fingerprint(BASE, SHA)


@pytest.mark.parametrize("change", SAME_WORK.values(), ids=SAME_WORK)
def test_what_does_not_change_the_result_does_not(change: dict[str, object]) -> None:
    """The same bytes to the same folder are the same work through any door."""
    assert fingerprint(BASE.evolve(**change), SHA) == fingerprint(BASE, SHA)


def test_other_bytes_are_other_work() -> None:
    """A replaced source is processed again."""
    assert fingerprint(BASE, "1" * 64) != fingerprint(BASE, SHA)


def test_order_of_targets_does_not_count() -> None:
    """The same masters come out."""
    one, other = BASE.evolve(targets=("club", "apple")), BASE.evolve(targets=("apple", "club", "club"))
    assert fingerprint(one, SHA) == fingerprint(other, SHA)


def test_a_file_is_hashed_by_content(tmp_path: Path) -> None:
    """sha256 of the bytes, across blocks; the name does not count."""
    (tmp_path / "a").write_bytes(b"ab" * 600_000)
    (tmp_path / "b").write_bytes(b"ab" * 600_000)
    assert hash_source(tmp_path / "a") == hash_source(tmp_path / "b")
    (tmp_path / "b").write_bytes(b"ab" * 599_999 + b"ac")
    assert hash_source(tmp_path / "a") != hash_source(tmp_path / "b")


def test_a_folder_of_stems_is_hashed_by_names_and_content(tmp_path: Path) -> None:
    """Swapping two stems' contents is a change; the folder's own name is none."""
    one, two, swapped = (tmp_path / name for name in ("one", "two", "swapped"))
    for folder, parts in ((one, "xy"), (two, "xy"), (swapped, "yx")):
        folder.mkdir()
        (folder / "Bass.wav").write_text(parts[0])
        (folder / "Drums.wav").write_text(parts[1])
    assert hash_source(one) == hash_source(two)
    assert hash_source(one) != hash_source(swapped)


def test_what_a_system_leaves_in_a_folder_of_stems_changes_no_song(tmp_path: Path) -> None:
    """A look at it in a file manager makes no other song of it."""
    (tmp_path / "Bass.wav").write_text("x")
    (tmp_path / "Drums.wav").write_text("y")
    before = hash_source(tmp_path)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._Bass.wav"):
        (tmp_path / name).write_text("left by a system")
    assert hash_source(tmp_path) == before


def test_a_missing_source_is_told(tmp_path: Path) -> None:
    """With its name and what to do."""
    with pytest.raises(InputError, match=r"gone\.mp3 is not there.*Check the path"):
        hash_source(tmp_path / "gone.mp3")


@pytest.mark.skipif(os.name == "nt", reason="Windows names are always text")
def test_names_that_are_no_text_can_be_hashed(tmp_path: Path) -> None:
    """A broken name in a folder of stems stops nothing."""
    for name in ("Bass.wav", "Drums.wav", os.fsdecode(b"\xff.txt")):
        (tmp_path / name).write_bytes(b"x")
    assert len(hash_source(tmp_path)) == 64


def test_a_folder_that_is_no_song_is_refused_unread(tmp_path: Path) -> None:
    """It may be all of a disk."""
    (tmp_path / "inside").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"without a set of stems.*Name the song"):
        hash_source(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_refused_unread(tmp_path: Path) -> None:
    """Reading from it would wait for ever."""
    os.mkfifo(tmp_path / "song.wav")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        hash_source(tmp_path / "song.wav")
