"""The gate: turns down what stays under a threshold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bridge.dsp.envelopes import FallingMaximum
from bridge.dsp.processor import Figures, Processor, Wide, amplitude, frames_of, linked_peak
from presets.chain import Gate

Flags = NDArray[np.bool_]
_LONG_AGO = 2**60


class GateProcessor(Processor):
    """One gain for both channels, between 1 (open) and ``range_db`` (closed). No latency.

    The gate opens where the peak of the louder channel reaches the threshold. It begins to close when the
    level has stayed 3 dB below it for ``hold_ms``. Attack and release are time constants of the gain.
    The level falls by 8.7 dB in 25 ms at most, so that the zero crossings of a low note do not close it.
    """

    _HYSTERESIS_DB = -3.0
    _LEVEL_FALL_MS = 25.0
    _SETTLED = 1e-9

    def __init__(self, settings: Gate, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._opens_at = amplitude(settings.threshold_db)
        self._closes_at = amplitude(settings.threshold_db + self._HYSTERESIS_DB)
        self._floor = amplitude(settings.range_db)
        self._hold_frames = frames_of(settings.hold_ms, rate_hz)
        self._attack_rate = 1000 / (settings.attack_ms * rate_hz)
        self._release_rate = 1000 / (settings.release_ms * rate_hz)
        self._level = FallingMaximum(frames_of(self._LEVEL_FALL_MS, rate_hz))
        self._is_above = False
        self._since_above = _LONG_AGO
        self._gain = self._floor
        self._closed_frames = 0
        self._frames = 0

    def figures(self) -> Figures:
        """The share of the time during which the gate was closed or closing, 0 to 1."""
        return {"closed_share": round(self._closed_frames / self._frames, 4) if self._frames else 1.0}

    def _work(self, x: Wide) -> Wide:
        is_open = self._held(self._above(self._level(linked_peak(x))))
        self._frames += len(is_open)
        self._closed_frames += int(np.count_nonzero(~is_open))
        x *= self._gains(is_open)
        return x

    def _above(self, level: Wide) -> Flags:
        """Whether the level counts as above the threshold, with hysteresis."""
        decides = (level >= self._opens_at) | (level < self._closes_at)
        last = np.maximum.accumulate(np.where(decides, np.arange(len(level)), -1))
        above = np.where(last >= 0, level[last] >= self._opens_at, self._is_above)
        self._is_above = bool(above[-1])
        return above

    def _held(self, above: Flags) -> Flags:
        """Whether the gate is open: above the threshold now, or within the hold."""
        frames = np.arange(len(above))
        last = np.maximum.accumulate(np.where(above, frames, -self._since_above))
        since = frames - last
        self._since_above = int(min(since[-1] + 1, _LONG_AGO))
        return np.asarray(since <= self._hold_frames, np.bool_)

    def _gains(self, is_open: Flags) -> Wide:
        """An exponential approach in each stretch of open or closed."""
        gains = np.empty(len(is_open))
        borders = [0, *(np.flatnonzero(np.diff(is_open)) + 1).tolist(), len(is_open)]
        for start, end in pairwise(borders):
            self._approach(gains[start:end], bool(is_open[start]))
        return gains

    def _approach(self, gains: Wide, is_open: bool) -> None:
        goal, rate = (1.0, self._attack_rate) if is_open else (self._floor, self._release_rate)
        if self._gain == goal:
            gains[:] = goal
            return
        np.exp(np.arange(1, len(gains) + 1) * -rate, out=gains)
        gains *= self._gain - goal
        gains += goal
        self._gain = float(gains[-1])
        if abs(self._gain - goal) < self._SETTLED:
            self._gain = goal

    def _is_at_rest(self) -> bool:
        return self._level.is_at_rest and self._gain == self._floor
