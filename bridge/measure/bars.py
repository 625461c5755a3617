"""Bars: which beats begin them, and whether the beat itself lies on the beat or between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from bridge.measure.chroma import Chroma
from bridge.measure.models import BAR_WEIGHTS
from bridge.measure.onsets import LATENESS_S, Envelopes
from bridge.measure.spans import means_between

METERS = (4, 3, 2)
"""Beats of a bar that are told apart; two stands for 6/8, whose beat falls into three."""
_RARER = 1.5
"""A quarter of the composed songs has three beats or 6/8, of songs at large 7%: the odds' logarithm apart."""
_NEAR_STEPS = 3
"""Players are early or late by up to so many steps."""
_LAGS = 12
_FEWEST_BEATS = 6
_BEGINS = 0.1

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One reading of the beats."""

    is_between: bool
    """Whether the true beats lie half way between those that were followed."""
    beats: int
    first: int
    """Which beat begins the first bar."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What bars are read from: everything at a step or slice of its own."""

    onsets: Envelopes
    """Shape ``(6, steps)``: the mixture's three groups, then those of the drums, 0 where there are none."""
    step_s: float
    chroma: Chroma
    """A slice for each frame."""
    frame_s: float


READINGS = tuple(
    Bar(is_between=between, beats=beats, first=first)
    for between, beats in product((False, True), METERS)
    for first in range(beats)
)


def best_reading(beats_s: Floats, heard: Heard) -> Bar:
    """How the beats fall into bars; plain 4/4 from the first beat on where there are too few to tell."""
    if len(beats_s) < _FEWEST_BEATS:
        return READINGS[0]
    rarity = np.array([_RARER if reading.beats != METERS[0] else 0.0 for reading in READINGS])
    return READINGS[int(np.argmax(features(beats_s, heard) @ np.array(BAR_WEIGHTS) - rarity))]


def features(beats_s: Floats, heard: Heard) -> Floats:
    """What the model knows about each of ``READINGS``, a row each."""
    on, between = (_at(moved(beats_s, share), heard) for share in (0.0, 0.5))
    thirds = np.concatenate([_onsets_at(moved(beats_s, share), heard) for share in (1 / 3, 2 / 3)])
    is_start = _is_quiet_before(float(beats_s[0]), heard)
    rows = []
    for reading in READINGS:
        here, there = (between, on) if reading.is_between else (on, between)
        threes = thirds.mean() - there[:, :6].mean()
        begins = is_start and reading.first == 0 and not reading.is_between
        rows.append([*_about(reading, here, there, float(threes)), float(begins)])
    return np.array(rows)


def moved(beats_s: Floats, share: float) -> Floats:
    """The beats, later by a share of the gap that follows."""
    if not share:
        return beats_s
    gaps = np.diff(beats_s, append=2 * beats_s[-1] - beats_s[-2])
    return np.asarray(beats_s + share * gaps, np.float64)


def _about(reading: Bar, here: Floats, there: Floats, threes: float) -> Floats:
    usual = (here.mean(axis=0) + there.mean(axis=0)) / 2 + 1e-9
    places = (np.arange(len(here)) - reading.first) % reading.beats
    accents = np.stack([_mean(here, places == place) for place in range(reading.beats)]) / usual
    on_beat = (here.mean(axis=0) - there.mean(axis=0)) / usual
    downbeat = accents[0] - accents[1:].mean(axis=0)
    middle = accents[2] - accents[[1, 3]].mean(axis=0) if reading.beats == 4 else np.zeros(len(usual))
    by_meter = [downbeat if reading.beats == meter else np.zeros(len(usual)) for meter in METERS]
    likeness = _likeness(np.concatenate([here, there], axis=1))
    again = [likeness[reading.beats - 1], likeness[2 * reading.beats - 1]]
    kind = [float(reading.beats == meter) for meter in METERS[1:]]
    return np.concatenate([on_beat, *by_meter, middle, again, kind, [threes * kind[-1]]])


def _is_quiet_before(time_s: float, heard: Heard) -> bool:
    """Whether the music begins there: most songs begin with a bar."""
    step = int((time_s - LATENESS_S) / heard.step_s) - _NEAR_STEPS
    before = heard.onsets[:, : max(0, step)]
    return float(before.max(initial=0)) < _BEGINS * float(heard.onsets.max())


def _mean(rows: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return np.asarray(rows[chosen].mean(axis=0) if chosen.any() else rows.mean(axis=0), np.float64)


def _likeness(rows: Floats) -> Floats:
    """How much beats are like those 1, 2, ... beats later, less the mean over all distances."""
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    alike = np.array(
        [np.mean(scaled[:-lag] * scaled[lag:]) if lag < len(rows) else 0.0 for lag in range(1, _LAGS + 1)]
    )
    return np.asarray(alike - alike.mean(), np.float64)


def _at(times_s: Floats, heard: Heard) -> Floats:
    """Onsets of all groups, and how far the bass and the chords change there: shape ``(beats, 8)``."""
    return np.concatenate([_onsets_at(times_s, heard), _changes(times_s, heard)], axis=1)


def _onsets_at(times_s: Floats, heard: Heard) -> Floats:
    steps = np.clip(
        np.rint((times_s - LATENESS_S) / heard.step_s).astype(np.int64), 0, heard.onsets.shape[1] - 1
    )
    highest = maximum_filter1d(heard.onsets, 2 * _NEAR_STEPS + 1, axis=1)
    return np.asarray(highest[:, steps].T, np.float64)


def _changes(times_s: Floats, heard: Heard) -> Floats:
    gap_s = float(np.median(np.diff(times_s)))
    edges = np.concatenate([times_s[:1] - gap_s, times_s, times_s[-1:] + gap_s])
    sounds = means_between(heard.chroma, heard.frame_s, edges)
    size = np.linalg.norm(sounds, axis=2)
    alike = np.sum(sounds[1:] * sounds[:-1], axis=2)
    both = size[1:] * size[:-1]
    return np.asarray(np.where(both > 0, 1 - alike / (both + 1e-9), 0), np.float64)
