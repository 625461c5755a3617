"""Audible flaws, counted: clipping, clicks, offset, noise floor, silence, broken samples, shimmer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio, Samples
from bridge.measure.clicks import ClickCounter
from bridge.measure.frames import Framer
from bridge.measure.meter import PEAK_FLOOR_DBFS, finite, level_db, measure_audio, measure_file, power_db
from bridge.measure.shimmer import ShimmerMeter
from bridge.protocols import Progress, no_progress
from bridge.values import Value

FULL_SCALE = 0.9999
"""The largest positive step of 16 bits is 0.99997."""
SILENCE_DBFS = -70.0
_FLAT = 1e-5
_SAME_LEVEL = 1e-4
_LOWEST_CLIP = 0.1
_WINDOW_S = 0.05
_LEVELS_DB = np.arange(PEAK_FLOOR_DBFS, 124.0, 0.25)
_FLOOR_SHARE = 0.02


class Artefacts(Value):
    """Flaws of a sound. Silence has none; its levels are -144 dBFS and its crest is 0."""

    clipped_runs: int
    """Flat tops: three or more equal samples in a row at full scale, or at the sound's own peak."""
    over_samples: int
    """Samples beyond full scale, which only float files hold."""
    clicks: int
    """Isolated impulses and jumps (``bridge.measure.clicks``)."""
    broken_samples: int
    """NaN and infinity."""
    noise_floor_dbfs: float
    """Level that the quietest 2% of 50 ms windows stay below, digital silence left out."""
    silent_share: float
    """Share of 50 ms windows below -70 dBFS."""
    peak_dbfs: float
    rms_dbfs: float
    crest_db: float
    dc_offset: float
    """The largest mean of a channel; its sign is kept, 1 is full scale."""
    shimmer_db: float
    """Steady narrow tones above 8 kHz (``bridge.measure.shimmer``)."""


class ArtefactMeter:
    """Counts flaws in one pass."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._frames = 0
        self._broken = 0
        self._offsets = np.zeros(channels)
        self._energy = 0.0
        self._peak = 0.0
        self._overs = 0
        self._clipping = _FlatTops(channels)
        self._levels = _Levels(rate_hz, channels)
        self._clicks = ClickCounter(rate_hz, channels)
        self._shimmer = ShimmerMeter(rate_hz, channels)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity are counted, and count as silence otherwise."""
        if not block.shape[1]:
            return
        sane = finite(block)
        if sane is not block:
            self._broken += int(np.count_nonzero(~np.isfinite(block)))
        self._gather(sane)
        for part in (self._clipping, self._levels, self._clicks, self._shimmer):
            part.add(sane)

    def _gather(self, block: Samples) -> None:
        self._frames += block.shape[1]
        self._offsets += block.sum(axis=1, dtype=np.float64)
        flat = block.reshape(-1)
        self._energy += float(np.dot(flat, flat))
        peak = max(float(block.max()), -float(block.min()))
        self._peak = max(self._peak, peak)
        if peak > 1.0:
            self._overs += int(np.count_nonzero(np.abs(block) > 1.0))

    def result(self) -> Artefacts:
        """The flaws in all that was added."""
        rms = float(np.sqrt(self._energy / max(1, self._frames * len(self._offsets))))
        offsets = self._offsets / max(1, self._frames)
        return Artefacts(
            clipped_runs=self._clipping.count(self._peak),
            over_samples=self._overs,
            clicks=len(self._clicks.frames_of_clicks),
            broken_samples=self._broken,
            noise_floor_dbfs=self._levels.floor_dbfs,
            silent_share=self._levels.silent_share,
            peak_dbfs=level_db(self._peak),
            rms_dbfs=level_db(rms),
            crest_db=level_db(self._peak) - level_db(rms),
            dc_offset=float(offsets[np.argmax(np.abs(offsets))]),
            shimmer_db=self._shimmer.level_db,
        )


class _FlatTops:
    """Runs of equal samples: those at full scale, and those at the largest level seen.

    Audio that was clipped and then turned down, or clipped as float above full scale, has its flat tops at
    its own peak; flat parts below are a waveform (a soft square) or a held value.
    """

    def __init__(self, channels: int) -> None:
        self._tail = np.full((channels, 3), np.nan, np.float32)
        self._full = 0
        self._top = 0.0
        self._at_top = 0

    def add(self, block: Samples) -> None:
        joined = np.concatenate([self._tail, block], axis=1)
        self._tail = joined[:, -3:].copy()
        self._note(_flat_levels(joined))

    def _note(self, levels: NDArray[np.float32]) -> None:
        if not len(levels):
            return
        self._full += int(np.count_nonzero(levels >= FULL_SCALE))
        top = float(levels.max())
        if top > self._top * (1 + _SAME_LEVEL):
            self._top, self._at_top = top, 0
        self._at_top += int(np.count_nonzero(levels >= self._top * (1 - _SAME_LEVEL)))

    def count(self, peak: float) -> int:
        is_peak = self._top >= peak * (1 - _SAME_LEVEL)
        return max(self._full, self._at_top if is_peak else 0)


def _flat_levels(samples: Samples) -> NDArray[np.float32]:
    """Level of each run of three or more equal samples that has its third sample after the first three."""
    level = np.abs(samples)
    equal = (np.abs(np.diff(samples, axis=1)) <= _FLAT * level[:, 1:]) & (level[:, 1:] >= _LOWEST_CLIP)
    third = equal[:, 2:] & equal[:, 1:-1] & ~equal[:, :-2]
    return level[:, 3:][third]


class _Levels:
    """A histogram of the level of 50 ms windows."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        size = max(1, round(_WINDOW_S * rate_hz))
        self._framer = Framer(channels, size, size)
        self._counts = np.zeros(len(_LEVELS_DB), np.int64)

    def add(self, block: Samples) -> None:
        frames = self._framer.push(block)
        power = np.einsum("cnf,cnf->n", frames, frames) / (frames.shape[0] * frames.shape[2])
        numbers = np.searchsorted(_LEVELS_DB, power_db(power.astype(np.float64)), side="right") - 1
        self._counts += np.bincount(numbers, minlength=len(_LEVELS_DB))

    @property
    def floor_dbfs(self) -> float:
        upto = np.cumsum(self._counts[1:])
        if not upto[-1]:
            return PEAK_FLOOR_DBFS
        return float(_LEVELS_DB[1 + np.searchsorted(upto, _FLOOR_SHARE * upto[-1])])

    @property
    def silent_share(self) -> float:
        total = int(self._counts.sum())
        quiet = int(self._counts[_LEVELS_DB < SILENCE_DBFS].sum())
        return quiet / total if total else 1.0


def measure_artefacts(path: Path, progress: Progress = no_progress) -> Artefacts:
    """The flaws of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, ArtefactMeter, progress)


def artefacts_of(audio: Audio) -> Artefacts:
    """The flaws of audio in memory."""
    return measure_audio(audio, ArtefactMeter)
