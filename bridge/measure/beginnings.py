"""Where notes of one voice may begin though the pitch stays: attacks of strings, dips of a sung line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from bridge.measure.bands import Levels, flux, loud_db

_LEAST_ATTACK, _CLEAR_ATTACK = 0.35, 0.55
"""Rise in bands (``bands.flux``) of attacks that are barely and surely there."""
_THROAT = slice(12, None)
"""The bands above 300 Hz, where consonants and breath show."""
_THROAT_RANGE_DB = 50.0
_SINGING_RANGE_DB = 40.0
_REACH = 12
"""Steps before and after a dip in which the voice is louder."""
_LEAST_DIP_DB, _CLEAR_DIP_DB = 0.9, 3.9
_LOUD_AFTER_DB = 10.0
"""What comes after a dip is at most this far below the loud moments: the rest of a reverb has dips too."""
_SMOOTHING = 1.5

Beginnings = NDArray[np.float64]
"""Shape ``(steps,)``: 0 where nothing begins to 1 where something surely does."""


def attacks_in(levels: Levels) -> Beginnings:
    """Peaks of the spectral flux: plucked, struck and blown notes."""
    rises = flux(levels, 1, is_widened=True)[:, 0]
    peaks = np.where(rises >= maximum_filter1d(rises, 9), rises, 0)
    return _between(peaks, _LEAST_ATTACK, _CLEAR_ATTACK)


def dips_in(levels: Levels) -> Beginnings:
    """Short dips over all bands of the voice: consonants, and the moment between two sung vowels.

    At the start of a phrase only what comes after has to be louder.
    """
    if not len(levels):
        return np.zeros(0)
    heights = np.maximum(levels[:, _THROAT] - loud_db(levels), -_THROAT_RANGE_DB).mean(axis=1)
    loud = float(np.quantile(heights, 0.95))
    curve = gaussian_filter1d(np.maximum(heights, loud - _SINGING_RANGE_DB).astype(np.float64), _SMOOTHING)
    before = maximum_filter1d(curve, _REACH + 1, origin=_REACH // 2)
    after = maximum_filter1d(curve, _REACH + 1, origin=-(_REACH // 2))
    is_silent = curve < loud - _SINGING_RANGE_DB + 1.5
    depth = np.where(is_silent, after, np.minimum(before, after)) - curve
    is_lowest = (curve <= minimum_filter1d(curve, 5)) & np.append(curve[1:] > curve[:-1], False)
    return _between(
        np.where(is_lowest & (after > loud - _LOUD_AFTER_DB), depth, 0), _LEAST_DIP_DB, _CLEAR_DIP_DB
    )


def _between(values: NDArray[np.floating], low: float, high: float) -> Beginnings:
    return np.clip((np.asarray(values, np.float64) - low) / (high - low), 0, 1)
