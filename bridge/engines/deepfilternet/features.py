"""What DeepFilterNet hears: spectra of 20 ms frames every 10 ms, and what it is told of them.

After libdf 0.5.6 (Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement",
Interspeech 2023), by streams: the levels of 32 bands on the ERB scale less their running mean, and the lowest
96 bins over the root of their running magnitude. Nothing depends on how a signal is cut into calls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import lfilter

RATE_HZ = 48_000
HOP = 480
FRAME = 2 * HOP
BINS = FRAME // 2 + 1
ERB_BANDS = 32
DF_BINS = 96
"""The lowest bins, up to 4.8 kHz, which are filtered over time and not only weighted."""

Wide = NDArray[np.float64]
Spectra = NDArray[np.complex128]
"""Shape ``(channels, frames, bins)``."""

_MEMORY = np.float32(0.99)
"""exp(-hop / rate / 1 s), rounded to two digits as libdf does."""
_LEAST_BINS = 2
_FIRST_LEVELS_DB = (-60.0, -90.0)
_FIRST_MAGNITUDES = (0.001, 0.0001)
_LEAST_POWER = 1e-10
_LEAST_MAGNITUDE = 1e-30
"""Minutes of digital silence would let the running magnitude underflow, and 0 / 0 is no number."""


class Analysis:
    """Spectra of a stream, scaled so that a window's energy does not depend on its size (libdf's wnorm)."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, HOP))

    def __call__(self, samples: Wide) -> Spectra:
        """The spectra that whole hops complete; the first one reaches a hop before the stream's start."""
        joined = np.concatenate([self._held, samples], axis=1)
        self._held = joined[:, -HOP:].copy()
        hops = joined.reshape(len(joined), -1, HOP)
        windows = np.concatenate([hops[:, :-1], hops[:, 1:]], axis=2)
        return np.asarray(rfft(windows * _WINDOW, axis=2) / FRAME, np.complex128)


class Synthesis:
    """The way back: exact where nothing was changed, late by one hop."""

    def __init__(self, channels: int) -> None:
        self._open = np.zeros((channels, 1, HOP))

    def __call__(self, spectra: Spectra) -> Wide:
        """One hop of samples for each spectrum."""
        windows = irfft(spectra * FRAME, FRAME, axis=2) * _WINDOW
        tails = np.concatenate([self._open, windows[:, :, HOP:]], axis=1)
        self._open = tails[:, -1:].copy()
        return np.asarray((windows[:, :, :HOP] + tails[:, :-1]).reshape(len(spectra), -1), np.float64)


@dataclass(frozen=True)
class Features:
    """What the network is told of some frames."""

    erb: Wide
    """Shape ``(channels, frames, ERB_BANDS)``."""
    low: Spectra
    """Shape ``(channels, frames, DF_BINS)``."""


class Listener:
    """Turns spectra into features; its running means are carried from call to call."""

    def __init__(self, channels: int) -> None:
        self._levels = np.tile(np.linspace(*_FIRST_LEVELS_DB, ERB_BANDS), (channels, 1))
        self._magnitudes = np.tile(np.linspace(*_FIRST_MAGNITUDES, DF_BINS), (channels, 1))

    def __call__(self, spectra: Spectra) -> Features:
        """The features of the next frames."""
        power = spectra.real**2 + spectra.imag**2
        levels = 10 * np.log10(np.add.reduceat(power, _EDGES, axis=2) / ERB_WIDTHS + _LEAST_POWER)
        mean = _running(levels, self._levels)
        self._levels = mean[:, -1]
        low = spectra[:, :, :DF_BINS]
        size = np.maximum(_running(np.abs(low), self._magnitudes), _LEAST_MAGNITUDE)
        self._magnitudes = size[:, -1]
        return Features(erb=(levels - mean) / 40, low=low / np.sqrt(size))


def _running(values: Wide, before: Wide) -> Wide:
    """The one-pole mean over the frames, going on from ``before``.

    In single precision, like libdf: so slow a mean adds up the errors of rounding, and the network's output
    would differ by 2e-5 on loud music.
    """
    one, state = np.float32(1), (_MEMORY * before.astype(np.float32))[:, None, :]
    weights = np.array([one - _MEMORY]), np.array([one, -_MEMORY])
    mean, _ = lfilter(*weights, values.astype(np.float32), axis=1, zi=state)
    return np.asarray(mean, np.float64)


def _vorbis_window() -> Wide:
    """Its square and that of its neighbour, a hop later, add up to 1 (Vorbis I, section 4.3.1)."""
    half = np.sin(0.5 * np.pi * (np.arange(FRAME) + 0.5) / HOP)
    return np.asarray(np.sin(0.5 * np.pi * half * half), np.float64)


def _erb_widths() -> NDArray[np.int64]:
    """Bins of each band: equal steps in ERB numbers (Glasberg and Moore, 1990), none under two bins."""
    scale, curve = 24.7, 9.265
    step = curve * np.log1p(RATE_HZ / 2 / (scale * curve)) / ERB_BANDS
    widths, edge, borrowed = [], 0, 0
    for band in range(1, ERB_BANDS + 1):
        next_edge = round(scale * curve * np.expm1(band * step / curve) / (RATE_HZ / FRAME))
        width = max(_LEAST_BINS, next_edge - edge - borrowed)
        borrowed = width - (next_edge - edge - borrowed)
        widths.append(width)
        edge = next_edge
    widths[-1] += BINS - sum(widths)
    return np.asarray(widths, np.int64)


ERB_WIDTHS = _erb_widths()
_EDGES = np.concatenate([[0], np.cumsum(ERB_WIDTHS)[:-1]])
_WINDOW = _vorbis_window()
