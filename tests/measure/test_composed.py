"""Tempo and key of composed songs that no weight was fitted on (fit_models.py uses seeds from 1,000)."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from bridge.generate import ComposedSong, compose, random_spec
from bridge.measure import Harmony, Rhythm, harmony_of, rhythm_of


@functools.cache
def song(seed: int) -> ComposedSong:
    """A song of 20 s."""
    return compose(random_spec(seed, duration_s=20))


def has_tempo(seed: int, found: Rhythm) -> bool:
    """Whether the tempo is right within 2%, octave included."""
    return abs(found.tempo_bpm / song(seed).truth.tempo_bpm - 1) < 0.02


def has_key(seed: int, found: Harmony) -> bool:
    """Whether the key is right, however it is spelt."""
    return _numbered(found.key) == _numbered(song(seed).truth.key)


def _numbered(key: str) -> tuple[int, str]:
    tonic, mode = key.split()
    return ("C D EF G A B".index(tonic[0]) + {"#": 1, "b": -1}.get(tonic[1:], 0)) % 12, mode


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
