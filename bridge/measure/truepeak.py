"""True peak by ITU-R BS.1770-5 annex 2: the peak of the waveform between the samples."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.measure.meter import finite

TAPS = 32
"""Taps of a phase; annex 2 asks for 12."""
FINE = 16
"""Oversampling close to the largest peaks: the grid reads low by 0.04 dB at most."""
KAISER_BETA = 9.0
_ROW = 32
"""Outputs of a row of the matrix product; 16 to 64 are equally fast."""

Matrix = NDArray[np.float32]


class TruePeakMeter:
    """The largest absolute value of the oversampled waveform, over all channels.

    4x oversampling everywhere, 2x from 96 kHz on (annex 2), by a Kaiser-windowed sinc of 32 taps. Where that
    comes close to the maximum the waveform is looked at 16x: a band-limited signal with its maximum M at t0
    stays above M cos(pi (t - t0)) around it, so the 4x grid holds a value of at least 0.92 M (2x: 0.71 M)
    next to it, and nothing else has to be looked at. So the reading is never below the plain 4x reading.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self.oversampling = 4 if rate_hz < 96_000 else 2
        self._nearest = float(np.cos(np.pi / 2 / self.oversampling))
        self._history = np.zeros((channels, TAPS - 1), np.float32)
        self.sample_peak = 0.0
        self._peak = 0.0

    @property
    def peak(self) -> float:
        """The true peak so far as an amplitude, the decay after the last sample included."""
        return max(self._peak, self._peak_in(np.zeros((len(self._history), TAPS - 1), np.float32)))

    def add(self, block: Samples) -> None:
        """The next frames."""
        if not block.shape[1]:
            return
        sane = finite(block)
        self.sample_peak = max(self.sample_peak, _peak_of(sane))
        self._peak = max(self._peak, self.sample_peak)
        self._peak = max(self._peak, self._peak_in(sane))
        self._history = np.concatenate([self._history, sane], axis=1)[:, -(TAPS - 1) :]

    def _peak_in(self, block: Samples) -> float:
        joined = np.concatenate([self._history, block], axis=1)
        if _peak_of(joined) * _largest_gain() <= self._peak:
            return 0.0
        return max(self._peak_between(channel) for channel in joined)

    def _peak_between(self, signal: NDArray[np.float32]) -> float:
        rows = _rows(signal)
        between = np.abs(rows @ _row_matrix(self.oversampling))
        largest = float(between.max())
        threshold = self._nearest * max(largest, self._peak)
        if largest < threshold and _peak_of(signal) < threshold:
            return largest
        return max(largest, _peak_close_to(signal, between, threshold))


def _peak_close_to(signal: NDArray[np.float32], between: Matrix, threshold: float) -> float:
    """The 16x peak of those gaps between samples where the coarse grid reaches the threshold."""
    windows = sliding_window_view(signal, TAPS)
    gaps = between.reshape(len(between), -1, _ROW).max(axis=1).reshape(-1)[: len(windows)]
    left = np.abs(windows[:, TAPS // 2 - 1])
    right = np.abs(windows[:, TAPS // 2])
    chosen = np.flatnonzero(np.maximum(gaps, np.maximum(left, right)) >= threshold)
    if not len(chosen):
        return 0.0
    return float(np.abs(windows[chosen] @ _phases(FINE).T).max())


def _rows(signal: NDArray[np.float32]) -> Matrix:
    """Overlapping rows of the signal, padded with zeros, contiguous for the matrix product."""
    outputs = len(signal) - TAPS + 1
    count = -(-outputs // _ROW)
    padded = np.zeros(count * _ROW + TAPS - 1, np.float32)
    padded[: len(signal)] = signal
    return np.ascontiguousarray(sliding_window_view(padded, _ROW + TAPS - 1)[::_ROW])


@cache
def _phases(oversampling: int) -> Matrix:
    """The interpolator between two samples: row p - 1 gives the value at p / oversampling after the first."""
    shares = np.arange(1, oversampling)[:, None] / oversampling
    distance = np.arange(TAPS)[None, :] - (TAPS // 2 - 1) - shares
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0, 1 - (2 * distance / TAPS) ** 2))) / np.i0(KAISER_BETA)
    taps = np.sinc(distance) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)


@cache
def _row_matrix(oversampling: int) -> Matrix:
    """The interpolator for a row of samples at once: a matrix product is far faster than filters."""
    phases = _phases(oversampling)
    matrix = np.zeros((_ROW + TAPS - 1, len(phases), _ROW), np.float32)
    for output in range(_ROW):
        matrix[output : output + TAPS, :, output] = phases.T
    return matrix.reshape(_ROW + TAPS - 1, -1)


@cache
def _largest_gain() -> float:
    """What the interpolator can make of samples of at most 1."""
    return float(np.abs(_phases(FINE)).sum(axis=1).max())


def _peak_of(samples: NDArray[np.float32]) -> float:
    return max(float(samples.max()), -float(samples.min())) if samples.size else 0.0
