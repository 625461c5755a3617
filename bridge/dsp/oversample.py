"""Oversampling by linear-phase polyphase filters, and the waveform between the samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bridge.audio import Samples

TAPS = 32
"""Frames that a filter spans at the base rate."""
_ROW = 32
_STOPBAND_BETA = 9.0
"""Kaiser window with 90 dB of stop-band; with 32 taps the transition is 0.41 to 0.59 of the rate."""

Matrix = NDArray[np.float32]


class Oversampler:
    """Up by a factor, and down again; both together are late by ``TAPS`` frames of the base rate.

    The filters run as products of overlapping rows with a banded matrix, many times faster than
    sample by sample. Float32 inside: rounding stays below -130 dB.
    """

    latency_frames = TAPS

    def __init__(self, factor: int, channels: int) -> None:
        self.factor = factor
        self._up_held = np.zeros((channels, TAPS), np.float32)
        self._down_held = np.zeros((channels, TAPS * factor), np.float32)

    def up(self, x: Samples) -> Samples:
        """``(channels, frames)`` to ``(channels, frames * factor)``."""
        joined = np.concatenate([self._up_held, x], axis=1)
        self._up_held = joined[:, -TAPS:].copy()
        return _banded(joined, _up_matrix(self.factor), _ROW, x.shape[1] * self.factor)

    def down(self, x: Samples) -> Samples:
        """``(channels, frames * factor)`` to ``(channels, frames)``."""
        joined = np.concatenate([self._down_held, x], axis=1)
        self._down_held = joined[:, -TAPS * self.factor :].copy()
        return _banded(joined, _down_matrix(self.factor), _ROW * self.factor, x.shape[1] // self.factor)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is on its way."""
        return not self._up_held.any() and not self._down_held.any()


def factor_at(rate_hz: int, least_hz: int = 160_000) -> int:
    """The oversampling (1, 2, 4, 8) that first reaches ``least_hz``, at most 4: 44.1 and 48 kHz take 4."""
    return next((factor for factor in (1, 2) if factor * rate_hz >= least_hz), 4)


def peaks_between(joined: Samples, factor: int) -> Samples:
    """The largest magnitude in each gap between two neighbours, from ``factor - 1`` points in between.

    ``joined`` of shape ``(channels, frames)``; gap ``k`` lies between frame ``TAPS / 2 - 1 + k`` and the
    next, so that there are ``frames - TAPS + 1`` of them.
    """
    gaps = joined.shape[1] - TAPS + 1
    rows = _rows(joined, _ROW + TAPS - 1, _ROW, -(-gaps // _ROW))
    points = rows @ _between_matrix(factor)
    np.abs(points, out=points)
    largest: Samples = points.reshape(*points.shape[:2], factor - 1, _ROW).max(axis=2)
    return largest.reshape(len(joined), -1)[:, :gaps]


def _banded(joined: Samples, matrix: Matrix, hop: int, wanted: int) -> Samples:
    """All rows of ``joined``, ``hop`` apart, times ``matrix``: ``wanted`` values for each channel."""
    count = -(-wanted // matrix.shape[1])
    made = _rows(joined, matrix.shape[0], hop, count) @ matrix
    return np.asarray(made.reshape(len(joined), -1)[:, :wanted], np.float32)


def _rows(joined: Samples, width: int, hop: int, count: int) -> Matrix:
    """``count`` overlapping rows of each channel, padded with zeros; shape ``(channels, count, width)``."""
    missing = (count - 1) * hop + width - joined.shape[1]
    padded = np.pad(joined, ((0, 0), (0, max(0, missing))))
    return np.ascontiguousarray(sliding_window_view(padded, width, axis=1)[:, ::hop][:, :count])


@cache
def _prototype(factor: int) -> NDArray[np.float64]:
    """A symmetric low-pass of ``factor * TAPS + 1`` taps with its -6 dB at half the base rate, sum 1."""
    distance = np.arange(factor * TAPS + 1) - factor * TAPS / 2
    taps = np.sinc(distance / factor) * np.kaiser(len(distance), _STOPBAND_BETA)
    return np.asarray(taps / taps.sum(), np.float64)


@cache
def _up_matrix(factor: int) -> Matrix:
    taps = _prototype(factor) * factor
    matrix = np.zeros((_ROW + TAPS, _ROW * factor))
    for output in range(_ROW * factor):
        newest, phase = TAPS + output // factor, output % factor
        used = taps[phase::factor]
        matrix[newest - len(used) + 1 : newest + 1, output] = used[::-1]
    return matrix.astype(np.float32)


@cache
def _down_matrix(factor: int) -> Matrix:
    taps = _prototype(factor)
    matrix = np.zeros(((_ROW - 1) * factor + len(taps), _ROW))
    for output in range(_ROW):
        matrix[output * factor : output * factor + len(taps), output] = taps[::-1]
    return matrix.astype(np.float32)


@cache
def _between_matrix(factor: int) -> Matrix:
    shares = np.arange(1, factor)[:, None] / factor
    distance = np.arange(TAPS)[None, :] - (TAPS // 2 - 1) - shares
    taps = np.sinc(distance) * np.i0(_STOPBAND_BETA * np.sqrt(np.maximum(0, 1 - (2 * distance / TAPS) ** 2)))
    taps /= taps.sum(axis=1, keepdims=True)
    matrix = np.zeros((_ROW + TAPS - 1, factor - 1, _ROW))
    for output in range(_ROW):
        matrix[output : output + TAPS, :, output] = taps.T
    return matrix.reshape(_ROW + TAPS - 1, -1).astype(np.float32)
