"""What the report draws: a spectrogram and a waveform of fixed size, whatever the length of the song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from scipy.fft import rfft

from bridge.audio import Audio, Samples
from bridge.measure.frames import Columns, Framer, frame_size, hann
from bridge.measure.meter import finite, measure_audio, measure_file, power_db
from bridge.protocols import Progress, no_progress
from bridge.values import Value

SPECTROGRAM_BANDS = 128
SPECTROGRAM_COLUMNS = 600
WAVEFORM_COLUMNS = 800
_LOWEST_HZ, _HIGHEST_HZ = 25.0, 20_000.0
_FRAME_S = 0.093
_FLOOR_DB, _TOP_DB = -100.0, 0.0
_WAVEFORM_STEP = 64


class Spectrogram(Value):
    """Log-frequency spectrogram of low resolution, one byte a cell: 0 is ``floor_db``, 255 is ``top_db``."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    band_hz: tuple[float, ...]
    """Centres of the rows, lowest first."""
    columns: int
    duration_s: float
    floor_db: float
    top_db: float
    cells: bytes
    """Rows one after the other, ``columns`` bytes each."""

    def levels_db(self) -> NDArray[np.float32]:
        """The cells as band powers in dBFS, shape ``(bands, columns)``."""
        steps = np.frombuffer(self.cells, np.uint8).reshape(len(self.band_hz), self.columns)
        return np.asarray(self.floor_db + steps * ((self.top_db - self.floor_db) / 255), np.float32)


class Waveform(Value):
    """The outline of a sound: smallest, largest and effective value of each column, over all channels."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    rms: tuple[float, ...]
    duration_s: float


class SpectrogramMeter:
    """A spectrogram of 128 bands and at most 600 columns; a song shorter than 28 s has fewer."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        size = frame_size(rate_hz, _FRAME_S)
        self._framer = Framer(channels, size, size // 2)
        self._window = hann(size)
        self._centres_hz, self._weights = _band_weights(size, rate_hz)
        self._columns = Columns(np.add, SPECTROGRAM_BANDS + 1, SPECTROGRAM_COLUMNS)
        self._frames = 0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self._frames += block.shape[1]
        frames = self._framer.push(finite(block))
        if not frames.shape[1]:
            return
        spectra = np.asarray(rfft(frames * self._window, axis=2, workers=1))
        power = (spectra.real**2 + spectra.imag**2).mean(axis=0) @ self._weights
        self._columns.extend(np.concatenate([power.T, np.ones((1, len(power)), np.float32)]))

    def result(self) -> Spectrogram:
        """The spectrogram so far; a sound shorter than 93 ms has no columns."""
        table = self._columns.table()
        level = power_db(table[:-1] / table[-1:], _FLOOR_DB)
        steps = np.clip((level - _FLOOR_DB) * 255 / (_TOP_DB - _FLOOR_DB), 0, 255)
        return Spectrogram(
            band_hz=tuple(round(float(hertz), 1) for hertz in self._centres_hz),
            columns=table.shape[1],
            duration_s=self._frames / self._rate_hz,
            floor_db=_FLOOR_DB,
            top_db=_TOP_DB,
            cells=np.rint(steps).astype(np.uint8).tobytes(),
        )


class WaveformMeter:
    """A waveform of at most 800 columns."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._framer = Framer(channels, _WAVEFORM_STEP, _WAVEFORM_STEP)
        self._low = Columns(np.minimum, 1, WAVEFORM_COLUMNS)
        self._high = Columns(np.maximum, 1, WAVEFORM_COLUMNS)
        self._energy = Columns(np.add, 2, WAVEFORM_COLUMNS)
        self._frames = 0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self._frames += block.shape[1]
        self._take(self._framer.push(finite(block)))

    def result(self) -> Waveform:
        """The outline so far; up to 63 samples at the end are left out."""
        energy = self._energy.table()
        return Waveform(
            low=_rounded(self._low.table()[0]),
            high=_rounded(self._high.table()[0]),
            rms=_rounded(np.sqrt(energy[0] / np.maximum(1, energy[1]))),
            duration_s=self._frames / self._rate_hz,
        )

    def _take(self, frames: Samples) -> None:
        if not frames.shape[1]:
            return
        self._low.extend(frames.min(axis=(0, 2))[None])
        self._high.extend(frames.max(axis=(0, 2))[None])
        energy = np.einsum("cnf,cnf->n", frames, frames) / (frames.shape[0] * frames.shape[2])
        self._energy.extend(np.stack([energy, np.ones_like(energy)]))


def draw_spectrogram(path: Path, progress: Progress = no_progress) -> Spectrogram:
    """The spectrogram of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, SpectrogramMeter, progress)


def draw_waveform(path: Path, progress: Progress = no_progress) -> Waveform:
    """The outline of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, WaveformMeter, progress)


def spectrogram_of(audio: Audio) -> Spectrogram:
    """The spectrogram of audio in memory."""
    return measure_audio(audio, SpectrogramMeter)


def waveform_of(audio: Audio) -> Waveform:
    """The outline of audio in memory."""
    return measure_audio(audio, WaveformMeter)


def _band_weights(size: int, rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Centres, and the matrix from bins to band powers; a band narrower than a bin gets its share of it."""
    borders = np.geomspace(_LOWEST_HZ, min(_HIGHEST_HZ, rate_hz / 2), SPECTROGRAM_BANDS + 1)
    edges = (np.arange(size // 2 + 2) - 0.5) * rate_hz / size
    low = np.maximum(borders[None, :-1], edges[:-1, None])
    high = np.minimum(borders[None, 1:], edges[1:, None])
    shares = np.maximum(0, high - low) * size / rate_hz
    scale = 2 / (size * np.sum(hann(size).astype(np.float64) ** 2))
    return np.sqrt(borders[1:] * borders[:-1]), np.asarray(shares * scale, np.float32)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
