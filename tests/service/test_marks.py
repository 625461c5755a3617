"""Marks: what a change shows in, and what it does not."""

import os
import sys
from pathlib import Path

import pytest

from bridge.service.marks import Mark, joined, look, look_inside


def test_every_look_at_an_untouched_file_is_the_same(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.write_bytes(b"abc")
    mark = look(song)
    assert mark is not None
    assert mark.size_bytes == 3
    assert look_inside(song) == mark


def test_a_copy_with_the_same_size_and_time_is_like_it_but_not_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "a.wav", tmp_path / "b.wav"
    for path in (first, second):
        path.write_bytes(b"abc")
        os.utime(path, ns=(5, 5))
    one, other = look(first), look(second)
    assert one is not None
    assert other is not None
    assert one.is_like(other)
    assert not one.is_same(other)


def test_where_inodes_are_unsteady_they_do_not_count() -> None:
    assert Mark(1, 2, 0).is_same(Mark(1, 2, 99))
    assert not Mark(1, 2, 98).is_same(Mark(1, 2, 99))


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes among its files")
def test_what_is_no_regular_file_has_no_mark(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere")
    for name in ("pipe.wav", "gone.wav", "missing.wav", "."):
        assert look(tmp_path / name) is None


def test_a_folders_mark_tells_of_every_file_in_it() -> None:
    files = {"a": Mark(1, 10, 1), "b": Mark(2, 20, 2)}
    mark = joined(files.items())
    assert (mark.size_bytes, mark.modified_ns) == (3, 20)
    assert joined(reversed(list(files.items()))) == mark
    for changed in ({"a": Mark(1, 11, 1)}, {"b": Mark(2, 20, 3)}, {"c": Mark(0, 0, 4)}):
        assert not joined((files | changed).items()).is_same(mark)
