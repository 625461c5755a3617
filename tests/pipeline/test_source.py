"""Whether a song is still the song that it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import SourceChangedError
from bridge.pipeline.source import expect_unchanged, mark_of

LATER_NS = 2_000_000_000_000_000_000


def touch(path: Path) -> None:
    os.utime(path, ns=(LATER_NS, LATER_NS))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "Night Drive.wav"
    path.write_bytes(b"music")
    return path


@pytest.fixture
def stems(tmp_path: Path) -> Path:
    folder = tmp_path / "Night Drive Stems"
    (folder / "more").mkdir(parents=True)
    for name in ("Vocals.wav", "more/Drums.wav"):
        (folder / name).write_bytes(b"music")
    return folder


def write_longer(path: Path) -> None:
    path.write_bytes(b"other music")


def write_as_long(path: Path) -> None:
    path.write_bytes(b"MUSIC")
    touch(path)


def replace_by_a_copy(path: Path) -> None:
    path.with_suffix(".new").write_bytes(b"MUSIC")
    path.with_suffix(".new").replace(path)
    touch(path)


@pytest.mark.parametrize("change", [write_longer, write_as_long, replace_by_a_copy])
def test_a_song_that_holds_something_else_is_refused(song: Path, change: Callable[[Path], None]) -> None:
    """Longer, as long, or another file under its name; the message names it and says what to do."""
    mark = mark_of(song)
    change(song)
    with pytest.raises(SourceChangedError, match=r"^Night Drive\.wav changed .* process it again"):
        expect_unchanged(mark)


def test_a_song_that_was_only_touched_is_the_same(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its content is read again, and only then."""
    mark = mark_of(song)
    read: list[Path] = []
    monkeypatch.setattr("bridge.pipeline.source.hash_source", lambda path: read.append(path) or mark.sha256)
    expect_unchanged(mark)
    assert read == []
    touch(song)
    expect_unchanged(mark)
    assert read == [song]


def test_a_song_that_is_gone_is_no_problem(song: Path, stems: Path) -> None:
    """A stick was pulled out after all was read: the work on it is whole."""
    marks = [mark_of(song), mark_of(stems)]
    song.unlink()
    shutil.rmtree(stems)
    for mark in marks:
        expect_unchanged(mark)


@pytest.mark.parametrize("change", ["more/Drums.wav", "Bass.wav", "-Vocals.wav"])
def test_stems_that_change_are_another_song(stems: Path, change: str) -> None:
    """One written anew, one more, one less."""
    mark = mark_of(stems)
    if change.startswith("-"):
        (stems / change[1:]).unlink()
    else:
        write_longer(stems / change)
    with pytest.raises(SourceChangedError):
        expect_unchanged(mark)


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "more/desktop.ini"])
def test_a_look_into_the_folder_changes_no_song(stems: Path, name: str) -> None:
    """File managers leave files of their own."""
    mark = mark_of(stems)
    (stems / name).write_bytes(b"positions of icons")
    expect_unchanged(mark)
