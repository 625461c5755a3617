"""Where the seconds of a song lie among the beats of a session, and at which tempi.

A song's file begins somewhere before its first beat. Here it begins at beat 0, in the tempo of its first
beats, so that notes and stems that are put to the same place fit together, whatever that place is. A session
that begins ``lead_beats`` earlier has the downbeats at its bars.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bridge.music import BeatGrid
from bridge.values import Seconds, Value

DEFAULT_BPM = 120.0
"""For music without beats, as sessions usually start."""
TOLERANCE_S = 0.03
"""How far the map may pass a beat by: beats are played and heard less exactly than this."""
ROUNDING_S = 0.005
"""How much further for the sake of a round number."""
ON_TIME_BEATS = 0.05
"""A downbeat this near the start needs no bar before it."""

Times = NDArray[np.float64]


class TempoSpan(Value):
    """A stretch of one tempo; it lasts until the next one begins."""

    start_s: Seconds
    start_beat: Annotated[float, Field(ge=0)]
    bpm: Annotated[float, Field(gt=0)]


class TempoMap(Value):
    """Tempi of a song that begins at beat 0; a beat is written as a quarter."""

    spans: Annotated[tuple[TempoSpan, ...], Field(min_length=1)]
    """One for a steady song; the first starts at 0."""
    beats_per_bar: Annotated[int, Field(ge=1)] = 4
    first_downbeat: float = 0.0
    """The beat at which the first whole bar begins."""

    @property
    def bpm(self) -> float:
        """The tempo that the song begins with."""
        return self.spans[0].bpm

    @property
    def lead_beats(self) -> float:
        """Beats to leave empty before the song, 0 to a bar, so that its downbeats fall on bars."""
        lead = -self.first_downbeat % self.beats_per_bar
        return 0.0 if min(lead, self.beats_per_bar - lead) < ON_TIME_BEATS else lead

    def beat_at(self, time_s: float) -> float:
        """The beat at a time of the song."""
        span = self.spans[max(0, bisect_right(self.spans, time_s, key=lambda span: span.start_s) - 1)]
        return span.start_beat + (time_s - span.start_s) * span.bpm / 60


def tempo_map(grid: BeatGrid) -> TempoMap:
    """The map of as few tempi as keep every beat within 30 ms of where it was heard."""
    if len(grid.beats_s) < 2:
        return TempoMap(spans=(TempoSpan(start_s=0, start_beat=0, bpm=grid.tempo_bpm or DEFAULT_BPM),))
    beats_s = np.array(grid.beats_s)
    fit = _steady(beats_s) or _changing(beats_s)
    return TempoMap(
        spans=fit.spans,
        beats_per_bar=grid.beats_per_bar,
        first_downbeat=round(fit.first_beat + grid.first_downbeat, 6),
    )


class _Fit(NamedTuple):
    """Tempi, and at which of their beats the first beat that was heard lies: the others follow in ones."""

    spans: tuple[TempoSpan, ...]
    first_beat: float


def _steady(beats_s: Times) -> _Fit | None:
    """One tempo for all, as round as fits; None where none does."""
    numbers = np.arange(len(beats_s))
    fitted_bpm = 60 / float(np.polyfit(numbers, beats_s, 1)[0])

    def starts_s(bpm: float) -> Times:
        return np.asarray(beats_s - numbers * 60 / bpm)

    def missed_s(bpm: float) -> float:
        return float(np.ptp(starts_s(bpm))) / 2

    limit_s = min(TOLERANCE_S, missed_s(fitted_bpm) + ROUNDING_S)
    tempi = (round(fitted_bpm), round(fitted_bpm, 1), round(fitted_bpm, 2), fitted_bpm)
    bpm = next((bpm for bpm in tempi if bpm and missed_s(bpm) <= limit_s), None)
    if bpm is None:
        return None
    middle_s = float(np.min(starts_s(bpm)) + np.max(starts_s(bpm))) / 2
    return _Fit(spans=(TempoSpan(start_s=0, start_beat=0, bpm=bpm),), first_beat=middle_s * bpm / 60)


def _changing(beats_s: Times) -> _Fit:
    """A tempo between each two knots; the first reaches back to the song's start."""
    knots = _knots(beats_s)
    times = beats_s[knots]
    tempi = 60 * np.diff(knots) / np.diff(times)
    spans = [TempoSpan(start_s=0, start_beat=0, bpm=float(tempi[0]))]
    for time_s, bpm in zip(times[1:-1], tempi[1:], strict=True):
        last = spans[-1]
        beat = last.start_beat + (time_s - last.start_s) * last.bpm / 60
        spans.append(TempoSpan(start_s=float(time_s), start_beat=float(beat), bpm=float(bpm)))
    return _Fit(spans=tuple(spans), first_beat=float(beats_s[0] * tempi[0] / 60))


def _knots(beats_s: Times) -> list[int]:
    """The beats at which the tempo changes, first and last included.

    Douglas and Peucker 1973, "Algorithms for the reduction of the number of points required to represent a
    digitized line", with the distance taken along the time axis.
    """
    kept = [0]
    waiting = [(0, len(beats_s) - 1)]
    while waiting:
        first, last = waiting.pop()
        straight = np.linspace(beats_s[first], beats_s[last], last - first + 1)
        off_s = np.abs(beats_s[first : last + 1] - straight)
        furthest = int(np.argmax(off_s))
        if off_s[furthest] <= TOLERANCE_S:
            kept.append(last)
        else:
            waiting += [(first + furthest, last), (first, first + furthest)]
    return kept
