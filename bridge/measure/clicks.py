"""Clicks: single samples, or a few, that do not belong to the sound around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.measure.frames import Framer
from bridge.measure.meter import finite

_WINDOW = 512
_GUARD = 64
_CORE = 6
"""Samples either side that a click, band-limited by a resampler, may spread over."""
_OUTLIER = 24.0
"""A click's second difference over the median one of its surroundings; Gaussian noise never reaches 8."""
_ALONE = 4.0
"""A click's second difference over the largest around it: a drum's start is followed by more of its kind."""
_QUIETEST = 10 ** (-60 / 20)
_AUDIBLE_SHARE = 0.05
"""A click's second difference over the peak around it: the kink where a synthesised kick starts has 0.01."""
_PERIOD_S = 0.035
"""Clicks closer than this to another of their size are a waveform: a saw's edges at 30 Hz and above."""


class ClickCounter:
    """Counts isolated impulses and jumps by outliers of the second difference.

    The surroundings are windows of 512 samples; what a click is, is its height over their median second
    difference and over the largest within 64 samples. Edges that come back within 35 ms at half their height
    or more are a waveform (a bright saw), not clicks, so dense crackle is not counted.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        margin = _GUARD + 1
        self._framer = Framer(channels, _WINDOW + 2 * margin, _WINDOW)
        self._framer.push(np.zeros((channels, margin), np.float32))
        self._position = 0
        self._places: list[NDArray[np.int64]] = []
        self._heights: list[NDArray[np.float32]] = []

    def add(self, block: Samples) -> None:
        """The next frames."""
        frames = self._framer.push(finite(block))
        for channel in frames:
            self._search(np.abs(np.diff(channel, n=2, axis=1)), np.abs(channel).max(axis=1))
        self._position += frames.shape[1] * _WINDOW

    @property
    def frames_of_clicks(self) -> NDArray[np.int64]:
        """Where the clicks are, in frames from the start; the last 13 ms or so are not looked at."""
        if not self._places:
            return np.zeros(0, np.int64)
        places, heights = np.concatenate(self._places), np.concatenate(self._heights)
        order = np.argsort(places, kind="stable")
        places, heights = _merged(places[order], heights[order])
        return places[~_is_waveform(places, heights, round(_PERIOD_S * self._rate_hz))]

    def _search(self, bends: NDArray[np.float32], peaks: NDArray[np.float32]) -> None:
        """``bends``: second differences, a row for each window, 64 samples wider at both ends."""
        if not len(bends):
            return
        middle = bends[:, _GUARD:-_GUARD]
        least = np.maximum(_AUDIBLE_SHARE * peaks, _QUIETEST)
        limit = np.maximum(_OUTLIER * np.median(bends[:, ::2], axis=1), least)
        suspicious = np.flatnonzero(middle.max(axis=1) > limit)
        for row in suspicious:
            self._judge(bends[row], float(limit[row]), int(row))

    def _judge(self, bends: NDArray[np.float32], limit: float, row: int) -> None:
        places = np.flatnonzero(bends[_GUARD:-_GUARD] > limit) + _GUARD
        around = bends[places[:, None] + np.arange(-_GUARD, _GUARD + 1)]
        core = slice(_GUARD - _CORE, _GUARD + _CORE + 1)
        height = bends[places]
        largest_near = around[:, core].max(axis=1)
        around[:, core] = 0
        is_click = (height >= largest_near) & (height > _ALONE * around.max(axis=1))
        if is_click.any():
            self._places.append(self._position + row * _WINDOW + places[is_click] - _GUARD)
            self._heights.append(height[is_click])


def _merged(
    places: NDArray[np.int64], heights: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """One entry for what is found at the same place on both channels."""
    starts = np.flatnonzero(np.diff(places, prepend=-2 * _GUARD) > _GUARD)
    return places[starts], np.maximum.reduceat(heights, starts)


def _is_waveform(places: NDArray[np.int64], heights: NDArray[np.float32], period: int) -> NDArray[np.bool_]:
    close = np.diff(places) <= period
    smaller, larger = np.minimum(heights[1:], heights[:-1]), np.maximum(heights[1:], heights[:-1])
    alike = close & (smaller >= 0.5 * larger)
    return np.asarray(np.concatenate([alike, [False]]) | np.concatenate([[False], alike]), np.bool_)
