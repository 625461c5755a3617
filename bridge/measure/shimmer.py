"""Metallic shimmer: tones that neural decoders leave standing in the treble."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import median_filter

from bridge.audio import Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import finite

LOWEST_HZ, HIGHEST_HZ = 8000.0, 16_000.0
_FRAME_S = 0.186
_SURROUNDINGS_HZ = 400.0
_AUDIBLE_DB = -110.0
_RIPPLE_DB = 5.57
"""Standard deviation of the level of one bin of noise (of the logarithm of an exponential distribution)."""


class ShimmerMeter:
    """How far single frequencies from 8 to 16 kHz stand out for the whole song, as an effective value in dB.

    The treble of music is cymbals, breath and moving overtones: its long-term mean level is smooth along
    frequency. Decoders that enlarge by strides leave faint tones at fixed, unmusical frequencies (seen with
    EnCodec at multiples of rate / 40); sounding on under everything, they are what is metallic about it.
    The measure is the mean logarithmic spectrum over its median within 400 Hz, less the ripple that noise of
    this length would have. 0 for noise, about 0.5 for real recordings, 0.8 to 1 behind the codec.

    Bright held notes stand out as well (2 and more for a synthesiser), so compare a song with itself, before
    and after, not songs with one another.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        size = frame_size(rate_hz, _FRAME_S)
        self._framer = Framer(1, size, size // 2)
        self._window = hann(size)
        self._hertz = np.arange(size // 2 + 1) * rate_hz / size
        self._sum_db = np.zeros(len(self._hertz))
        self._frames = 0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        frames = self._framer.push(finite(block).mean(axis=0, keepdims=True))[0]
        if not len(frames) or not self._chosen.any():
            return
        spectra = np.asarray(rfft(frames * self._window, axis=1, workers=1))
        power = (spectra.real**2 + spectra.imag**2) * np.float32(2 / np.sum(self._window) ** 2)
        audible = power[power[:, self._chosen].mean(axis=1) > 10 ** (_AUDIBLE_DB / 10)]
        self._sum_db += 10 * np.log10(audible + np.float32(1e-16)).sum(axis=0, dtype=np.float64)
        self._frames += len(audible)

    @property
    def level_db(self) -> float:
        """The shimmer; 0 where the treble is silent, the rate below 20 kHz or the sound under 2 s."""
        if self._frames < 20:
            return 0.0
        mean_db = self._sum_db / self._frames
        over_db = (mean_db - self._local_median(mean_db))[self._chosen & (mean_db > _AUDIBLE_DB - 20)]
        if len(over_db) < 100:
            return 0.0
        # half-overlapping Hann frames are worth two thirds of their number
        ripple_db = _RIPPLE_DB / np.sqrt(self._frames / 1.5)
        return float(np.sqrt(max(0.0, np.mean(over_db**2) - ripple_db**2)))

    @property
    def _chosen(self) -> NDArray[np.bool_]:
        return np.asarray((self._hertz >= LOWEST_HZ) & (self._hertz <= HIGHEST_HZ))

    def _local_median(self, level_db: NDArray[np.float64]) -> NDArray[np.float64]:
        width = round(_SURROUNDINGS_HZ / self._hertz[1]) // 2 * 2 + 1
        return np.asarray(median_filter(level_db, width), np.float64)
