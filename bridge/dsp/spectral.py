"""Short-time spectra of a stream, and the way back: exact where nothing is changed."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from bridge.dsp.processor import Wide

Spectra = NDArray[np.complex128]
"""Shape ``(channels, frames, bins)``."""
_OVERLAP = 4
_WINDOW_S = 0.046


def window_frames(rate_hz: int) -> int:
    """A power of two close to 46 ms: 2,048 at 44.1 and 48 kHz."""
    return int(2 ** round(np.log2(rate_hz * _WINDOW_S)))


class Analysis:
    """Cuts a stream into overlapping windows (a quarter apart) and gives their spectra.

    The first window ends a quarter into the stream, so that every sample lies in four windows. The way back
    by ``Synthesis`` needs the window that is the default, the root of a Hann window.
    """

    def __init__(self, size: int, channels: int, window: Wide | None = None) -> None:
        self.size, self.hop = size, size // _OVERLAP
        self._window = _sine_window(size) if window is None else window
        self._held = np.zeros((channels, size - self.hop))

    def __call__(self, x: Wide) -> Spectra:
        """The spectra that the next frames complete; none where they complete none."""
        joined = np.concatenate([self._held, x], axis=1)
        count = max(0, (joined.shape[1] - self.size) // self.hop + 1)
        self._held = joined[:, count * self.hop :].copy()
        if not count:
            return np.zeros((len(x), 0, self.size // 2 + 1), np.complex128)
        windows = sliding_window_view(joined, self.size, axis=1)[:, :: self.hop][:, :count]
        return np.asarray(rfft(windows * self._window, axis=2), np.complex128)


class Synthesis:
    """Adds windows up again; a stream that went through both comes back late by the window's size."""

    def __init__(self, size: int, channels: int) -> None:
        self.size, self.hop = size, size // _OVERLAP
        # the squared sine windows of four quarters add up to 2
        self._window = _sine_window(size) / (_OVERLAP / 2)
        self._open = np.zeros((channels, size - self.hop))
        self._ready = np.zeros((channels, self.hop))

    def __call__(self, spectra: Spectra, frames: int) -> Wide:
        """The next ``frames`` frames, after the spectra that as many frames completed."""
        self._ready = np.concatenate([self._ready, self._added(spectra)], axis=1)
        made = self._ready[:, :frames]
        self._ready = self._ready[:, frames:]
        return made

    def _added(self, spectra: Spectra) -> Wide:
        channels, count, _ = spectra.shape
        if not count:
            return np.zeros((channels, 0))
        windows = irfft(spectra, self.size, axis=2) * self._window
        quarters = windows.reshape(channels, count, _OVERLAP, self.hop)
        total = np.zeros((channels, count + _OVERLAP - 1, self.hop))
        total[:, : _OVERLAP - 1] = self._open.reshape(channels, _OVERLAP - 1, self.hop)
        for quarter in range(_OVERLAP):
            total[:, quarter : quarter + count] += quarters[:, :, quarter]
        self._open = total[:, count:].reshape(channels, -1).copy()
        return total[:, :count].reshape(channels, -1)


def hann_window(size: int) -> Wide:
    """A Hann window with the noise gain of the default one: loud partials leak far less into other bins."""
    return np.asarray(_sine_window(size) ** 2 * np.sqrt(4 / 3), np.float64)


def _sine_window(size: int) -> Wide:
    """The root of a periodic Hann window."""
    return np.asarray(np.sin(np.pi * np.arange(size) / size), np.float64)
