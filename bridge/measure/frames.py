"""Cutting a stream into overlapping frames, and a table of fixed size over a stream of unknown length."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bridge.audio import Samples

_NEUTRAL = {"add": 0.0, "minimum": np.inf, "maximum": -np.inf}


class Framer:
    """Turns blocks of any size into frames of ``size`` samples, ``hop`` apart; the same for any blocks.

    The first frame starts at the first sample; what does not fill a frame waits for the next block.
    """

    def __init__(self, channels: int, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self._kept = np.zeros((channels, 0), np.float32)
        self._skip = 0

    @property
    def remainder(self) -> Samples:
        """The frames that wait."""
        return self._kept

    def push(self, block: Samples) -> Samples:
        """All new whole frames: a read-only view of shape ``(channels, frames, size)``."""
        joined = np.concatenate([self._kept, block], axis=1)
        count = max(0, (joined.shape[1] - self.size) // self.hop + 1)
        self._kept = joined[:, count * self.hop :].copy()
        if not count:
            return np.zeros((joined.shape[0], 0, self.size), np.float32)
        return sliding_window_view(joined, self.size, axis=1)[:, :: self.hop][:, :count]


class Columns:
    """A table of at most ``limit`` columns over a stream of unknown length.

    Every column stands for the same number of values; where there are too many, neighbours are merged by
    ``merge`` (``np.add``, ``np.minimum``, ``np.maximum``) and each stands for twice as many from then on.
    """

    def __init__(self, merge: np.ufunc, rows: int, limit: int) -> None:
        self._merge = merge
        self._limit = limit
        self._table = np.zeros((rows, 0), np.float64)
        self._waiting = np.zeros((rows, 0), np.float64)
        self._per_column = 1

    def extend(self, values: NDArray[np.floating]) -> None:
        """The next values, shape ``(rows, count)``."""
        joined = np.concatenate([self._waiting, values], axis=1)
        whole = joined.shape[1] // self._per_column * self._per_column
        self._waiting = joined[:, whole:]
        self._table = np.concatenate([self._table, self._merged(joined[:, :whole], self._per_column)], axis=1)
        while self._table.shape[1] >= 2 * self._limit:
            self._halve()

    def table(self) -> NDArray[np.float64]:
        """At most ``limit`` columns, evenly spread over all values."""
        table = np.concatenate([self._table, self._merged_rest()], axis=1)
        if table.shape[1] <= self._limit:
            return table
        starts = np.arange(self._limit) * table.shape[1] // self._limit
        return np.asarray(self._merge.reduceat(table, starts, axis=1), np.float64)

    def _halve(self) -> None:
        even = self._table.shape[1] // 2 * 2
        left = self._table[:, even:]
        self._table = self._merged(self._table[:, :even], 2)
        # an odd column goes back to what waits: it is half of a wider one, and is merged as one value of it
        self._per_column *= 2
        if left.shape[1]:
            self._waiting = np.concatenate([self._spread(left), self._waiting], axis=1)

    def _spread(self, column: NDArray[np.float64]) -> NDArray[np.float64]:
        """One merged column as the values it stands for: the merged value once, and neutral ones."""
        count = self._per_column // 2
        spread = np.full((column.shape[0], count), _NEUTRAL[self._merge.__name__])
        spread[:, :1] = column
        return spread

    def _merged(self, values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        grouped = values.reshape(values.shape[0], -1, count)
        return np.asarray(self._merge.reduce(grouped, axis=2), np.float64)

    def _merged_rest(self) -> NDArray[np.float64]:
        if not self._waiting.shape[1]:
            return self._waiting
        return np.asarray(self._merge.reduce(self._waiting, axis=1), np.float64)[:, None]


def hann(size: int) -> NDArray[np.float32]:
    """The periodic Hann window."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size), np.float32)


def frame_size(rate_hz: int, seconds: float) -> int:
    """The power of two closest to a duration, at least 64."""
    return int(max(64, 2 ** round(np.log2(rate_hz * seconds))))
