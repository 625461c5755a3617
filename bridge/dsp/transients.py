"""The transient shaper: more or less attack and sustain, whatever the level."""

from __future__ import annotations

import numpy as np

from bridge.dsp.envelopes import FallingMaximum, Smoother, gain_of
from bridge.dsp.processor import Figures, Processor, Wide, amplitude, linked_peak
from presets.chain import TransientShaper


class TransientShaperProcessor(Processor):
    """One gain for both channels from the difference of two envelopes, in dB. No latency.

    A differential-envelope shaper: the level (peaks, falling with 30 ms) is smoothed fast and slowly. Where
    the fast one is above the slow one, something begins; where the slow one (of a longer time) is above, it
    dies away. The difference does not know the level, so that loud and soft notes are shaped alike. A steady
    signal has no difference, and what fluctuates by less than 2 dB counts as steady. What is below -70 dBFS
    is not looked at.
    """

    _FALL_MS = 30.0
    _FAST_MS = 0.7
    _ATTACK_MS = 25.0
    _SUSTAIN_FAST_MS = 15.0
    _SUSTAIN_MS = 180.0
    _GAIN_MS = 0.5
    _FLOOR = amplitude(-70.0)
    _DEAD_DB = 2.0
    _FULL_DB = 8.0
    """Difference at which the whole of ``attack_db`` or ``sustain_db`` is given."""

    def __init__(self, settings: TransientShaper, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._attack_db, self._sustain_db = settings.attack_db, settings.sustain_db
        per_ms = rate_hz / 1000
        self._level = FallingMaximum(self._FALL_MS * per_ms)
        self._fast = Smoother(self._FAST_MS * per_ms)
        self._slow = Smoother(self._ATTACK_MS * per_ms)
        self._sustain_fast = Smoother(self._SUSTAIN_FAST_MS * per_ms)
        self._sustain_slow = Smoother(self._SUSTAIN_MS * per_ms)
        self._gain = Smoother(self._GAIN_MS * per_ms)
        self._most_db = self._least_db = 0.0

    def figures(self) -> Figures:
        """The largest rise and fall of the level in dB."""
        return {"max_gain_db": round(self._most_db, 2), "min_gain_db": round(self._least_db, 2)}

    def _work(self, x: Wide) -> Wide:
        above_floor = np.maximum(self._level(linked_peak(x)) / self._FLOOR, 1.0)
        level = np.log10(above_floor)
        level *= 20
        gain_db = self._gain(self._attack_gain(level) + self._sustain_gain(level))
        self._most_db = max(self._most_db, float(gain_db.max()))
        self._least_db = min(self._least_db, float(gain_db.min()))
        x *= gain_of(-gain_db)
        return x

    def _attack_gain(self, level: Wide) -> Wide:
        if not self._attack_db:
            return np.zeros_like(level)
        return self._share(self._fast(level) - self._slow(level)) * self._attack_db

    def _sustain_gain(self, level: Wide) -> Wide:
        if not self._sustain_db:
            return np.zeros_like(level)
        return self._share(self._sustain_slow(level) - self._sustain_fast(level)) * self._sustain_db

    def _share(self, difference_db: Wide) -> Wide:
        share = np.clip((difference_db - self._DEAD_DB) / (self._FULL_DB - self._DEAD_DB), 0, 1)
        return np.asarray(share * share * (3 - 2 * share), np.float64)

    def _is_at_rest(self) -> bool:
        smoothers = (self._fast, self._slow, self._sustain_fast, self._sustain_slow, self._gain)
        return self._level.is_at_rest and all(smoother.is_at_rest for smoother in smoothers)
