"""When one voice sounds and where its notes begin, told from the levels of bands around each moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from bridge.measure.bands import FLOOR_DB, Levels, loud_db
from bridge.measure.nets import Look, Network, views_of

LOOKS: tuple[Look, ...] = (
    (-15, -13, -11, -9),
    (-8, -7, -6, -5),
    (-4, -3),
    (-2, -1),
    (0, 1),
    (2, 3, 4),
    (5, 6, 7, 8),
    (9, 11, 13, 15),
)
"""Steps around a moment at which it is looked at, an eighth of a second and a little more to either side."""
LEAD = 16
"""Steps of silence that are put before the first, so that a file may begin with a note."""
_APART = 9
"""Steps of which at most one begins a note."""
_CHUNK = 1024

Chances = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Chances from 0 to 1 for each step."""

    beginning: Chances
    """That a note begins; 0 but at local maxima."""
    sounding: Chances
    """That a note sounds."""


def activity_of(levels: Levels, net: Network) -> Activity:
    """What a network for bass or voice hears in levels of shape ``(steps, bands)``."""
    seen = seen_levels(levels)
    top_db = loud_db(levels)
    chances = np.zeros((len(levels), 2), np.float32)
    for start in range(0, len(levels), _CHUNK):
        steps = np.arange(start, min(len(levels), start + _CHUNK)) + LEAD
        chances[start : start + _CHUNK] = net.chances(views_of(seen, steps, LOOKS, top_db))
    beginning, sounding = chances.T
    is_peak = beginning >= maximum_filter1d(beginning, _APART)
    return Activity(beginning=np.where(is_peak, beginning, np.float32(0)), sounding=sounding)


def seen_levels(levels: Levels) -> Levels:
    """Half as many bands, with silence before the first step."""
    halved = levels.reshape(len(levels), levels.shape[1] // 2, 2).mean(axis=2)
    return np.concatenate([np.full((LEAD, halved.shape[1]), FLOOR_DB, halved.dtype), halved])
