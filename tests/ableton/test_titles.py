"""How songs are called."""

from __future__ import annotations

import pytest

from ableton.titles import title_of


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Night Drive.wav", "Night Drive"),
        ("Night Drive.WAV", "Night Drive"),
        ("Stems.zip", "Stems"),
        ("Song No. 5", "Song No. 5"),
        ("v1.2 final.mp3", "v1.2 final"),
        ("Song", "Song"),
        (".wav", ".wav"),
        ("", ""),
    ],
)
def test_only_the_ending_of_a_songs_file_is_no_part_of_its_title(name: str, title: str) -> None:
    assert title_of(name) == title
