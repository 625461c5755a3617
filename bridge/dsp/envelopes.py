"""What detectors are made of: a maximum that falls, smoothing, a sliding maximum, the static curve."""

from __future__ import annotations

import numpy as np

from bridge.dsp.filters import SosFilter, one_pole
from bridge.dsp.processor import Wide

_ROW = 4096
_LARGEST_EXPONENT = 500.0
_TINY = 1e-15
QUIET_DB = -60.0
"""Mean gain reduction is taken over what is louder."""


class FallingMaximum:
    """``y[n] = max(x[n], a y[n-1])``: at once up, exponentially down. ``x`` is not negative.

    In the scaled signal ``x[n] / a^n`` it is a running maximum, which needs no loop over samples; rows of
    4,096 frames keep the scale within float64.
    """

    def __init__(self, time_constant_frames: float) -> None:
        rate = 1 / max(time_constant_frames, 1e-3)
        steps = np.arange(max(1, min(_ROW, int(_LARGEST_EXPONENT / rate))))
        self._rise, self._fall = np.exp(rate * steps), np.exp(-rate * steps)
        self._keep = float(np.exp(-rate))
        self._last = 0.0

    def __call__(self, x: Wide) -> Wide:
        """The next block, shape ``(frames,)``."""
        made = np.empty_like(x)
        for start in range(0, len(x), len(self._rise)):
            self._fill(x[start : start + len(self._rise)], made[start : start + len(self._rise)])
        self._last = self._last if self._last > _TINY else 0.0
        return made

    def _fill(self, x: Wide, made: Wide) -> None:
        np.multiply(x, self._rise[: len(x)], out=made)
        made[0] = max(made[0], self._last * self._keep)
        np.maximum.accumulate(made, out=made)
        made *= self._fall[: len(x)]
        self._last = float(made[-1])

    @property
    def is_at_rest(self) -> bool:
        """Whether it has fallen to zero."""
        return self._last == 0.0


class Smoother:
    """A one-pole low-pass over one control signal of shape ``(frames,)``."""

    def __init__(self, time_constant_frames: float) -> None:
        self._filter = SosFilter(one_pole(time_constant_frames), 1)

    def __call__(self, x: Wide) -> Wide:
        """The next block."""
        made: Wide = self._filter(x[None])[0]
        return made

    @property
    def is_at_rest(self) -> bool:
        """Whether it has settled at zero."""
        return self._filter.is_at_rest


class Delay:
    """Late by a number of frames; exact."""

    def __init__(self, frames: int, channels: int) -> None:
        self._held = np.zeros((channels, frames))

    def __call__(self, x: Wide) -> Wide:
        """The next block, shape ``(channels, frames)``."""
        joined = np.concatenate([self._held, x], axis=1)
        self._held = joined[:, x.shape[1] :].copy()
        return joined[:, : x.shape[1]]

    @property
    def is_at_rest(self) -> bool:
        """Whether only silence is on its way."""
        return not self._held.any()


class ReductionMeter:
    """Keeps gain reductions: the largest, the mean and the usual most, over what is louder than -60 dBFS."""

    _CELL_DB = 0.05
    _CELLS = 1200

    def __init__(self) -> None:
        self.max_db = 0.0
        self._counts = np.zeros(self._CELLS, np.int64)
        self._sum_db = 0.0
        self._frames = 0

    def add(self, reduction_db: Wide, level: Wide) -> None:
        """A block of reductions (>= 0) and of the linear level that was listened to."""
        loud = level > 10 ** (QUIET_DB / 20)
        self.max_db = max(self.max_db, float(reduction_db.max()))
        self._sum_db += float(reduction_db @ loud)
        self._frames += int(np.count_nonzero(loud))
        cells = np.minimum(reduction_db[loud] / self._CELL_DB, self._CELLS - 1).astype(np.int64)
        self._counts += np.bincount(cells, minlength=self._CELLS)

    def exceeded_db(self, share: float) -> float:
        """The reduction that is exceeded for that share of the time, to 0.05 dB."""
        if not self._frames:
            return 0.0
        at_least = np.cumsum(self._counts[::-1])[::-1]
        above = np.flatnonzero(at_least > share * self._frames)
        return float(above[-1] * self._CELL_DB) if len(above) else 0.0

    @property
    def mean_db(self) -> float:
        """Mean reduction where there was sound."""
        return self._sum_db / self._frames if self._frames else 0.0

    def figures(self) -> dict[str, float]:
        """Both, for the report."""
        return {
            "max_gain_reduction_db": round(self.max_db, 2),
            "mean_gain_reduction_db": round(self.mean_db, 2),
        }


def sliding_maximum(x: Wide, frames: int) -> Wide:
    """The maximum of every ``frames`` neighbours, by doubling; ``frames - 1`` values shorter than ``x``."""
    made, width = x, 1
    while width < frames:
        step = min(width, frames - width)
        made = np.maximum(made[:-step], made[step:])
        width += step
    return made


def level_db(amplitudes: Wide) -> Wide:
    """Amplitudes in dBFS, not below -200."""
    made = np.log10(np.maximum(amplitudes, 1e-10))
    made *= 20
    return made


def gain_of(reduction_db: Wide) -> Wide:
    """The factor that a gain reduction in dB stands for."""
    return np.asarray(np.exp(reduction_db * (-np.log(10) / 20)), np.float64)


def overshoot_db(level: Wide, threshold_db: float, ratio: float, knee_db: float) -> Wide:
    """The static curve as gain reduction in dB (>= 0) for a level in dB.

    Giannoulis, Massberg, Reiss, "Digital Dynamic Range Compressor Design", JAES 60(6), 2012, eq. 4: none
    below the knee, a parabola within it, ``(1 - 1/ratio)`` of the overshoot above.
    """
    knee = max(knee_db, 1e-6)
    into_knee = np.clip(level - (threshold_db - knee / 2), 0, knee)
    above = np.maximum(level - (threshold_db + knee / 2), 0)
    return np.asarray((1 - 1 / ratio) * (into_knee * into_knee / (2 * knee) + above), np.float64)
