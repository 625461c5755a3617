"""The beat grid: tempo, then the pulse, then bars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.measure.bars import Bar, Heard, best_reading, moved
from bridge.measure.chroma import ChromaMeter
from bridge.measure.meter import feed_sum
from bridge.measure.onsets import GROUPS, LATENESS_S, OnsetMeter
from bridge.measure.pulse import follow
from bridge.measure.rhythm import Rhythm, tempo_from
from bridge.music import BeatGrid
from bridge.protocols import Progress, no_progress

SLOWEST_BPM, FASTEST_BPM = 40.0, 240.0
"""Half and double the tempo are offered within these."""
_LEAST_CONFIDENCE = 0.05
_GROUP_WEIGHTS = np.array([1.0, 1.0, 0.5])
_BESIDE_DRUMS = 0.5
"""Weight of the mixture's onsets where the drums are heard apart."""
_ONE_TEMPO = 1.02
"""Gaps between beats that differ by less are of one tempo."""
_EARLY_S = 0.03
"""A beat found this much before the song is its start."""
_BEGINS = 0.2
"""Share of a strong onset from which on something begins."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Sounding:
    """Where there is something to count."""

    first_s: float
    """Where the first sound begins."""
    last_s: float
    """Where the last one does."""
    end_s: float
    """Where the song ends."""


class Ears:
    """What the beats of a song are read from, in one pass."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.onsets = OnsetMeter(rate_hz, channels)
        self.chroma = ChromaMeter(rate_hz, channels, slice_s=0)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self.onsets.add(block)
        self.chroma.add(block)


def measure_beats(mixture: Path, drums: Path | None = None, progress: Progress = no_progress) -> BeatGrid:
    """Tempo, beats and bars of a song, in seconds from its start.

    ``drums`` is its drum stem, of the same rate, where there is one: beats are clearer there. The tempo is
    the one that holds longest; half and double are offered within 40 to 240 beats a minute. Beats are
    followed through changes of tempo of some per cent; bars keep one length through the song. In 6/8 the
    beat is the dotted quarter, two to a bar. Silence, noise and what is shorter than 4 s have no beats.
    Raises AudioError where a file cannot be decoded.
    """
    half = 0.7 if drums else 1.0
    ears = feed_sum([mixture], Ears, lambda share: progress(half * share))
    envelopes = ears.onsets.envelopes()
    drum_envelopes = np.zeros_like(envelopes)
    if drums:
        apart = feed_sum([drums], OnsetMeter, lambda share: progress(half + (1 - half) * share)).envelopes()
        common = min(envelopes.shape[1], apart.shape[1])
        drum_envelopes[:, :common] = apart[:, :common]
    heard = Heard(
        onsets=np.concatenate([envelopes, drum_envelopes]),
        step_s=ears.onsets.step_s,
        chroma=ears.chroma.chroma(),
        frame_s=ears.chroma.step_s,
    )
    return grid_from(heard)


def grid_from(heard: Heard) -> BeatGrid:
    """The beat grid of what was heard."""
    rhythm = _tempo(heard)
    if rhythm.confidence < _LEAST_CONFIDENCE:
        return BeatGrid(tempo_bpm=0, confidence=0)
    strength = strength_of(heard.onsets)
    beats_s = follow(strength, 60 / rhythm.tempo_bpm / heard.step_s) * heard.step_s + LATENESS_S
    if len(beats_s) < 2:
        return BeatGrid(tempo_bpm=0, confidence=0)
    bar = best_reading(beats_s, heard)
    beats_s = moved(beats_s, 0.5 if bar.is_between else 0.0)
    return _grid(beats_s, bar, _sounding(strength, heard.step_s), rhythm.confidence)


def _tempo(heard: Heard) -> Rhythm:
    """The tempo of the mixture or of the drums, whichever is surer."""
    count = len(GROUPS)
    views = (heard.onsets[:count], heard.onsets[count:])
    return max((tempo_from(view, heard.step_s) for view in views), key=lambda found: found.confidence)


def strength_of(onsets: NDArray[np.floating]) -> Floats:
    """How much begins at each step of six envelopes: the mixture's three, then those of the drums."""
    mixture, drums = (_GROUP_WEIGHTS @ part.astype(np.float64) for part in np.split(onsets, 2))
    return np.asarray(drums + (_BESIDE_DRUMS if drums.any() else 1.0) * mixture, np.float64)


def _sounding(strength: Floats, step_s: float) -> Sounding:
    """When the first and the last sound begin."""
    loud = np.flatnonzero(strength > _BEGINS * np.quantile(strength, 0.98)) * step_s + LATENESS_S
    return Sounding(first_s=float(loud[0]), last_s=float(loud[-1]), end_s=len(strength) * step_s)


def _grid(beats_s: Floats, bar: Bar, sounding: Sounding, confidence: float) -> BeatGrid:
    """Beats from the first sound to the end of the bar in which the last one begins, or of the song."""
    reached_s, first = _reaching(beats_s, bar, sounding)
    tempo_bpm = 60 / _usual(np.diff(beats_s))
    return BeatGrid(
        tempo_bpm=round(tempo_bpm, 2),
        confidence=confidence,
        half_bpm=round(tempo_bpm / 2, 2) if tempo_bpm / 2 >= SLOWEST_BPM else 0.0,
        double_bpm=round(tempo_bpm * 2, 2) if tempo_bpm * 2 <= FASTEST_BPM else 0.0,
        beats_s=tuple(round(float(beat), 4) for beat in reached_s),
        beats_per_bar=bar.beats,
        first_downbeat=first,
    )


def _usual(gaps_s: Floats) -> float:
    """The gap that holds longest: the middle of the most that are alike."""
    ordered = np.sort(gaps_s)
    counts = np.searchsorted(ordered, ordered * _ONE_TEMPO, "right") - np.arange(len(ordered))
    first = int(np.argmax(counts))
    return float(np.median(ordered[first : first + counts[first]]))


def _reaching(beats_s: Floats, bar: Bar, sounding: Sounding) -> tuple[Floats, int]:
    """The beats that sounds reach, and which of them is the first to begin a bar."""
    gap_s, last_gap_s = float(beats_s[1] - beats_s[0]), float(beats_s[-1] - beats_s[-2])
    # what begins with the file itself is no onset: where the next comes soon, the grid begins with the song
    start_s = sounding.first_s - gap_s / 4 if sounding.first_s > 0.6 * gap_s else -_EARLY_S
    end_s = sounding.last_s + last_gap_s / 4
    before = max(0, int((beats_s[0] - start_s) / gap_s))
    after = max(0, int((end_s - beats_s[-1]) / last_gap_s)) + bar.beats
    lead_in = beats_s[0] - gap_s * np.arange(before, 0, -1)
    rest = beats_s[-1] + last_gap_s * np.arange(1, after + 1)
    everything = np.concatenate([lead_in, beats_s, rest])
    places = (np.arange(len(everything)) - before - bar.first) % bar.beats
    starts = np.flatnonzero(everything >= start_s)[0]
    is_past = (everything > end_s) & (places == 0) | (everything > sounding.end_s)
    ends = np.flatnonzero(is_past)
    last = ends[0] if len(ends) else len(everything)
    return np.maximum(everything[starts:last], 0), int(np.argmax(places[starts:last] == 0))
