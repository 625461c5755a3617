"""Chord names as pitches."""

from __future__ import annotations

import pytest

from ableton.chords import chord_pitches


@pytest.mark.parametrize(
    ("name", "pitches"),
    [
        ("C", (48, 52, 55)),
        ("Am", (57, 60, 64)),
        ("F#m7", (54, 57, 61, 64)),
        ("Bbmaj7", (58, 62, 65, 69)),
        ("Bdim", (59, 62, 65)),
        ("G7/B", (55, 59, 62, 65)),
        ("Cmaj13", (48, 52, 55)),
        ("Cm11", (48, 51, 55)),
        ("Cdim7", (48, 51, 54)),
        ("N", ()),
        ("", ()),
    ],
)
def test_a_name_says_its_notes(name: str, pitches: tuple[int, ...]) -> None:
    """Root between C3 and B3; what goes beyond the known qualities sounds as the nearest known one."""
    assert chord_pitches(name) == pitches
