"""The tempo map: round where a song is steady, true where it is not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ableton.tempomap import DEFAULT_BPM, TOLERANCE_S, TempoMap, tempo_map
from bridge.music import BeatGrid


def grid(beats_s: list[float], first_downbeat: int = 0, beats_per_bar: int = 4) -> BeatGrid:
    return BeatGrid(
        tempo_bpm=100,
        confidence=1,
        beats_s=tuple(beats_s),
        beats_per_bar=beats_per_bar,
        first_downbeat=first_downbeat,
    )


def time_at(tempi: TempoMap, beat: float) -> float:
    """The inverse of ``beat_at``, told from the spans alone."""
    span = [span for span in tempi.spans if span.start_beat <= max(0.0, beat)][-1]
    return span.start_s + (beat - span.start_beat) * 60 / span.bpm


def test_a_steady_song_has_one_round_tempo() -> None:
    """However the single beats were heard."""
    jitter = np.random.default_rng(1).normal(0, 0.006, 300)
    beats = 0.31 + np.arange(300) * 60 / 128 + jitter
    assert [span.bpm for span in tempo_map(grid(list(beats))).spans] == [128]


@pytest.mark.parametrize("bpm", [97.3, 103.44, 87.127])
def test_a_tempo_that_is_not_round_stays_exact_enough(bpm: float) -> None:
    """At its end the song is still on the beat."""
    beats = list(0.2 + np.arange(400) * 60 / bpm)
    tempi = tempo_map(grid(beats))
    assert len(tempi.spans) == 1
    assert tempi.beat_at(beats[-1]) - tempi.beat_at(beats[0]) == pytest.approx(
        399, abs=2 * TOLERANCE_S * bpm / 60
    )


def test_a_change_of_tempo_is_found() -> None:
    """Two tempi, not two hundred."""
    first = list(np.arange(0.5, 60.4, 0.5))
    beats = first + [first[-1] + 0.6 * (number + 1) for number in range(100)]
    tempi = tempo_map(grid(beats))
    assert [round(span.bpm) for span in tempi.spans] == [120, 100]


@given(
    st.lists(st.floats(0.28, 1.2), min_size=1, max_size=80),
    st.floats(0, 3),
    st.integers(0, 3),
    st.integers(2, 7),
)
def test_every_beat_lies_on_a_beat(steps: list[float], start_s: float, first: int, bar: int) -> None:
    """For any playing: within the tolerance of whole beats apart, spans rising and joined."""
    beats = list(start_s + np.cumsum([0.0, *steps]))
    tempi = tempo_map(grid(beats, min(first, len(steps)), bar))
    heard = [tempi.beat_at(beat) for beat in beats]
    for number, beat_s in enumerate(beats):
        assert time_at(tempi, heard[0] + number) == pytest.approx(beat_s, abs=2 * TOLERANCE_S + 1e-6)
    for one, other in pairwise(tempi.spans):
        assert other.start_s > one.start_s
        assert other.start_beat == pytest.approx(
            one.start_beat + (other.start_s - one.start_s) * one.bpm / 60
        )
    for number, beat_s in enumerate(beats[min(first, len(steps)) :]):
        on_grid = time_at(tempi, tempi.first_downbeat + number)
        assert on_grid == pytest.approx(beat_s, abs=TOLERANCE_S + 1e-5)
    downbeat = tempi.first_downbeat + tempi.lead_beats
    assert abs((downbeat + bar / 2) % bar - bar / 2) <= 0.05 + 1e-6
    assert 0 <= tempi.lead_beats < bar


def test_the_song_begins_at_beat_0() -> None:
    """In the tempo of its first beats."""
    tempi = tempo_map(grid([1.0, 1.5, 2.0, 2.5], first_downbeat=1))
    assert tempi.beat_at(0) == 0
    assert tempi.first_downbeat == pytest.approx(3)
    assert tempi.lead_beats == pytest.approx(1)


def test_bars_lie_where_most_downbeats_do() -> None:
    """Not where the first happened to be played: every beat is within 30 ms of its place in a session."""
    beats = 1 + 0.5 * np.arange(120)
    beats[0] += 0.035
    tempi = tempo_map(grid(list(beats)))
    assert [span.bpm for span in tempi.spans] == [120]
    off_s = [(tempi.beat_at(beat) - tempi.first_downbeat + 0.5) % 1 - 0.5 for beat in beats]
    assert max(np.abs(off_s)) * 60 / tempi.bpm <= TOLERANCE_S


def test_a_downbeat_at_the_start_needs_no_lead() -> None:
    """Nor does one that is a hair late, or early by what the others say."""
    assert tempo_map(grid([0.0, 0.5, 1.0])).lead_beats == 0
    assert tempo_map(grid([0.02, 0.52, 1.02])).lead_beats == 0
    assert tempo_map(grid([0.0, *np.arange(0.485, 60, 0.5)])).lead_beats == 0


@pytest.mark.parametrize("beats", [[], [1.0]])
def test_without_beats_there_is_one_tempo(beats: list[float]) -> None:
    """What was heard, else the usual one."""
    assert tempo_map(grid(beats)).spans[0].bpm == 100
    silent = BeatGrid(tempo_bpm=0, confidence=0)
    assert tempo_map(silent).bpm == DEFAULT_BPM
    assert tempo_map(silent).lead_beats == 0
