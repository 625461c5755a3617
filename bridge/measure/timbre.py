"""Colour of sound over time: the level of each of 24 bands."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.measure.filterbank import Filterbank
from bridge.measure.frames import frame_size, hann

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
        bins = np.arange(size // 2 + 1) * rate_hz / size
        edges = np.searchsorted(bins, BANDS_HZ)
        weights = np.zeros((len(bins), len(BANDS_HZ) - 1), np.float32)
        for band, (first, last) in enumerate(pairwise(edges)):
            weights[first:last, band] = 1
        self._bank = Filterbank(hann(size) / np.float32(size / 4), size // 2, weights)
        self._powers: list[Powers] = []

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        power = self._bank.powers(block)
        if len(power):
            self._powers.append(power)

    def powers(self) -> Powers:
        """The power of each band in each frame; frame k is heard around ``(k + 1) * step_s``."""
        return np.concatenate([np.zeros((0, len(BANDS_HZ) - 1), np.float32), *self._powers])
