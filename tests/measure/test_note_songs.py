"""How notes are judged, and that they are found as well as is promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.measure.drumhits import hits_of_drums
from bridge.measure.notes import notes_of_melody
from bridge.values import Role

from .note_songs import Event, Score, events_of, merged, scored, stems_of, true_events

PROMISED_F1 = {Role.BASS: 0.9, Role.DRUMS: 0.9, Role.VOCALS: 0.8}
STYLES = 11


@pytest.mark.parametrize(
    ("found", "right"),
    [
        pytest.param([(1.0, 60), (2.0, 62)], 2, id="all"),
        pytest.param([(1.049, 60), (1.951, 62)], 2, id="within 50 ms"),
        pytest.param([(1.051, 60), (1.949, 62)], 0, id="beyond 50 ms"),
        pytest.param([(1.0, 61), (2.0, 74)], 0, id="other pitches"),
        pytest.param([(0.98, 60), (1.02, 60)], 1, id="one note found twice"),
        pytest.param([], 0, id="none"),
    ],
)
def test_a_note_is_right_once(found: list[Event], right: int) -> None:
    """By pitch and onset, each true note at most once."""
    assert scored([(1.0, 60), (2.0, 62)], found) == Score(right=right, true=2, found=len(found))


def test_close_notes_are_matched_as_many_as_can_be() -> None:
    """The nearest match is not always the one that leaves most for the others."""
    assert scored([(1.0, 60), (1.06, 60)], [(1.04, 60), (1.1, 60)]).right == 2
    assert scored([(1.0, 60), (1.04, 60)], [(0.96, 60), (1.01, 60)]).right == 2


def test_scores_add_up() -> None:
    """Pooled F1 is that of all notes."""
    total = Score(right=1, true=2, found=1) + Score(right=3, true=4, found=5)
    assert total.f1 == pytest.approx(2 * 4 / 12)
    assert Score().f1 == 1


def test_drums_that_count_as_one_are_one_hit() -> None:
    """A clap on a snare is a snare; a shaker on a hat a hat; 30 ms later it is another."""
    hits = [(1.0, 38), (1.01, 39), (1.005, 42), (1.0, 70), (1.04, 54)]
    assert merged(hits) == [(1.0, 38), (1.0, 42), (1.04, 42)]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_song_of_each_style_is_heard_as_well_as_promised(tmp_path: Path) -> None:
    """Bass and drums 0.9, lead vocals 0.8: songs that no network was fitted on."""
    totals = dict.fromkeys(PROMISED_F1, Score())
    for seed in range(STYLES):
        song = stems_of(seed, tmp_path)
        for role, stem in song.played.items():
            notes = hits_of_drums(stem) if role is Role.DRUMS else notes_of_melody(stem, role)
            totals[role] += scored(true_events(song.truth, role), events_of(notes))
    assert {role: total.f1 >= PROMISED_F1[role] for role, total in totals.items()} == dict.fromkeys(
        totals, True
    )
