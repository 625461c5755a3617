"""How long a file that is not whole is waited for, as pure functions."""

from pathlib import Path

import pytest

from bridge.service.marks import look
from watcher.patience import PATIENCE_S, patience_s, unchanged_s


@pytest.mark.parametrize(
    ("size_bytes", "longest_s", "expected_s"),
    [(0, 600, 60), (4095, 600, 60), (4096, 600, 600), (10**9, 600, 600), (16, 0.5, 0.5)],
)
def test_a_file_too_small_for_a_song_is_waited_for_less(
    size_bytes: int, longest_s: float, expected_s: float
) -> None:
    assert patience_s(size_bytes, longest_s) == expected_s


def test_a_song_is_waited_for_ten_minutes() -> None:
    assert patience_s(10**6) == PATIENCE_S == 600


def test_a_file_is_unchanged_since_it_was_written_or_put_where_it_is(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.touch()
    mark = look(song)
    assert mark is not None
    written_s = mark.modified_ns / 1e9
    assert unchanged_s(song, mark, written_s + 100) == pytest.approx(100, abs=1)
    assert unchanged_s(song, mark, written_s - 100) == 0


def test_a_time_that_a_download_brought_along_does_not_count(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.touch()
    mark = look(song)
    assert mark is not None
    old = mark._replace(modified_ns=0)
    assert unchanged_s(song, old, mark.modified_ns / 1e9 + 100) == pytest.approx(100, abs=1)


def test_of_a_file_that_is_gone_its_mark_tells(tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.touch()
    mark = look(song)
    assert mark is not None
    song.unlink()
    assert unchanged_s(song, mark, mark.modified_ns / 1e9 + 7) == pytest.approx(7, abs=0.01)
