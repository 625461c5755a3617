"""The transient shaper: more or less attack and sustain, whatever the level."""

from __future__ import annotations

import numpy as np

from bridge.dsp.envelopes import FallingMaximum, Smoother, gain_of
from bridge.dsp.processor import Figures, Processor, Wide, amplitude, linked_peak
from presets.chain import TransientShaper


class TransientShaperProcessor(Processor):
    """One gain for both channels from the difference of two envelopes, in dB. No latency.

    A differential-envelope shaper. Where the level (peaks that fall with 30 ms) smoothed fast is above the
    same smoothed slowly, something begins; where peaks that fall slowly are above it, something dies away.
    The difference does not know the level, so that loud and soft notes are shaped alike. A steady signal has
    no difference, and what fluctuates by less than 2 to 3 dB counts as steady. What is below -70 dBFS is not
    looked at.
    """

    _FALL_MS = 30.0
    _FAST_MS = 0.7
    _ATTACK_MS = 25.0
    _SUSTAIN_MS = 10.0
    _SLOW_FALL_MS = 500.0
    _GAIN_MS = 0.5
    _FLOOR = amplitude(-70.0)
    _ATTACK_SPAN_DB = (2.0, 8.0)
    """Differences up to which nothing and from which the whole of ``attack_db`` is given."""
    _SUSTAIN_SPAN_DB = (3.0, 12.0)

    def __init__(self, settings: TransientShaper, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._attack_db, self._sustain_db = settings.attack_db, settings.sustain_db
        per_ms = rate_hz / 1000
        self._level = FallingMaximum(self._FALL_MS * per_ms)
        self._fast = Smoother(self._FAST_MS * per_ms)
        self._slow = Smoother(self._ATTACK_MS * per_ms)
        self._slow_level = FallingMaximum(self._SLOW_FALL_MS * per_ms)
        self._sustain = Smoother(self._SUSTAIN_MS * per_ms)
        self._gain = Smoother(self._GAIN_MS * per_ms)
        self._most_db = self._least_db = 0.0

    def figures(self) -> Figures:
        """The largest rise and fall of the level in dB."""
        return {"max_gain_db": round(self._most_db, 2), "min_gain_db": round(self._least_db, 2)}

    def _work(self, x: Wide) -> Wide:
        peak = linked_peak(x)
        level = self._above_floor(self._level(peak))
        gain_db = self._gain(self._wanted_db(level, self._above_floor(self._slow_level(peak))))
        self._most_db = max(self._most_db, float(gain_db.max()))
        self._least_db = min(self._least_db, float(gain_db.min()))
        x *= gain_of(-gain_db)
        return x

    def _above_floor(self, level: Wide) -> Wide:
        """A level in dB above the floor, 0 below it."""
        made: Wide = np.log10(np.maximum(level / self._FLOOR, 1.0))
        made *= 20
        return made

    def _wanted_db(self, level: Wide, slow_level: Wide) -> Wide:
        begins = _share(self._fast(level) - self._slow(level), self._ATTACK_SPAN_DB)
        if not self._sustain_db:
            return begins * self._attack_db
        # what begins is not dying away any more, though the smoothed difference still says so
        fades = _share(self._sustain(slow_level - level), self._SUSTAIN_SPAN_DB) * (1 - begins)
        return begins * self._attack_db + fades * self._sustain_db

    def _is_at_rest(self) -> bool:
        smoothers = (self._fast, self._slow, self._sustain, self._gain)
        levels = (self._level, self._slow_level)
        return all(part.is_at_rest for part in (*smoothers, *levels))


def _share(difference_db: Wide, span_db: tuple[float, float]) -> Wide:
    """0 below the span, 1 above it, smooth in between."""
    start, full = span_db
    share = np.clip((difference_db - start) / (full - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float64)
