"""Colour of sound over time: the level of each of 24 bands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from bridge.audio import Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import finite

BANDS_HZ = tuple(float(edge) for edge in np.geomspace(40, 16_000, 25))
"""Edges of the bands, each 0.36 octaves wide."""
_FRAME_S = 0.186

Powers = NDArray[np.float32]
"""Shape ``(frames, 24)``."""


class TimbreMeter:
    """Power by bands of Hann frames (0.19 s, half overlapping). Keeps 1 kB a second."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        size = frame_size(rate_hz, _FRAME_S)
        self.step_s = size // 2 / rate_hz
        self._framer = Framer(1, size, size // 2)
        self._window = hann(size) / np.float32(size / 4)
        bins = np.arange(size // 2 + 1) * rate_hz / size
        edges = np.searchsorted(bins, BANDS_HZ)
        self._weights = np.zeros((len(bins), len(BANDS_HZ) - 1), np.float32)
        for band, (first, last) in enumerate(pairwise(edges)):
            self._weights[first:last, band] = 1
        self._powers: list[Powers] = []

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        frames = self._framer.push(finite(block).mean(axis=0, keepdims=True))[0]
        if len(frames):
            spectra = np.asarray(rfft(frames * self._window, axis=1, workers=1))
            self._powers.append((spectra.real**2 + spectra.imag**2) @ self._weights)

    def powers(self) -> Powers:
        """The power of each band in each frame; frame k is heard around ``(k + 1) * step_s``."""
        return np.concatenate([np.zeros((0, len(BANDS_HZ) - 1), np.float32), *self._powers])
