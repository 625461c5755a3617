"""What changes from bar to bar: the evidence that a new part of a song begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.measure.chroma import Chroma
from bridge.measure.onsets import LATENESS_S, Envelopes
from bridge.measure.spans import means_between
from bridge.measure.timbre import Powers

_REACHES = (1, 2, 4, 8)
"""Bars on either side that are compared."""
_TURNS = (4, 8)
"""Bars on either side whose chords are compared."""
_LINES = (2, 4)
"""Lengths in bars of the chord lines that are compared."""
_DEEPEST_DB = 70.0
_HIT_S = 0.04
_FILL_SHARE = 0.75
"""A fill lies in the last quarter of a bar."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Each bar of a song in numbers, a row a bar."""

    colour_db: Floats
    """Level of each of 24 bands."""
    pitches: Floats
    """Chroma of both registers, of length 1."""
    density: Floats
    """How much begins, by groups of bands."""
    hit: Floats
    """How much begins with the bar."""
    fill: Floats
    """How much more begins in its last quarter than in all of it."""


def bars_of(
    powers: Powers, chroma: Chroma, step_s: float, onsets: Envelopes, onset_step_s: float, edges_s: Floats
) -> Bars:
    """The bars between edges; powers and chroma have a row for each frame, ``step_s`` apart."""
    colour = 10 * np.log10(means_between(powers, step_s, edges_s) + 1e-12)
    pitches = means_between(chroma, step_s, edges_s).reshape(len(edges_s) - 1, -1)
    density = _density(onsets, onset_step_s, edges_s[:-1], edges_s[1:])
    last = edges_s[:-1] + _FILL_SHARE * np.diff(edges_s)
    return Bars(
        colour_db=np.maximum(colour, colour.max() - _DEEPEST_DB),
        pitches=pitches / (np.linalg.norm(pitches, axis=1, keepdims=True) + 1e-9),
        density=density,
        hit=_loudest(onsets, onset_step_s, edges_s[:-1]),
        fill=_density(onsets, onset_step_s, last, edges_s[1:]) / (density + 1e-6),
    )


def features(bars: Bars) -> Floats:
    """What the model knows about each bar as the first of a new part: a row a bar."""
    level = bars.colour_db.mean(axis=1, keepdims=True)
    colour, density = _standard(bars.colour_db, 1.0), _standard(bars.density, 0.05)
    views = (bars.colour_db, level, bars.density, colour, density)
    changes = np.stack(
        [
            *(_change(rows, reach) for rows in views for reach in _REACHES),
            *(_turn(bars.pitches, reach) for reach in _TURNS),
            *(_new_line(bars.pitches, length) for length in _LINES),
        ],
        axis=1,
    )
    inner = changes[1:] if len(changes) > 1 else changes
    around = np.pad(changes, ((1, 1), (0, 0)), mode="edge")
    peaks = changes - np.maximum(around[:-2], around[2:])
    fills = np.concatenate([np.zeros((1, bars.fill.shape[1])), _standard(bars.fill)[:-1]])
    return np.concatenate(
        [
            changes,
            changes / (inner.mean(axis=0) + 1e-6),
            peaks / (inner.std(axis=0) + 1e-3),
            _standard(bars.hit),
            fills,
            np.ones((len(changes), 1)),
        ],
        axis=1,
    )


def _standard(rows: Floats, least: float = 1e-6) -> Floats:
    """Columns with mean 0 and spread 1; less where the spread is hardly ``least``."""
    return np.asarray((rows - rows.mean(axis=0)) / (rows.std(axis=0) + least), np.float64)


def _change(rows: Floats, reach: int) -> Floats:
    """How far the bars before and after each are apart."""
    before, after = _before_and_after(rows, reach)
    return np.asarray(np.sqrt(np.mean((before - after) ** 2, axis=1)), np.float64)


def _turn(rows: Floats, reach: int) -> Floats:
    """The same for directions: 0 where they agree, 1 where they have nothing in common."""
    before, after = _before_and_after(rows, reach)
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return np.asarray(np.where(size > 0, 1 - np.sum(before * after, axis=1) / (size + 1e-9), 0), np.float64)


def _before_and_after(rows: Floats, reach: int) -> tuple[Floats, Floats]:
    """Means of up to ``reach`` bars before and from each bar on; the first bar has itself before."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    at = np.arange(len(rows))
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach, len(rows))
    before = (sums[at] - sums[first]) / np.maximum(at - first, 1)[:, None]
    before[0] = rows[0] if len(rows) else 0
    return before, (sums[last] - sums[at]) / (last - at)[:, None]


def _new_line(pitches: Floats, length: int) -> Floats:
    """How little a line of bars is like the line before it, bar by bar."""
    count = len(pitches)
    lengths = np.linalg.norm(pitches, axis=1)
    unlike = np.zeros(count)
    if count <= length:
        return unlike
    alike = np.sum(pitches[length:] * pitches[:-length], axis=1) / (
        lengths[length:] * lengths[:-length] + 1e-9
    )
    for bar in range(1, count):
        pairs = alike[max(0, bar - length) : bar]
        unlike[bar] = 1 - pairs.mean() if len(pairs) else 0.0
    return unlike


def _density(onsets: Envelopes, step_s: float, starts_s: Floats, ends_s: Floats) -> Floats:
    sums = np.concatenate(
        [np.zeros((onsets.shape[0], 1)), np.cumsum(onsets, axis=1, dtype=np.float64)], axis=1
    )
    first, last = (_steps(edges, step_s, onsets.shape[1]) for edges in (starts_s, ends_s))
    return np.asarray(((sums[:, last] - sums[:, first]) / np.maximum(1, last - first)).T, np.float64)


def _loudest(onsets: Envelopes, step_s: float, times_s: Floats) -> Floats:
    """The strongest onset near each time."""
    reach = round(_HIT_S / step_s)
    steps = _steps(times_s, step_s, onsets.shape[1] - 1)
    near = np.clip(steps[:, None] + np.arange(-reach, reach + 1), 0, onsets.shape[1] - 1)
    return np.asarray(onsets[:, near].max(axis=2).T, np.float64)


def _steps(times_s: Floats, step_s: float, most: int) -> NDArray[np.int64]:
    return np.clip(np.rint((times_s - LATENESS_S) / step_s), 0, most).astype(np.int64)
