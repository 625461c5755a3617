"""Sections: where a song turns to something else, and which of its parts are alike."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from bridge.audio import Samples
from bridge.measure.beats import Ears
from bridge.measure.form import Bars, bars_of, features
from bridge.measure.meter import feed_sum
from bridge.measure.models import SECTION_WEIGHTS
from bridge.measure.timbre import Powers, TimbreMeter
from bridge.music import BeatGrid, Section
from bridge.protocols import Progress, no_progress

_ODD, _NOT_FOUR, _SHORT = 1.4, 0.2, 0.5
"""What sections cost whose bars are odd, not a multiple of four, fewer than four: phrases are whole."""
_BAR_S = 2.0
"""Where there are no beats, turns are looked for at these distances."""
_AUDIBLE = 1e-7
"""Share of the power of the loudest moment: what has less, 70 dB, is silent."""
_ALIKE = 0.25
"""Parts less far apart than this share a letter."""
_COLOUR_DB = 12.0
"""Bands that differ by this count as much as chords that have nothing in common."""

Floats = NDArray[np.float64]


class _Ears(Ears):
    """What sections are told by, in one pass: what beats are read from, and the colour."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz, channels)
        self.timbre = TimbreMeter(rate_hz, channels)

    def add(self, block: Samples) -> None:
        super().add(block)
        self.timbre.add(block)


def measure_sections(mixture: Path, grid: BeatGrid, progress: Progress = no_progress) -> tuple[Section, ...]:
    """The parts of a song, from its start to its end, each beginning with a bar of ``grid``.

    Parts that sound alike have the same letter, given in order of appearance. A song without a turn is one
    part; silence before and after it belongs to its first and last; nothing at all has no parts. Raises
    AudioError where the file cannot be decoded.
    """
    ears = feed_sum([mixture], _Ears, progress)
    powers = ears.timbre.powers()
    if not powers.any():
        return ()
    end_s = (len(powers) + 1) * ears.timbre.step_s
    edges = _sounding(bar_edges(grid, end_s), powers, ears.timbre.step_s)
    bars = bars_of(
        powers, ears.chroma.chroma(), ears.timbre.step_s, ears.onsets.envelopes(), ears.onsets.step_s, edges
    )
    return sections_from(bars, edges, end_s)


def _sounding(edges_s: Floats, powers: Powers, step_s: float) -> Floats:
    """The edges of the bars from the first sound to the last, one at least."""
    levels = powers.max(axis=1)
    heard = np.flatnonzero(levels > levels.max() * _AUDIBLE)
    # frame k reaches from k to k + 2 steps: the first one ends with a sound, the last one begins with it
    first, last = np.searchsorted(edges_s, np.array([heard[0] + 2, heard[-1]]) * step_s, "right")
    first = max(0, min(first, len(edges_s) - 1) - 1)
    return edges_s[first : max(first + 1, last) + 1]


def bar_edges(grid: BeatGrid, end_s: float) -> Floats:
    """Where bars begin, and the end of the song; without beats, every two seconds."""
    starts = np.array([beat for beat in grid.downbeats_s if beat < end_s - _BAR_S / 4])
    return np.append(starts if len(starts) else np.arange(0, max(end_s - _BAR_S / 4, 0.1), _BAR_S), end_s)


def sections_from(bars: Bars, edges_s: Floats, end_s: float) -> tuple[Section, ...]:
    """The sections of bars between edges; the first begins at 0, the last ends with the song."""
    firsts = turns(features(bars) @ np.array(SECTION_WEIGHTS))
    borders = [*firsts, len(edges_s) - 1]
    letters = _letters(bars, list(pairwise(borders)))
    times = [0.0, *(round(float(edges_s[bar]), 4) for bar in borders[1:-1]), round(end_s, 4)]
    return tuple(
        Section(start_s=start, end_s=end, name=letter)
        for (start, end), letter in zip(pairwise(times), letters, strict=True)
    )


def turns(evidence: Floats) -> list[int]:
    """The bars with which sections begin, 0 first: the best sum of evidence, phrases kept whole.

    ``evidence`` is the log of the odds that a section begins with a bar.
    """
    count = len(evidence)
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    came_from = np.zeros(count + 1, np.int64)
    for end in range(1, count + 1):
        starts = np.arange(end)
        reached = best[starts] - _cost(end - starts)
        came_from[end] = starts[int(np.argmax(reached))]
        best[end] = reached.max() + (evidence[end] if end < count else 0.0)
    path = [int(came_from[count])]
    while path[-1] > 0:
        path.append(int(came_from[path[-1]]))
    return path[::-1]


def _cost(bars: NDArray[np.int64]) -> Floats:
    return np.asarray(_ODD * (bars % 2 > 0) + _NOT_FOUR * (bars % 4 > 0) + _SHORT * (bars < 4), np.float64)


def _letters(bars: Bars, spans: list[tuple[int, int]]) -> list[str]:
    """A letter for each span of bars, the same for those that are alike (average linkage)."""
    if len(spans) < 2:
        return ["A"] * len(spans)
    groups = fcluster(linkage(squareform(_distances(bars, spans)), "average"), _ALIKE, "distance")
    order = list(dict.fromkeys(int(group) for group in groups))
    return [_letter(order.index(int(group))) for group in groups]


def _distances(bars: Bars, spans: list[tuple[int, int]]) -> Floats:
    """How far parts are apart: their chords bar by bar, their colour and how much begins in them."""
    colour, density = (
        np.stack([rows[first:last].mean(axis=0) for first, last in spans])
        for rows in (bars.colour_db, bars.density)
    )
    total = _spread(colour) / _COLOUR_DB + _spread(density)
    for (one, (first, last)), (other, (begin, end)) in combinations(enumerate(spans), 2):
        count = min(last - first, end - begin)
        alike = np.sum(bars.pitches[first : first + count] * bars.pitches[begin : begin + count], axis=1)
        total[one, other] = total[other, one] = total[one, other] + 1 - alike.mean()
    return np.maximum(total, 0)


def _spread(rows: Floats) -> Floats:
    """Root mean square difference of each row to each other."""
    return np.asarray(np.sqrt(np.mean((rows[:, None] - rows[None]) ** 2, axis=2)), np.float64)


def _letter(number: int) -> str:
    """A, B, ... Z, then A1, B1, ..."""
    turn, place = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn) if turn else "")
