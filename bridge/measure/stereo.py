"""The stereo picture: correlation, width, balance, and the offset of each channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from bridge.audio import Audio, Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import finite, measure_audio, measure_file
from bridge.protocols import Progress, no_progress
from bridge.values import Value

WIDEST = 10.0
"""Upper end of the width: a sound without any middle has it."""
MOST_BALANCE_DB = 60.0
BAND_BORDERS_HZ = (20.0, 150.0, 500.0, 2000.0, 6000.0, 20_000.0)
_FRAME_S = 0.093
_WINDOW_FRAMES = 4
_AUDIBLE_POWER = 1e-6

Sums = NDArray[np.float64]
"""Left power, right power, product: the last axis has these three."""


class StereoBand(Value):
    """The stereo picture of one band; what is silent counts as mono."""

    low_hz: float
    high_hz: float
    correlation: float
    width: float


class Stereo(Value):
    """The stereo picture. Mono and silence have correlation 1, width 0 and balance 0."""

    correlation: float
    """Between left and right: 1 mono, 0 unrelated, -1 opposite."""
    lowest_correlation: float
    """The smallest over windows of about 0.4 s that are louder than -60 dBFS."""
    width: float
    """Level of side over middle: 0 mono, 1 unrelated channels, 10 at most, with nothing in the middle."""
    balance_db: float
    """Right over left, -60 to 60."""
    dc_offsets: tuple[float, ...]
    """Mean of each channel, 1 is full scale."""
    bands: tuple[StereoBand, ...]


class StereoMeter:
    """Correlation, width and balance, over all and by bands, in one pass."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._channels = rate_hz, channels
        size = frame_size(rate_hz, _FRAME_S)
        self._framer = Framer(channels, size, size)
        self._windows = Framer(3, _WINDOW_FRAMES, _WINDOW_FRAMES)
        self._window = hann(size)
        self._frames = 0
        self._offsets = np.zeros(channels)
        self._sums = np.zeros(3)
        self._band_sums = np.zeros((len(BAND_BORDERS_HZ) - 1, 3))
        self._lowest = 1.0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        sane = finite(block)
        self._frames += sane.shape[1]
        self._offsets += sane.sum(axis=1, dtype=np.float64)
        if self._channels == 2 and sane.shape[1]:
            self._sums += _power_sums(sane[0], sane[1])
            self._take(self._framer.push(sane))

    def result(self) -> Stereo:
        """The picture of all that was added. Windows and bands leave out up to 93 ms at the end."""
        return Stereo(
            correlation=_correlation(self._sums),
            lowest_correlation=min(self._lowest, _correlation(self._sums)),
            width=_width(self._sums),
            balance_db=_balance_db(self._sums),
            dc_offsets=tuple(float(offset) for offset in self._offsets / max(1, self._frames)),
            bands=tuple(self._band(number) for number in range(len(self._band_sums))),
        )

    def _band(self, number: int) -> StereoBand:
        sums = self._band_sums[number]
        return StereoBand(
            low_hz=BAND_BORDERS_HZ[number],
            high_hz=BAND_BORDERS_HZ[number + 1],
            correlation=_correlation(sums),
            width=_width(sums),
        )

    def _take(self, frames: Samples) -> None:
        if not frames.shape[1]:
            return
        left, right = frames
        self._take_windows(np.stack([_rows_dot(left, left), _rows_dot(right, right), _rows_dot(left, right)]))
        spectra = np.asarray(rfft(frames * self._window, axis=2, workers=1))
        self._band_sums += _band_sums(spectra, self._rate_hz)

    def _take_windows(self, sums: NDArray[np.float32]) -> None:
        windows = self._windows.push(sums).sum(axis=2).T.astype(np.float64)
        power = (windows[:, 0] + windows[:, 1]) / (_WINDOW_FRAMES * self._framer.size)
        for window in windows[power > _AUDIBLE_POWER]:
            self._lowest = min(self._lowest, _correlation(window))


def measure_stereo(path: Path, progress: Progress = no_progress) -> Stereo:
    """The stereo picture of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, StereoMeter, progress)


def stereo_of(audio: Audio) -> Stereo:
    """The stereo picture of audio in memory."""
    return measure_audio(audio, StereoMeter)


def _power_sums(left: NDArray[np.float32], right: NDArray[np.float32]) -> Sums:
    return np.array([np.dot(left, left), np.dot(right, right), np.dot(left, right)], np.float64)


def _rows_dot(one: Samples, other: Samples) -> NDArray[np.float32]:
    return np.asarray(np.einsum("nf,nf->n", one, other), np.float32)


def _band_sums(spectra: NDArray[np.complex64], rate_hz: int) -> Sums:
    left, right = spectra
    product = np.stack(
        [
            (left.real**2 + left.imag**2).sum(axis=0),
            (right.real**2 + right.imag**2).sum(axis=0),
            (left.real * right.real + left.imag * right.imag).sum(axis=0),
        ],
        axis=1,
    )
    bins = np.array(BAND_BORDERS_HZ) * (2 * (product.shape[0] - 1)) / rate_hz
    edges = np.clip(np.ceil(bins), 0, product.shape[0]).astype(int)
    upto = np.concatenate([np.zeros((1, 3)), np.cumsum(product, axis=0, dtype=np.float64)])
    return np.asarray(np.diff(upto[edges], axis=0), np.float64)


def _correlation(sums: Sums) -> float:
    left, right, product = (float(value) for value in sums)
    if left <= 0 and right <= 0:
        return 1.0
    scale = float(np.sqrt(left * right))
    return max(-1.0, min(1.0, product / scale)) if scale > 0 else 0.0


def _width(sums: Sums) -> float:
    left, right, product = (float(value) for value in sums)
    middle, side = max(0.0, left + right + 2 * product), max(0.0, left + right - 2 * product)
    if side <= 1e-9 * middle or left + right <= 0:
        return 0.0
    return min(WIDEST, float(np.sqrt(side / middle))) if middle > 0 else WIDEST


def _balance_db(sums: Sums) -> float:
    left, right = float(sums[0]), float(sums[1])
    if left <= 0 and right <= 0:
        return 0.0
    if left <= 0 or right <= 0:
        return MOST_BALANCE_DB if left <= 0 else -MOST_BALANCE_DB
    return float(np.clip(10 * np.log10(right / left), -MOST_BALANCE_DB, MOST_BALANCE_DB))
