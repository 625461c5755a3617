"""Following a pulse: the chain of onsets that lie about one beat apart, or a steady one, made even."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter

_TIGHTNESS = 150.0
"""What a gap other than the expected one costs: this times the square of the ratio's logarithm."""
_PASSES = 3
_FEWEST = 3
_LOCAL_BEATS = 17
"""Over so many beats the local tempo is the middle one."""
_EVEN_BEATS = 6.0
"""Standard deviation, in beats, of the window in which beats are laid on a straight line."""
_BLUR_STEPS = 1.5
_STEADY_STEPS = 2.5
"""A song whose beats lie this close to one tempo was made to a click: its grid is exact."""
_NEAR = 0.01
"""A steady pulse has the expected tempo within this share."""
_SCATTER_STEPS = 2
"""Players are early or late by up to so much."""
_AS_STRONG = 0.6
"""A steady pulse is taken that around every beat meets onsets this strong against those of the chain. Where
a song drifts by a per cent or slows down at the end it is 0.3 to 0.5 somewhere; where a chain slips, more.
"""
_AROUND_BEATS = 4.0

Curve = NDArray[np.float64]


def follow(strength: Curve, period_steps: float) -> Curve:
    """Where the beats of a pulse fall, in fractional steps, from the first onset to the last.

    ``strength`` says for each step how much begins there (at least 0); ``period_steps`` is the usual length
    of a beat. Dynamic programming after Ellis 2007 (Beat tracking by dynamic programming), repeated with the
    tempo that was found locally, so that a song may drift; then each beat is moved onto the line through
    its neighbours, because players scatter and the pulse does not. What was made to a click lies on one line:
    where the chain does not, but a line meets hardly less, the line is the pulse, for a chain may change to
    the other half of the beat where that is played harder. Empty where nothing begins.
    """
    blurred = np.asarray(gaussian_filter1d(strength, _BLUR_STEPS), np.float64)
    scale = float(blurred.std())
    if scale <= 0 or len(strength) < 2 * period_steps:
        return np.zeros(0)
    periods = np.full(len(strength), period_steps)
    for _ in range(_PASSES):
        beats = _chain(blurred / scale, periods)
        if len(beats) < _FEWEST:
            return np.zeros(0)
        periods = _local_periods(beats, len(strength))
    pulse = _even(_at_peaks(blurred, beats), blurred[beats])
    if np.abs(_line(pulse) - pulse).max() < _STEADY_STEPS:
        return _line(pulse)
    steady = _steady(blurred, period_steps)
    steady = steady[(steady > beats[0] - period_steps / 2) & (steady < beats[-1] + period_steps / 2)]
    return steady if _meets_as_much(blurred, steady, beats) else pulse


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


def _line(beats: Curve, weights: Curve | None = None) -> Curve:
    """The straight line through beats."""
    numbers = np.arange(len(beats))
    return np.asarray(np.polyval(np.polyfit(numbers, beats, 1, w=weights), numbers), np.float64)


def _steady(curve: Curve, period_steps: float) -> Curve:
    """The steady pulse that meets most: its tempo from the spectrum, then a line through peaks near it."""
    size = next_fast_len(4 * len(curve), real=True)
    power = np.abs(rfft(curve - curve.mean(), size)) ** 2
    low, high = (int(size / period_steps * (1 + share)) for share in (-_NEAR, _NEAR))
    tempi = np.arange(low, high + 2)
    period = size / float(tempi[np.argmax(power[tempi] + power[2 * tempi])])
    cells = int(period)
    places = (np.arange(len(curve)) % period * cells / period).astype(np.int64)
    first = float(np.argmax(np.bincount(places, curve) / np.bincount(places))) * period / cells
    line = np.arange(first, len(curve) - 1, period)
    if len(line) < _FEWEST:
        return line[:0]
    near = np.arange(-2 * _SCATTER_STEPS, 2 * _SCATTER_STEPS + 1)
    for _ in range(_PASSES):
        around = np.clip(np.rint(line)[:, None].astype(np.int64) + near, 0, len(curve) - 1)
        peaks = np.take_along_axis(around, curve[around].argmax(axis=1)[:, None], axis=1)[:, 0]
        line = _line(peaks.astype(np.float64), curve[peaks] + 1e-9)
    return line[(line > -0.5) & (line < len(curve) - 0.5)]


def _meets_as_much(curve: Curve, steady: Curve, chain: NDArray[np.int64]) -> bool:
    """Whether onsets at a steady pulse are nowhere much weaker than those at the chain."""
    if len(steady) < _FEWEST:
        return False
    nearby = maximum_filter1d(curve, 2 * _SCATTER_STEPS + 1)
    met, wanted = (_around(nearby[beats]) for beats in (np.rint(steady).astype(np.int64), chain))
    return bool(np.all(np.interp(chain, steady, met) > _AS_STRONG * wanted))


def _around(values: Curve) -> Curve:
    """Means over the beats around each."""
    sums, counts = (
        gaussian_filter1d(row, _AROUND_BEATS, mode="constant") for row in (values, np.ones(len(values)))
    )
    return np.asarray(sums / counts, np.float64)


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
