"""Power of bands over time: Hann frames of the channels' mean, the bins of their spectra summed to bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from bridge.audio import Samples
from bridge.measure.frames import Framer
from bridge.measure.meter import finite

Floats = NDArray[np.float32]


class Filterbank:
    """Cuts a stream into windowed frames, ``hop`` apart, and sums the power of their bins by ``weights``.

    ``window`` has the length of a frame, ``weights`` the shape ``(bins, bands)``. The first frame starts
    ``lead`` samples before the stream.
    """

    def __init__(self, window: Floats, hop: int, weights: Floats, lead: int = 0) -> None:
        self._window, self._weights = window, weights
        self._framer = Framer(1, len(window), hop)
        self._framer.push(np.zeros((1, lead), np.float32))

    def powers(self, block: Samples) -> Floats:
        """The next frames, shape ``(frames, bands)``; NaN and infinity count as silence."""
        frames = self._framer.push(finite(block).mean(axis=0, keepdims=True))[0]
        if not len(frames):
            return np.zeros((0, self._weights.shape[1]), np.float32)
        spectra = np.asarray(rfft(frames * self._window, axis=1, workers=1))
        return np.asarray((spectra.real**2 + spectra.imag**2) @ self._weights, np.float32)
