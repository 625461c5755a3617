"""Following a pulse: the chain of onsets that lie about one beat apart, made even."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

_TIGHTNESS = 150.0
"""What a gap other than the expected one costs: this times the square of the ratio's logarithm."""
_PASSES = 3
_LOCAL_BEATS = 17
"""Over so many beats the local tempo is the middle one."""
_EVEN_BEATS = 6.0
"""Standard deviation, in beats, of the window in which beats are laid on a straight line."""
_BLUR_STEPS = 1.5

Curve = NDArray[np.float64]


def follow(strength: Curve, period_steps: float) -> Curve:
    """Where the beats of a pulse fall, in fractional steps, from the first onset to the last.

    ``strength`` says for each step how much begins there (at least 0); ``period_steps`` is the usual length
    of a beat. Dynamic programming after Ellis 2007 (Beat tracking by dynamic programming), repeated with the
    tempo that was found locally, so that a song may drift; then each beat is moved onto the line through
    its neighbours, because players scatter and the pulse does not. Empty where nothing begins.
    """
    blurred = np.asarray(gaussian_filter1d(strength, _BLUR_STEPS), np.float64)
    scale = float(blurred.std())
    if scale <= 0 or len(strength) < 2 * period_steps:
        return np.zeros(0)
    periods = np.full(len(strength), period_steps)
    for _ in range(_PASSES):
        beats = _chain(blurred / scale, periods)
        if len(beats) < 3:
            return np.zeros(0)
        periods = _local_periods(beats, len(strength))
    return _even(_at_peaks(blurred, beats), blurred[beats])


def _chain(strength: Curve, periods: Curve) -> NDArray[np.int64]:
    """The best chain of steps: strong ones, at even distances."""
    gaps = np.arange(max(1, int(periods.min() / 2)), int(2 * periods.max()) + 1)
    before = int(gaps[-1])
    total = np.concatenate([np.full(before, -np.inf), strength])
    came_from = np.full(len(strength), -1)
    # no gap is shorter than a block, so that all steps of a block are known at once
    for start in range(0, len(strength), int(gaps[0])):
        steps = np.arange(start, min(start + int(gaps[0]), len(strength)))
        cost = _TIGHTNESS * (np.log(gaps) - np.log(periods[steps])[:, None]) ** 2
        reached = total[steps[:, None] - gaps + before] - cost
        best = reached.argmax(axis=1)
        gain = reached[np.arange(len(steps)), best]
        total[steps + before] += np.maximum(gain, 0)
        came_from[steps] = np.where(gain > 0, steps - gaps[best], -1)
    step = int(np.argmax(total)) - before
    chain = []
    while step >= 0:
        chain.append(step)
        step = int(came_from[step])
    return np.array(chain[::-1])


def _local_periods(beats: NDArray[np.int64], steps: int) -> Curve:
    gaps = np.diff(beats).astype(np.float64)
    local = gaussian_filter1d(median_filter(gaps, _LOCAL_BEATS, mode="nearest"), 4, mode="nearest")
    return np.asarray(np.interp(np.arange(steps), beats[1:], local), np.float64)


def _at_peaks(curve: Curve, beats: NDArray[np.int64]) -> Curve:
    """The beats at the tops of parabolas through three steps."""
    inside = np.clip(beats, 1, len(curve) - 2)
    before, top, after = curve[inside - 1], curve[inside], curve[inside + 1]
    bend = before - 2 * top + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.minimum(bend, -1e-12), 0.0)
    return np.asarray(inside + np.clip(shift, -0.5, 0.5), np.float64)


def _even(beats: Curve, weights: Curve) -> Curve:
    """Each beat on the line through its neighbours (weighted local regression)."""
    reach = int(min(3 * _EVEN_BEATS, len(beats) - 1))
    offsets = np.arange(-reach, reach + 1)
    window = np.exp(-0.5 * (offsets / _EVEN_BEATS) ** 2)
    slope = float(beats[-1] - beats[0]) / (len(beats) - 1)
    rest = beats - beats[0] - slope * np.arange(len(beats))
    sure = weights / (weights.mean() + 1e-12) + 0.05

    def summed(values: Curve, power: int) -> Curve:
        return np.asarray(np.correlate(np.pad(values, reach), window * offsets**power, "valid"), np.float64)

    s0, s1, s2 = (summed(sure, power) for power in (0, 1, 2))
    t0, t1 = (summed(sure * rest, power) for power in (0, 1))
    return np.asarray(beats - rest + (s2 * t0 - s1 * t1) / (s0 * s2 - s1**2 + 1e-12), np.float64)
