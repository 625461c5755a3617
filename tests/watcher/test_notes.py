"""Notes beside songs: written whole, never over somebody else's file, gone when they are not needed."""

import logging
import os
import sys
from pathlib import Path

import pytest

from watcher.notes import is_ours, note_of, remove_note, write_note


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "Song.wav"
    path.touch()
    return path


def test_a_note_says_what_was_wrong_and_what_to_do(song: Path) -> None:
    assert write_note(song, "Song.wav is silent. Export it again.")
    note = song.with_name("Song.wav.stembridge.txt")
    text = note.read_text(encoding="utf-8")
    assert 'could not use "Song.wav"' in text
    assert "Song.wav is silent. Export it again." in text
    assert [path.name for path in sorted(song.parent.iterdir())] == ["Song.wav", note.name]


def test_a_new_reason_replaces_the_old_and_the_same_one_touches_nothing(song: Path) -> None:
    write_note(song, "one")
    first = note_of(song).stat().st_mtime_ns, note_of(song).stat().st_ino
    write_note(song, "one")
    assert (note_of(song).stat().st_mtime_ns, note_of(song).stat().st_ino) == first
    write_note(song, "two")
    assert "two" in note_of(song).read_text(encoding="utf-8")


def test_a_note_of_ours_that_was_saved_in_another_encoding_is_replaced(song: Path) -> None:
    assert write_note(song, "Fünf.wav is silent.")
    ours = note_of(song).read_bytes()
    note_of(song).write_bytes(ours.decode().encode("latin-1"))
    assert write_note(song, "Fünf.wav is silent.")
    assert note_of(song).read_bytes() == ours


def test_a_strangers_file_of_that_name_is_neither_overwritten_nor_removed(
    song: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note_of(song).write_text("Shopping: eggs", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert not write_note(song, "it is silent")
    remove_note(song)
    assert note_of(song).read_text(encoding="utf-8") == "Shopping: eggs"
    assert "it is silent" in caplog.text


def test_a_note_is_removed_once_and_no_note_is_no_fault(song: Path) -> None:
    write_note(song, "why")
    remove_note(song)
    remove_note(song)
    assert not note_of(song).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="has other permissions")
def test_a_folder_that_cannot_be_written_to_is_logged(
    song: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert not write_note(song, "it is silent")
    assert "it is silent" in caplog.text
    assert list(song.parent.iterdir()) == [song]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_with_odd_bytes_gets_its_note(tmp_path: Path) -> None:
    song = Path(os.fsdecode(os.fsencode(tmp_path) + b"/S\xffng.wav"))
    song.touch()
    assert write_note(song, f"{song.name} cannot be named. Rename it.")
    assert is_ours(note_of(song))
    assert "S\N{REPLACEMENT CHARACTER}ng.wav" in note_of(song).read_text(encoding="utf-8")


def test_a_link_in_the_place_of_a_note_is_not_followed(song: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("stembridge could not use my patience", encoding="utf-8")
    note_of(song).symlink_to(mine)
    assert not write_note(song, "why")
    assert mine.read_text(encoding="utf-8") == "stembridge could not use my patience"
