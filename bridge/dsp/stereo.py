"""Stereo width, and mono lows."""

from __future__ import annotations

import numpy as np

from bridge.dsp.envelopes import Delay
from bridge.dsp.processor import Processor, Wide
from presets.chain import StereoWidth

_PERIODS = 3
"""Length of the low-pass in periods of its corner: a Hann-windowed sinc then falls within an octave."""


class StereoWidthProcessor(Processor):
    """Scales the side signal; below ``mono_below_hz`` there is none. Mono passes untouched.

    The lows are taken out of the side by a linear-phase low-pass (-6 dB at the frequency) and the mid waits
    for it, untouched: what is in the middle keeps its shape and its place in time, what is left or right
    stays there. A minimum-phase crossover would hold the lows back by milliseconds against the other stems.
    Latency: half the filter, only where lows are made mono.
    """

    def __init__(self, settings: StereoWidth, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._width = settings.width
        self._splits = settings.mono_below_hz > 0 and channels == 2
        taps = _lowpass(settings.mono_below_hz, rate_hz) if self._splits else np.ones(1)
        self.latency_frames = len(taps) // 2
        self._lows = _Convolution(taps)
        self._delay = Delay(self.latency_frames, 2)

    def _work(self, x: Wide) -> Wide:
        if self.channels == 1 or (self._width == 1.0 and not self._splits):
            return x
        side = (x[0] - x[1]) * (self._width / 2)
        lows = self._lows(side) if self._splits else np.zeros_like(side)
        delayed = self._delay(np.stack([(x[0] + x[1]) / 2, side]))
        mid, kept = delayed[0], delayed[1] - lows
        return np.stack([mid + kept, mid - kept])

    def _is_at_rest(self) -> bool:
        return self._lows.is_at_rest and self._delay.is_at_rest


class _Convolution:
    """A FIR filter by blocks, by products of the FFT where they pay."""

    def __init__(self, taps: Wide) -> None:
        self._taps = taps
        self._held = np.zeros(len(taps) - 1)

    def __call__(self, x: Wide) -> Wide:
        from scipy.signal import oaconvolve

        joined = np.concatenate([self._held, x])
        self._held = joined[len(x) :].copy()
        return np.asarray(oaconvolve(joined, self._taps, mode="valid"), np.float64)

    @property
    def is_at_rest(self) -> bool:
        return not self._held.any()


def _lowpass(frequency_hz: float, rate_hz: int) -> Wide:
    """A Hann-windowed sinc of odd length and a gain of 1 at 0 Hz."""
    half = round(_PERIODS / 2 * rate_hz / frequency_hz)
    places = np.arange(-half, half + 1)
    taps = np.sinc(2 * frequency_hz / rate_hz * places) * np.hanning(2 * half + 3)[1:-1]
    return np.asarray(taps / taps.sum(), np.float64)
