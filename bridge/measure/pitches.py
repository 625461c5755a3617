"""Pitch over time of one voice: a few readings every 10 ms, each with its strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from bridge.audio import Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import finite

STEP_S = 0.01
READINGS = 4
_PERIODS = 3.0
"""Periods of the lowest pitch that a frame holds at least."""
_HARMONICS_HZ = 4000.0
"""What lies higher is left out: noise and breath."""
_FLATTENING = 0.4
"""Exponent of the power spectrum: the lower, the less one strong harmonic or formant decides."""
_PRUNED_PERIODS = (2, 3)
_PRUNING = 0.5
_OCTAVE_SHARE = 0.95
"""Strength that is left for each octave down: what repeats after one period repeats after two as well."""
_LAGS_PER_PERIOD = 16
_A4_HZ, _A4 = 440.0, 69
_ROWS = 128
"""Frames that are worked on at once: they stay in the cache."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Register:
    """Where a voice's pitches lie."""

    lowest_hz: float
    highest_hz: float


BASS = Register(lowest_hz=30.0, highest_hz=400.0)
VOICE = Register(lowest_hz=70.0, highest_hz=1100.0)


@dataclass(frozen=True, kw_only=True)
class PitchTrack:
    """Readings of the pitch, the strongest first; shape ``(steps, 4)`` each."""

    step_s: float
    pitches: Floats
    """MIDI numbers with fractions; 0 where there is no reading."""
    strengths: Floats
    """About 0 to 1: how well the sound repeats at that pitch."""
    levels_db: Floats
    """Shape ``(steps,)``: level of the sound up to 4 kHz, dB against a full-scale sine, at least -100."""


class PitchMeter:
    """Pitch in one pass: peaks of the autocorrelation of Hann frames, their spectra flattened.

    After T. Tolonen and M. Karjalainen, "A computationally efficient multipitch analysis model", IEEE TSAP 8
    (2000): the power spectrum is compressed, and what repeats only because half or a third of its period does
    is pruned. Frames hold three periods of the lowest pitch and lie around their step's time. Keeps 3.6 kB a
    second, 26 MB for two hours.
    """

    def __init__(self, rate_hz: int, register: Register) -> None:
        size = frame_size(rate_hz, _PERIODS / register.lowest_hz)
        hop = max(1, round(rate_hz * STEP_S))
        self.step_s = hop / rate_hz
        self._framer = Framer(1, size, hop)
        self._framer.push(np.zeros((1, size // 2), np.float32))
        self._window = hann(size) * np.float32(4 / size)
        self._size = size
        self._bins = min(size, int(2 * size * _HARMONICS_HZ / rate_hz)) + 1
        lag_rate_hz = max(2 * _HARMONICS_HZ, _LAGS_PER_PERIOD * register.highest_hz)
        self._transform = next_fast_len(int(2 * size * lag_rate_hz / rate_hz) + 2, real=True)
        self._lag_s = 2 * size / rate_hz / self._transform
        lags = np.arange(
            int(1 / register.highest_hz / self._lag_s), int(1 / register.lowest_hz / self._lag_s) + 2
        )
        self._lags = lags
        self._fades = (_OCTAVE_SHARE ** np.log2(lags / lags[0])).astype(np.float32)
        self._found: list[tuple[Floats, Floats, Floats]] = []

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        frames = self._framer.push(finite(block).mean(axis=0, keepdims=True))[0]
        for at in range(0, len(frames), _ROWS):
            self._found.append(self._read(frames[at : at + _ROWS]))

    def track(self) -> PitchTrack:
        """The readings of all that was added."""
        nothing = np.zeros((0, READINGS), np.float32)
        found = self._found or [(nothing, nothing, nothing[:, 0])]
        pitches, strengths, levels_db = (np.concatenate(rows) for rows in zip(*found, strict=True))
        return PitchTrack(step_s=self.step_s, pitches=pitches, strengths=strengths, levels_db=levels_db)

    def _read(self, frames: Samples) -> tuple[Floats, Floats, Floats]:
        power, repeats = self._autocorrelation(frames * self._window)
        heights = self._pruned(repeats) * self._fades
        places, strengths = _highest_peaks(heights)
        hertz = 1 / ((places + self._lags[0]) * self._lag_s)
        pitches = np.where(strengths > 0, _A4 + 12 * np.log2(hertz / _A4_HZ), 0)
        levels_db = 10 * np.log10(power + 1e-10)
        return pitches.astype(np.float32), strengths, levels_db.astype(np.float32)

    def _autocorrelation(self, frames: Samples) -> tuple[Floats, Floats]:
        """Power of each frame, and its autocorrelation from lag 0 on, where it is 1."""
        spectra = np.asarray(rfft(frames, 2 * self._size, axis=1, workers=1))[:, : self._bins]
        power = spectra.real**2 + spectra.imag**2
        power[:, 0] = 0
        repeats = np.asarray(irfft(power**_FLATTENING, self._transform, axis=1, workers=1))
        repeats = repeats[:, : self._lags[-1] + 2]
        # the window spreads a sine's power over 1.5 bins; the doubled transform makes three of them
        return power.sum(axis=1) / 3, repeats / np.maximum(repeats[:, :1], 1e-20)

    def _pruned(self, repeats: Floats) -> Floats:
        positive = np.maximum(repeats, 0)
        heights = repeats[:, self._lags].copy()
        for count in _PRUNED_PERIODS:
            whole, part = np.divmod(self._lags, count)
            share = (part / count).astype(np.float32)
            heights -= _PRUNING * ((1 - share) * positive[:, whole] + share * positive[:, whole + 1])
        return heights


def _highest_peaks(heights: Floats) -> tuple[Floats, Floats]:
    """Places (with fractions) and heights of the four highest local maxima of each row; height 0: no peak."""
    left, inner, right = heights[:, :-2], heights[:, 1:-1], heights[:, 2:]
    peaks = np.where((inner > left) & (inner >= right) & (inner > 0), inner, 0)
    rows = np.arange(len(peaks))[:, None]
    best = np.argpartition(-peaks, READINGS, axis=1)[:, :READINGS]
    best = np.take_along_axis(best, np.argsort(-peaks[rows, best], axis=1), axis=1)
    before, peak, after = (part[rows, best] for part in (left, inner, right))
    bend = np.minimum(before - 2 * peak + after, -1e-9)
    return best + 1 + np.clip(0.5 * (before - after) / bend, -0.5, 0.5), peaks[rows, best]
