"""Stereo width, and mono lows."""

from __future__ import annotations

from bridge.dsp.filters import SosFilter, crossover
from bridge.dsp.processor import Processor, Wide
from presets.chain import StereoWidth


class StereoWidthProcessor(Processor):
    """Scales the side signal; below ``mono_below_hz`` there is none. Mono passes untouched. No latency.

    Mono lows are a Linkwitz-Riley crossover of 4th order with the low band made mono: the side passes its
    high side (-6 dB at the frequency, -24 dB an octave), the mid its all-pass, so that both stay in phase and
    what is heard left or right stays there.
    """

    def __init__(self, settings: StereoWidth, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._width = settings.width
        self._splits = settings.mono_below_hz > 0 and channels == 2
        _, high, together = crossover(settings.mono_below_hz or 100.0, rate_hz)
        self._side = SosFilter(high, 1)
        self._mid = SosFilter(together, 1)

    def _work(self, x: Wide) -> Wide:
        if self.channels == 1 or (self._width == 1.0 and not self._splits):
            return x
        mid, side = (x[:1] + x[1:]) / 2, (x[:1] - x[1:]) * (self._width / 2)
        if self._splits:
            mid, side = self._mid(mid), self._side(side)
        x[:1] = mid + side
        x[1:] = mid - side
        return x

    def _is_at_rest(self) -> bool:
        return self._side.is_at_rest and self._mid.is_at_rest
