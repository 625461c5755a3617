"""Composed songs that no weight was fitted on (fit_models.py and fit_music.py use seeds from 1,000)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from bridge.generate import ComposedSong, compose, random_spec
from bridge.measure import Harmony, Rhythm, harmony_of, rhythm_of

from .judge_music import judge, numbered


@functools.cache
def song(seed: int) -> ComposedSong:
    """A song of 20 s."""
    return compose(random_spec(seed, duration_s=20))


def has_tempo(seed: int, found: Rhythm) -> bool:
    """Whether the tempo is right within 2%, octave included."""
    return abs(found.tempo_bpm / song(seed).truth.tempo_bpm - 1) < 0.02


def has_key(seed: int, found: Harmony) -> bool:
    """Whether the key is right, however it is spelt."""
    return numbered(found.key) == numbered(song(seed).truth.key)


@pytest.mark.parametrize("seed", [0, 2, 10])
def test_a_song_is_read_right(seed: int) -> None:
    """Tempo right; key right or not sure."""
    mixture = song(seed).mixture
    rhythm, harmony = rhythm_of(mixture), harmony_of(mixture)
    assert has_tempo(seed, rhythm)
    assert has_key(seed, harmony) or harmony.confidence < 0.8


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thirty_songs_are_read_well() -> None:
    """Tempo right in 85%, key in 75%; of those that are sure 95%, and most are."""
    seeds = range(30)
    rhythms, harmonies = (
        {seed: measure(song(seed).mixture) for seed in seeds} for measure in (rhythm_of, harmony_of)
    )
    for least, found, is_right in ((0.85, rhythms, has_tempo), (0.75, harmonies, has_key)):
        right = np.array([is_right(seed, found[seed]) for seed in seeds])
        sure = np.array([found[seed].confidence >= 0.8 for seed in seeds])
        assert right.mean() >= least
        assert right[sure].mean() >= 0.95
        assert sure.mean() >= 0.4


def test_a_song_is_read_as_music(tmp_path: Path) -> None:
    """Beats, bars and most chords of a short song, from its files, faster than 10 times real time."""
    found = judge(14, tmp_path)
    assert found["tempo"] == found["key"] == found["bars right"] == 1
    assert found["beat F1"] > 0.95
    assert found["chord root"] > 0.85
    assert found["time taken / length"] < 0.1


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_songs_are_read_as_music(tmp_path: Path) -> None:
    """With the drum stem, and most of it from the mixture alone."""
    judged = [judge(seed, tmp_path) for seed in range(20)]
    least = {
        "tempo": 0.9,
        "beat F1": 0.95,
        "bars right": 0.85,
        "key": 0.85,
        "chord root": 0.9,
        "chord root and third": 0.9,
        "section borders F1": 0.85,
        "section letters F1": 0.85,
        "tempo, mixture alone": 0.9,
        "beat F1, mixture alone": 0.9,
        "chord root, mixture alone": 0.85,
    }
    means = {name: float(np.mean([song[name] for song in judged])) for name in least}
    assert not {name: mean for name, mean in means.items() if mean < least[name]}
