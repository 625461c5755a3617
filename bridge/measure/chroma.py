"""How much of each pitch class sounds when, with the tuning found on the way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from bridge.audio import Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import finite

FINE = 10
"""Cells of a semitone: tuning is found in steps of ten cents and less."""
CELLS = 12 * FINE
REGISTERS_HZ = ((40.0, 165.0), (165.0, 2000.0))
"""Bass (E1 to E3) and the chords and voices above."""
SLICE_S = 0.75
"""How fine the key is heard."""
_FRAME_S = 0.186
_QUIETEST_PEAK = 10 ** (-45 / 20)
"""Peaks this far below the largest of their frame are left out."""
_AUDIBLE = 10 ** (-70 / 20)

Chroma = NDArray[np.float64]
"""Shape ``(slices, registers, 12)``, bass first; index 0 is C."""


class ChromaMeter:
    """Spectral peaks of Hann frames (0.19 s, half overlapping), gathered by pitch class in slices.

    After Gomez 2006 (harmonic pitch class profile): a peak's place is interpolated and its weight is the
    square root of its amplitude, so that the loudest instrument does not decide alone. Cells are a tenth of a
    semitone until the end, when the tuning is known. Keeps 0.6 kB a second with slices of 0.75 s, 5 kB with
    slices of a frame each (``slice_s=0``).
    """

    def __init__(self, rate_hz: int, channels: int, slice_s: float = SLICE_S) -> None:
        self._rate_hz = rate_hz
        self._size = frame_size(rate_hz, _FRAME_S)
        self._framer = Framer(1, self._size, self._size // 2)
        self._window = hann(self._size) / np.float32(self._size / 4)
        self._per_slice = max(1, round(slice_s * rate_hz / (self._size // 2)))
        self._slices: list[NDArray[np.float16]] = []
        self._open = np.zeros((len(REGISTERS_HZ), CELLS), np.float32)
        self._frames = 0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        frames = self._framer.push(finite(block).mean(axis=0, keepdims=True))[0]
        if not len(frames):
            return
        magnitude = np.abs(rfft(frames * self._window, axis=1, workers=1))
        registers = [self._gathered(magnitude, low, high) for low, high in REGISTERS_HZ]
        for cells in np.stack(registers, axis=1):
            self._keep(cells)

    @property
    def step_s(self) -> float:
        """From one frame to the next, half a frame: frame k is heard around ``(k + 1) * step_s``."""
        return self._size // 2 / self._rate_hz

    def tuning_cents(self) -> float:
        """How far the song is tuned above (or below) A = 440 Hz, -50 to 50."""
        cells = self._table().sum(axis=(0, 1), dtype=np.float64).reshape(12, FINE).sum(axis=0)
        turn = np.sum(cells * np.exp(2j * np.pi * np.arange(FINE) / FINE))
        return float(np.angle(turn) / (2 * np.pi) * 100) if np.abs(turn) > 0 else 0.0

    def chroma(self, near_cents: float = 0.0) -> Chroma:
        """Pitch classes over time, the tuning taken out.

        Half way between two semitones a sound may count as sharp or as flat; it counts as what is nearer to
        ``near_cents``, so that the parts of a song agree.
        """
        table = self._table()
        own_cents = self.tuning_cents()
        tuning_cents = own_cents + 100 * round((near_cents - own_cents) / 100)
        shift = round(tuning_cents / 100 * FINE)
        # cell 0 is the exact pitch; a semitone reaches half of its cells down
        centred = np.roll(table, FINE // 2 - shift, axis=2)
        classes = centred.reshape(len(table), len(REGISTERS_HZ), 12, FINE)
        return np.asarray(classes.sum(axis=3, dtype=np.float64), np.float64)

    def _table(self) -> NDArray[np.floating]:
        rest = [self._open] if self._frames % self._per_slice else []
        return np.stack([*self._slices, *rest]) if self._slices or rest else self._open[None]

    def _keep(self, cells: NDArray[np.float32]) -> None:
        self._open = self._open + cells
        self._frames += 1
        if self._frames % self._per_slice == 0:
            self._slices.append(self._open.astype(np.float16))
            self._open = np.zeros_like(self._open)

    def _gathered(self, magnitude: NDArray[np.float32], low_hz: float, high_hz: float) -> NDArray[np.float32]:
        """Weights of the peaks between two frequencies by cell, a row for each frame."""
        first = int(low_hz * self._size / self._rate_hz)
        last = min(magnitude.shape[1] - 1, int(high_hz * self._size / self._rate_hz) + 1)
        part = magnitude[:, first - 1 : last + 1]
        rows, columns, offsets, heights = _peaks(part)
        pitch = 12 * np.log2((columns + first + offsets) * self._rate_hz / self._size / 440) + 69
        cells = np.rint(pitch * FINE).astype(np.int64) % CELLS
        counts = np.bincount(rows * CELLS + cells, np.sqrt(heights), minlength=len(part) * CELLS)
        return np.asarray(counts.reshape(len(part), CELLS), np.float32)


def _peaks(
    magnitude: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Row, inner column, interpolated offset (-0.5 to 0.5) and height of local maxima along rows."""
    inner, left, right = magnitude[:, 1:-1], magnitude[:, :-2], magnitude[:, 2:]
    least = np.maximum(magnitude.max(axis=1, keepdims=True) * _QUIETEST_PEAK, _AUDIBLE)
    rows, columns = np.nonzero((inner > left) & (inner >= right) & (inner > least))
    before, peak, after = (np.log(part[rows, columns] + 1e-12) for part in (left, inner, right))
    bend = before - 2 * peak + after
    offsets = np.where(bend < 0, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    return rows, columns, np.clip(offsets, -0.5, 0.5), inner[rows, columns]
