"""How alike two processors' outputs are: level, movement, tone, and what is left of their difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio
from bridge.errors import AudioError
from bridge.measure.meter import power_db
from bridge.measure.spectrum import spectrum_of
from bridge.values import Value

WINDOW_S = 0.05
QUIET_DB = -40.0
"""Windows so far below the loudest one say nothing about a processor that works on level."""
FAINT_DB = -50.0
"""So do bands so far below the loudest band."""
SAME_DB = -200.0

Doubles = NDArray[np.float64]


class Likeness(Value):
    """A second sound against a first one, in decibels; 0, 0, 0 and -200 for the same one twice."""

    level_db: float
    """How much louder it is on the whole; taken out before the rest is measured."""
    movement_db: float
    """Mean absolute difference of the levels of 50 ms: how far it follows the first one's dynamics."""
    tone_db: float
    """Mean absolute difference of the long-term spectra in bands of 1/6 octave."""
    residual_db: float
    """Energy of the sample by sample difference against the first one's: phase counts, too."""


def likeness(first: Audio, second: Audio) -> Likeness:
    """Compare two sounds of the same rate, channels and length; AudioError for others, and for silence.

    >>> tone = Audio(samples=np.sin(np.arange(48_000, dtype=np.float32) / 10)[None], rate_hz=48_000)
    >>> half = Audio(samples=tone.samples / 2, rate_hz=48_000)
    >>> found = likeness(tone, half)
    >>> (round(found.level_db, 2), round(found.movement_db, 2), round(found.tone_db, 2))
    (-6.02, 0.0, 0.0)
    """
    a, b = _expect_comparable(first, second)
    gain = float(np.sqrt(np.mean(b**2) / np.mean(a**2)))
    matched = b / gain
    levelled = Audio(samples=matched.astype(np.float32), rate_hz=first.rate_hz)
    residual = float(np.sum((matched - a) ** 2) / np.sum(a**2))
    return Likeness(
        level_db=20 * float(np.log10(gain)),
        movement_db=_movement_db(a, matched, first.rate_hz),
        tone_db=_tone_db(first, levelled),
        residual_db=max(SAME_DB, 10 * float(np.log10(residual))) if residual > 0 else SAME_DB,
    )


def _expect_comparable(first: Audio, second: Audio) -> tuple[Doubles, Doubles]:
    found = [(audio.rate_hz, *audio.samples.shape) for audio in (first, second)]
    if found[0] != found[1]:
        raise AudioError(
            f"Found {found[0]} and {found[1]}; wanted two of the same rate, channels and length."
        )
    a, b = first.samples.astype(np.float64), second.samples.astype(np.float64)
    if not a.any() or not b.any():
        raise AudioError("Found silence; wanted two sounds that can be compared.")
    return a, b


def _movement_db(a: Doubles, b: Doubles, rate_hz: int) -> float:
    levels_a, levels_b = (_levels_db(samples, rate_hz) for samples in (a, b))
    heard = levels_a > levels_a.max() + QUIET_DB
    return float(np.mean(np.abs(levels_b - levels_a)[heard]))


def _levels_db(samples: Doubles, rate_hz: int) -> Doubles:
    size = min(samples.shape[1], max(1, round(WINDOW_S * rate_hz)))
    whole = samples[:, : samples.shape[1] // size * size]
    return np.asarray(power_db(np.mean(whole.reshape(len(whole), -1, size) ** 2, axis=(0, 2))), np.float64)


def _tone_db(first: Audio, second: Audio) -> float:
    a, b = (np.asarray(spectrum_of(audio).band_db) for audio in (first, second))
    heard = a > a.max() + FAINT_DB
    return float(np.mean(np.abs(b - a)[heard]))
