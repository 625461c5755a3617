"""Where a sound was cut off: the cliff that a codec or a generator leaves in the treble."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import uniform_filter1d

from bridge.audio import Samples, open_audio
from bridge.measure.frames import Framer, frame_size
from bridge.measure.meter import feed, finite, heard_channels
from bridge.protocols import Progress, no_progress

FLOOR_DB = -105.0
"""Levels of single bins are not looked at below this: 15 dB under the least that 16 bits hold."""
LOWEST_HZ = 5_000.0
"""What ends lower is an instrument's or a room's own end, or speech over a telephone."""
_FRAME_S = 0.046
_BATCH = 64
_SILENT_DB = FLOOR_DB + 3
_GAPS_HZ_DB = ((300.0, 18.0), (1200.0, 26.0), (3000.0, 36.0))
"""A cliff falls by that much within that width; music falls by 6 to 12 dB an octave, 24 with a synthesiser's
filter."""
_EDGE_DB = 6.0
_SLOPE_DB = 4.0
"""From 600 Hz to the next: about 30 dB an octave at 5 kHz, 60 at 10 kHz."""
_SMOOTH_HZ = 150.0

Levels = NDArray[np.float32]
Spectra = NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True)
class Cutoff:
    """Where a sound ends, and its long-term level in every bin, in dB against a full-scale sine."""

    hz: float
    """The level begins to fall here; 0 where it fades instead, or reaches the end of its band."""
    rate_hz: int
    mean_db: Levels
    """Shape ``(channels, bins)``: the mean of levels over the sounding frames, not below -105."""

    @property
    def is_cut(self) -> bool:
        """Whether there is a cut-off."""
        return self.hz > 0


class CutoffMeter:
    """The long-term spectrum, by sine windows of 46 ms and half of that apart."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._size = window_frames(rate_hz)
        hop = self._size // 2
        # so many windows at once, on a grid of their own: sums do not hang on how blocks were cut
        self._framer = Framer(channels, _BATCH * hop + hop, _BATCH * hop)
        self._power = np.zeros(self._size // 2 + 1)
        self._sum_db = np.zeros((channels, self._size // 2 + 1))
        self._frames = np.zeros((channels, 1), np.int64)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        batches = self._framer.push(finite(block))
        for number in range(batches.shape[1]):
            self._take(batches[:, number])

    def result(self) -> Cutoff:
        """What was found in all that was added."""
        rest = self._framer.remainder
        meter = CutoffMeter(self._rate_hz, len(rest))
        meter._power, meter._sum_db = self._power.copy(), self._sum_db.copy()
        meter._frames = self._frames.copy()
        if rest.any():
            meter._take(np.pad(rest, ((0, 0), (0, self._size))))
        mean_db = np.where(meter._frames, meter._sum_db / np.maximum(1, meter._frames), FLOOR_DB)
        return Cutoff(
            hz=_cutoff_hz(meter._power / max(1, int(meter._frames.max())), self._rate_hz),
            rate_hz=self._rate_hz,
            mean_db=mean_db.astype(np.float32),
        )

    def _take(self, samples: Samples) -> None:
        spectra = spectra_of(samples, self._size)
        levels = levels_db(spectra)
        sounding = levels.mean(axis=2) > _SILENT_DB
        self._power += np.sum(np.square(np.abs(spectra), dtype=np.float64), axis=(0, 1))
        self._sum_db += np.sum(levels * sounding[:, :, None], axis=1, dtype=np.float64)
        self._frames += sounding.sum(axis=1, keepdims=True)


def measure_cutoff(path: Path, progress: Progress = no_progress) -> Cutoff:
    """The cut-off of a file. Raises AudioError where it cannot be decoded."""
    with open_audio(path) as reader:
        meter = CutoffMeter(reader.info.rate_hz, heard_channels(reader))
        feed(reader, meter, progress=progress)
    return meter.result()


def window_frames(rate_hz: int) -> int:
    """A power of two close to 46 ms: 2,048 at 44.1 and 48 kHz."""
    return frame_size(rate_hz, _FRAME_S)


@cache
def sine_window(size: int) -> NDArray[np.float32]:
    """The root of a Hann window: applied twice, half overlapping, it adds up to 1."""
    return np.asarray(np.sin(np.pi * (np.arange(size) + 0.5) / size), np.float32)


def spectra_of(samples: Samples, size: int) -> Spectra:
    """Spectra of shape ``(channels, windows, bins)``, half a window apart; a full-scale sine has 1."""
    windows = sliding_window_view(samples, size, axis=1)[:, :: size // 2]
    window = sine_window(size)
    scaled = window * np.float32(2 / window.sum())
    return np.asarray(rfft(windows * scaled, axis=2, workers=1), np.complex64)


def levels_db(spectra: Spectra) -> Levels:
    """Levels in dB against a full-scale sine, not below -105."""
    power = spectra.real**2 + spectra.imag**2
    return np.asarray(10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR_DB / 10)))), np.float32)


def _cutoff_hz(power: NDArray[np.float64], rate_hz: int) -> float:
    """The frequency where the level begins to fall off a cliff, never to rise again; 0 where none does."""
    width_hz = rate_hz / 2 / (len(power) - 1)
    smooth = uniform_filter1d(power, max(3, round(_SMOOTH_HZ / width_hz)))
    level = 10 * np.log10(np.maximum(smooth, 10 ** (FLOOR_DB / 10)))
    above = np.maximum.accumulate(level[::-1])[::-1]
    for gap_hz, least_db in _GAPS_HZ_DB:
        gap, before = round(gap_hz / width_hz), round(600 / width_hz)
        first = max(before, round(LOWEST_HZ / width_hz))
        places = np.arange(first, len(level) - gap - 1)
        if not len(places):
            continue
        # the mean of what lies before a place, against the most that lies a gap behind it
        upto = np.concatenate([[0.0], np.cumsum(level)])
        below = (upto[places] - upto[places - before]) / before
        drops = below - above[places + gap]
        best = int(np.argmax(drops))
        if drops[best] >= least_db:
            return _edge(level, int(places[best]), gap, before) * width_hz
    return 0.0


def _edge(level: NDArray[np.float64], place: int, gap: int, before: int) -> int:
    """The last bin before the fall that is still at the level of those below it.

    A gentle filter falls faster in the middle of its slope than where it begins: go back to there.
    """
    while place > 3 * before and _falls(level, place, before):
        place -= before // 4
    below_db = level[place - before : place].mean()
    high = np.flatnonzero(level[place : place + gap] >= below_db - _EDGE_DB)
    return place + (int(high[-1]) if len(high) else 0)


def _falls(level: NDArray[np.float64], place: int, before: int) -> bool:
    """Whether a stretch is lower than the one before it by more than music would be."""
    here, there = level[place - before : place], level[place - 2 * before : place - before]
    return bool(here.mean() < there.mean() - _SLOPE_DB)
