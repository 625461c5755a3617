"""Levels of bands over time: what onsets and drums are told by."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.measure.filterbank import Filterbank
from bridge.measure.frames import frame_size, hann

STEP_S = 0.01
FLOOR_DB = -100.0
RANGE_DB = 70.0
"""Levels are looked at within this range below the loud moments."""
_BORDERS_HZ = np.geomspace(30.0, 16_000.0, 33)
BANDS = len(_BORDERS_HZ) - 1
SHORT_FRAME_S, LONG_FRAME_S = 0.023, 0.046
"""For drums; for pitched sounds, whose lowest periods ripple through shorter frames."""
_SOUNDING_DB = 60.0
_CHUNK = 4096

Levels = NDArray[np.floating]
"""Shape ``(steps, bands)``: dB against a full-scale sine, not below -100; half precision is enough."""


class BandMeter:
    """Levels of 32 bands from 30 Hz to 16 kHz, 3.5 to an octave, every 10 ms of the channels' mean.

    A level is that of a Hann window around its step's time. Keeps 6.4 kB a second, 46 MB for two
    hours. Bands above half the rate stay at the floor.
    """

    def __init__(self, rate_hz: int, channels: int, frame_s: float = SHORT_FRAME_S) -> None:
        size = frame_size(rate_hz, frame_s)
        hop = max(1, round(rate_hz * STEP_S))
        self.step_s = hop / rate_hz
        window = hann(size) * np.float32(4 / size)
        self._bank = Filterbank(window, hop, _band_weights(size, rate_hz), lead=size // 2)
        self._levels: list[NDArray[np.float16]] = []

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        power = self._bank.powers(block)
        if len(power):
            self._levels.append((10 * np.log10(power + 10 ** (FLOOR_DB / 10))).astype(np.float16))

    def levels(self) -> Levels:
        """The levels of all that was added."""
        if not self._levels:
            return np.zeros((0, BANDS), np.float16)
        return np.concatenate(self._levels)


def loud_db(levels: Levels) -> float:
    """The level of the loudest band in the loud moments; the floor where there are no steps."""
    return loud_moments_db(levels.max(axis=1)) if len(levels) else FLOOR_DB


def loud_moments_db(levels_db: NDArray[np.floating]) -> float:
    """What one in a hundred of the moments exceeds in which anything sounds, within 60 dB of the loudest.

    So a stem that plays once in three minutes has loud moments too.
    """
    sounding = levels_db[levels_db > levels_db.max() - _SOUNDING_DB].astype(np.float32)
    return float(np.quantile(sounding, 0.99))


def flux(levels: Levels, groups: int) -> NDArray[np.float32]:
    """How much louder groups of bands are after a step than before it: shape ``(steps, groups)``.

    Counted in the square root of amplitude, so that quiet beginnings show; 1 is the rise of one band from
    70 dB below ``loud_db`` up to it.
    """
    found = np.zeros((len(levels), groups), np.float32)
    top_db = loud_db(levels)
    for start in range(1, len(levels) - 1, _CHUNK):
        part = levels[start - 1 : start + _CHUNK + 1].astype(np.float32)
        heights = 10 ** (np.maximum(part - top_db, -RANGE_DB) / 40)
        rise = np.maximum(0, heights[2:] - heights[:-2])
        found[start : start + len(rise)] = rise.reshape(len(rise), groups, -1).sum(axis=2)
    return found


def _band_weights(size: int, rate_hz: int) -> NDArray[np.float32]:
    """Sums bins to bands; a band narrower than a bin takes its share of the bin that it lies in."""
    edges = (np.arange(size // 2 + 2) - 0.5) * rate_hz / size
    columns = []
    for low, high in pairwise(_BORDERS_HZ):
        overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        columns.append(np.clip(overlap, 0, None) * size / rate_hz)
    return np.asarray(np.stack(columns, axis=1), np.float32)
