"""Second-order sections: their designs, and a filter that carries its state from block to block."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

from bridge.dsp.processor import Wide

Sections = NDArray[np.float64]
"""Biquads as rows ``b0 b1 b2 1 a1 a2``."""

BUTTERWORTH_Q = float(np.sqrt(0.5))
_TINY = 1e-30


class SosFilter:
    """Biquads in a row over ``channels`` signals; ``filter(x)`` is the next block, bit-exact for any cut.

    The state is cleared when it has decayed below -600 dB, so that no denormal numbers slow silence down.
    """

    def __init__(self, sections: Sections, channels: int) -> None:
        self._sections = np.ascontiguousarray(sections, np.float64)
        self._state = np.zeros((len(sections), channels, 2))

    def __call__(self, x: Wide) -> Wide:
        """The filtered block, shape ``(channels, frames)``."""
        if not len(self._sections):
            return x
        made, self._state = sosfilt(self._sections, x, axis=-1, zi=self._state)
        self._state[np.abs(self._state) < _TINY] = 0.0
        return np.asarray(made, np.float64)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing rings any more."""
        return not self._state.any()


def one_pole(time_constant_frames: float) -> Sections:
    """A low-pass of 0 dB at DC whose step response reaches 63% after the time constant."""
    keep = np.exp(-1 / max(time_constant_frames, 1e-3))
    return np.array([[1 - keep, 0.0, 0.0, 1.0, -keep, 0.0]])


def butterworth_qs(order: int) -> tuple[float, ...]:
    """The quality factors of the sections of an even-order Butterworth filter, the sharpest last."""
    angles = (np.pi * (2 * pair + 1) / (2 * order) for pair in range(order // 2))
    return tuple(sorted(float(1 / (2 * np.cos(angle))) for angle in angles))


def lowpass(frequency_hz: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook (R. Bristow-Johnson), LPF: gain ``q`` at the corner."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    return _section(
        ((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2),
        (1 + alpha, -2 * cosine, 1 - alpha),
    )


def highpass(frequency_hz: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, HPF: gain ``q`` at the corner."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    return _section(
        ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2),
        (1 + alpha, -2 * cosine, 1 - alpha),
    )


def bandpass(frequency_hz: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, BPF of 0 dB at its peak; with LPF and HPF of the same q it sums to the input."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    return _section((alpha, 0.0, -alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def allpass(frequency_hz: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, APF."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    return _section((1 - alpha, -2 * cosine, 1 + alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def bell(frequency_hz: float, gain_db: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, peaking EQ: ``gain_db`` at the centre."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    root = 10 ** (gain_db / 40)
    return _section(
        (1 + alpha * root, -2 * cosine, 1 - alpha * root),
        (1 + alpha / root, -2 * cosine, 1 - alpha / root),
    )


def low_shelf(frequency_hz: float, gain_db: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, lowShelf: half of ``gain_db`` at the midpoint."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    root = 10 ** (gain_db / 40)
    slope = 2 * np.sqrt(root) * alpha
    up, down = root + 1, root - 1
    return _section(
        (
            root * (up - down * cosine + slope),
            2 * root * (down - up * cosine),
            root * (up - down * cosine - slope),
        ),
        (up + down * cosine + slope, -2 * (down + up * cosine), up + down * cosine - slope),
    )


def high_shelf(frequency_hz: float, gain_db: float, q: float, rate_hz: int) -> Sections:
    """Audio EQ Cookbook, highShelf: half of ``gain_db`` at the midpoint."""
    cosine, alpha = _corner(frequency_hz, q, rate_hz)
    root = 10 ** (gain_db / 40)
    slope = 2 * np.sqrt(root) * alpha
    up, down = root + 1, root - 1
    return _section(
        (
            root * (up + down * cosine + slope),
            -2 * root * (down + up * cosine),
            root * (up + down * cosine - slope),
        ),
        (up - down * cosine + slope, 2 * (down - up * cosine), up - down * cosine - slope),
    )


def crossover(frequency_hz: float, rate_hz: int) -> tuple[Sections, Sections, Sections]:
    """Low, high and their sum of a Linkwitz-Riley crossover of 4th order (JAES 24(1), 1976).

    Each side is a Butterworth filter of 2nd order twice: -6 dB at the crossover, in phase. Their sum is the
    all-pass, which bands that do not pass this crossover need to stay in phase with those that do.
    """
    low = lowpass(frequency_hz, BUTTERWORTH_Q, rate_hz)
    high = highpass(frequency_hz, BUTTERWORTH_Q, rate_hz)
    return cascade(low, low), cascade(high, high), allpass(frequency_hz, BUTTERWORTH_Q, rate_hz)


def cascade(*sections: Sections) -> Sections:
    """Filters in a row as one; none at all is a filter that passes everything."""
    return np.concatenate(sections) if sections else np.zeros((0, 6))


def _corner(frequency_hz: float, q: float, rate_hz: int) -> tuple[float, float]:
    angle = 2 * np.pi * frequency_hz / rate_hz
    return float(np.cos(angle)), float(np.sin(angle) / (2 * q))


def _section(b: tuple[float, float, float], a: tuple[float, float, float]) -> Sections:
    return np.array([[*b, *a]]) / a[0]
