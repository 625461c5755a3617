"""Tempo: autocorrelation of onset envelopes, and a small learned model that decides between octaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import gaussian_filter1d

from bridge.audio import Audio, Samples
from bridge.measure.meter import measure_audio, measure_file
from bridge.measure.models import TEMPO_WEIGHTS, shares
from bridge.measure.onsets import Envelopes, OnsetMeter
from bridge.protocols import Progress, no_progress
from bridge.values import Confidence, Value

SLOWEST_BPM, FASTEST_BPM = 46.0, 215.0
SHORTEST_S = 4.0
RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4)
"""Multiples of a candidate's beat at which the autocorrelations are looked up."""
_USUAL_BPM = 110.0
_LONGEST_LAG_S = 10.0
_CANDIDATES = 14
_SAME_TEMPO = 0.04
_NOISE_CLARITY, _CLEAR = 0.05, 0.2
"""Height of the comb of beats in noise (0.01) and in music (0.2 to 0.6; 99 composed songs of 100)."""

Table = NDArray[np.float64]


class Rhythm(Value):
    """The tempo. Silence, noise and what is shorter than 4 s have confidence 0; a tempo of 0 is none.

    A song whose tempo changes has the tempo that holds longest.
    """

    tempo_bpm: float
    """Beats a minute; the beat is a quarter in x/4 and a dotted quarter in 6/8."""
    confidence: Confidence
    """0.8 and more: sure, the octave included."""
    other_bpm: tuple[float, ...] = ()
    """The next best readings, best first: often half or double."""


class RhythmMeter:
    """Tempo in one pass: onset envelopes while it runs, the decision at the end."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._onsets = OnsetMeter(rate_hz, channels)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self._onsets.add(block)

    def result(self) -> Rhythm:
        """The tempo of all that was added."""
        return tempo_from(self._onsets.envelopes(), self._onsets.step_s)


def measure_rhythm(path: Path, progress: Progress = no_progress) -> Rhythm:
    """The tempo of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, RhythmMeter, progress)


def rhythm_of(audio: Audio) -> Rhythm:
    """The tempo of audio in memory."""
    return measure_audio(audio, RhythmMeter)


def tempo_from(envelopes: Envelopes, step_s: float) -> Rhythm:
    """The tempo of onset envelopes of shape ``(3, steps)``."""
    if envelopes.shape[1] * step_s < SHORTEST_S or not envelopes.any():
        return Rhythm(tempo_bpm=0.0, confidence=0.0)
    table = autocorrelations(envelopes, step_s)
    lags, clarity = candidates(table, step_s)
    if not len(lags):
        return Rhythm(tempo_bpm=0.0, confidence=0.0)
    chances = shares(features(table, lags, step_s) @ np.array(TEMPO_WEIGHTS))
    return _decided(60 / step_s / refined(table[4], lags), chances, float(clarity.max()))


def autocorrelations(envelopes: Envelopes, step_s: float) -> Table:
    """Autocorrelation of each group, low against middle, and that of the sum: shape ``(5, lags)``."""
    steps = envelopes.shape[1]
    lags = min(steps, round(_LONGEST_LAG_S / step_s))
    centred = envelopes.astype(np.float64) - envelopes.mean(axis=1, keepdims=True)
    size = next_fast_len(steps + lags)
    spectra = np.asarray(rfft(centred, size, axis=1))
    everything = spectra.sum(axis=0)
    low, middle, high = spectra
    pairs = ((low, low), (middle, middle), (high, high), (low, middle), (everything, everything))
    rows = [_correlation(one, other, size)[:lags] / (steps - np.arange(lags)) for one, other in pairs]
    power = np.array([row[0] for row in rows])
    power[3] = np.sqrt(power[0] * power[1])
    return np.asarray(gaussian_filter1d(np.stack(rows) / (power[:, None] + 1e-9), 1.5, axis=1), np.float64)


def candidates(table: Table, step_s: float) -> tuple[Table, Table]:
    """Beat lengths in steps whose first four multiples repeat best, and how well they do."""
    lags = np.geomspace(60 / FASTEST_BPM / step_s, 60 / SLOWEST_BPM / step_s, 600)
    comb = np.mean([_at(table[4:], lags * count)[0] for count in (1, 2, 3, 4)], axis=0)
    peaks = np.flatnonzero((comb[1:-1] >= comb[:-2]) & (comb[1:-1] > comb[2:])) + 1
    best = peaks[np.argsort(comb[peaks])[::-1][:_CANDIDATES]]
    return lags[best], comb[best]


def refined(row: Table, lags: Table) -> Table:
    """The same beat lengths, sharper: over ten seconds of beats an error adds up until it shows."""
    near = np.linspace(0.992, 1.008, 161)
    sharper = []
    for lag in lags:
        counts = np.arange(1, max(2, int(len(row) / lag / near[-1])))
        comb = (
            _at(row[None], np.outer(counts, lag * near).reshape(-1))[0].reshape(len(counts), -1).mean(axis=0)
        )
        sharper.append(lag * near[int(np.argmax(comb))])
    return np.array(sharper)


def features(table: Table, lags: Table, step_s: float) -> Table:
    """What the model knows about each candidate: how usual it is, and what repeats at its multiples."""
    octaves = np.log2(60 / step_s / lags / _USUAL_BPM)
    looked_up = _at(table, np.outer(lags, RATIOS).reshape(-1)).reshape(len(table), len(lags), len(RATIOS))
    flat = np.moveaxis(looked_up, 1, 0).reshape(len(lags), -1)
    return np.concatenate([octaves[:, None], octaves[:, None] ** 2, flat], axis=1)


def _decided(tempos_bpm: Table, chances: Table, clarity: float) -> Rhythm:
    best = int(np.argmax(chances))
    same = np.abs(tempos_bpm / tempos_bpm[best] - 1) < _SAME_TEMPO
    clear = float(np.clip((clarity - _NOISE_CLARITY) / (_CLEAR - _NOISE_CLARITY), 0, 1))
    rest = [index for index in np.argsort(chances)[::-1] if not same[index]]
    return Rhythm(
        tempo_bpm=round(float(tempos_bpm[best]), 2),
        confidence=clear * min(1.0, float(chances[same].sum())),
        other_bpm=tuple(round(float(tempos_bpm[index]), 2) for index in rest[:2]),
    )


def _correlation(one: NDArray[np.complex128], other: NDArray[np.complex128], size: int) -> Table:
    """Mean of the correlations to either side, from spectra of ``size`` steps, odd or even."""
    return np.asarray(irfft((one * np.conj(other)).real, size), np.float64)


def _at(table: Table, lags: Table) -> Table:
    """Rows of the table at fractional lags; 0 beyond its end."""
    places = np.arange(table.shape[1])
    return np.stack([np.interp(lags, places, row, right=0.0) for row in table])
