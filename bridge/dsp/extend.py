"""Bandwidth extension: what a codec or a generator cut off above, made anew from the band below."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import fftconvolve, firwin, kaiser_beta

from bridge.audio import BLOCK_FRAMES, Samples
from bridge.dsp.envelope import AROUND, Bands, levels_above
from bridge.dsp.processor import Wide, amplitude, frames_of
from bridge.dsp.stream import process_file
from bridge.dsp.windows import WindowProcessor
from bridge.measure.cutoff import Cutoff, Levels, Spectra, levels_db, measure_cutoff, sine_window, spectra_of
from bridge.protocols import Progress, no_progress
from bridge.values import Value

LOWEST_HZ, HIGHEST_HZ = 5_000.0, 18_000.0
"""Cut-offs for which the network was fitted."""
TOP_HZ = 20_000.0
"""Above this nobody hears anything."""
_TOP_SHARE = 0.46
"""Of the rate: the slope of any later resampling lies above."""
_HOPS = 32
_CONTEXT_HOPS = AROUND + 2
_SOURCE_SHARE = 0.45
_SOURCE_TOP = 0.965
_EVEN_BINS = 25
_LEAST_SHARE = 0.1
"""Bins far below their surroundings stay so: holes of a codec are not lifted to full level."""
_FADE_DB = (-94.0, -88.0)
"""Bins below this are left out, those above it are whole: 16 bits end at about -105 in this scale."""
_SHAPE_MS = 3.0
_SHAPE_DB = (-30.0, 15.0)
"""How far the shape of a window's time may be bent; a click in a window of 46 ms is 12 dB over its mean."""
_STEEP_HZ = 400.0
_QUIET_FRAMES = 256
"""Samples of digital silence on either side after which the new band is silent too."""


class ExtendProcessor(WindowProcessor):
    """Fills the band above a cut-off, up to 20 kHz, and leaves the rest alone.

    The fine structure is the band below, shifted up in patches of 0.45 of the cut-off (as spectral band
    replication does: Dietz, Liljeryd, Kjoerling, Kunz, AES 112th Convention, 2002), with its magnitudes
    flattened and its phases kept: so attacks stay where they are, and both channels what they are to each
    other. Its level, window by window and in bands of 500 Hz, is told by a network (``envelope``). In the
    slope of the filter that cut it is what is missing there. The input is added as it came. Windows lie on
    a fixed grid; latency 0.8 s. Without a cut-off the input passes bit by bit, at once.
    """

    def __init__(self, cutoff: Cutoff, *, rate_hz: int, channels: int) -> None:
        self._size = 2 * (len(cutoff.mean_db[0]) - 1)
        hop = self._size // 2
        super().__init__(rate_hz=rate_hz, channels=channels, hop=_HOPS * hop, context=_CONTEXT_HOPS * hop)
        top_hz = min(TOP_HZ, _TOP_SHARE * rate_hz)
        self.is_active = LOWEST_HZ <= cutoff.hz <= min(HIGHEST_HZ, top_hz - 1000)
        if not self.is_active:
            self.latency_frames = 0
            return
        self._bands = Bands(cutoff_hz=cutoff.hz, top_hz=top_hz, rate_hz=rate_hz, size=self._size)
        self._mean_below = self._bands.levels_below(cutoff.mean_db)
        per_bin = self._size / rate_hz
        self._bins = np.arange(int(np.ceil(cutoff.hz * per_bin)), int(top_hz * per_bin))
        self._sources = self._bins - _shifts(self._bins, cutoff.hz * per_bin)
        self._source_bins = np.unique(self._sources)
        self._places, self._shares = _between(self._bins / per_bin, self._bands.centres_hz)
        self._bandpass = _bandpass(cutoff.hz, top_hz, rate_hz, hop)

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        if self.is_active:
            return super().process(block)
        self._expect_block(block)
        return block.copy()

    def _stretch(self, window: Wide) -> Wide:
        middle = window[:, self._context : self._context + self._hop]
        if not window.any():
            return middle.copy()
        spectra = spectra_of(window.astype(np.float32), self._size)
        inner = spectra[:, AROUND:-AROUND]
        made = self._added(self._made(spectra), self._bins)
        model = self._added(inner[:, :, self._source_bins], self._source_bins)
        shaped = made * self._shape(model, made)
        margin = (shaped.shape[1] - self._hop) // 2 - len(self._bandpass) // 2
        steep = fftconvolve(
            shaped[:, margin : shaped.shape[1] - margin], self._bandpass[None], "valid", axes=1
        )
        sounding = _sounding(window)[self._context : self._context + self._hop]
        return np.asarray(middle + steep * sounding, np.float64)

    def _made(self, spectra: Spectra) -> Spectra:
        """The new bins of all windows but the outer ones, shape ``(channels, windows, bins)``."""
        told_db = levels_above(levels_db(spectra), self._bands, self._mean_below)[:, AROUND:-AROUND]
        inner = spectra[:, AROUND:-AROUND]
        level_db = told_db[:, :, self._places] * (1 - self._shares)
        level_db += told_db[:, :, self._places + 1] * self._shares
        wanted = _amplitudes(level_db)
        there = inner[:, :, self._bins]
        missing = np.sqrt(np.maximum(0, wanted**2 - there.real**2 - there.imag**2))
        return np.asarray(_flattened(inner[:, :, self._sources]) * missing, np.complex64)

    def _added(self, spectra: Spectra, bins: NDArray[np.intp]) -> NDArray[np.float32]:
        """The windows of some bins, added up: the middle's frames and a hop on either side."""
        channels, count, _ = spectra.shape
        hop = self._size // 2
        whole = np.zeros((channels, count, self._size // 2 + 1), np.complex64)
        # spectra_of gives a full-scale sine 1: back to sums over the window
        whole[:, :, bins] = spectra * np.float32(sine_window(self._size).sum() / 2)
        windows = irfft(whole, self._size, axis=2, workers=1) * _steep_window(self._size)
        joined = windows[:, :-1, hop:] + windows[:, 1:, :hop]
        return np.asarray(joined.reshape(channels, -1), np.float32)

    def _shape(self, model: Samples, made: Samples) -> Samples:
        """Gains that give ``made`` the course over time, within a window, that ``model`` has."""
        short, long = frames_of(_SHAPE_MS, self.rate_hz), self._size
        wanted, found = (_course(part, short) / _course(part, long) for part in (model, made))
        low, high = (amplitude(2 * level_db) for level_db in _SHAPE_DB)
        return np.asarray(np.sqrt(np.clip(wanted / found, low, high)), np.float32)


class ExtendReport(Value):
    """What was found and done."""

    cutoff_hz: float
    """0 where the sound is not cut off, and passed as it was."""
    is_extended: bool


def extend_bandwidth(
    source: Path, target: Path, *, block_frames: int = BLOCK_FRAMES, progress: Progress = no_progress
) -> ExtendReport:
    """Write ``source`` with the band above its cut-off made anew to ``target``.

    Whether the result is better is for the caller to measure. Where there is no cut-off the target holds the
    same samples. Raises AudioError as ``process_file`` does.
    """
    cutoff = measure_cutoff(source, lambda share: progress(share * 0.4))

    def make(rate_hz: int, channels: int) -> ExtendProcessor:
        return ExtendProcessor(cutoff, rate_hz=rate_hz, channels=channels)

    processor = process_file(
        source, target, make, block_frames=block_frames, progress=lambda share: progress(0.4 + share * 0.6)
    )
    return ExtendReport(cutoff_hz=round(cutoff.hz, 1), is_extended=processor.is_active)


def _course(samples: Samples, frames: int) -> Samples:
    """Power over time, smoothed; never 0."""
    smooth = uniform_filter1d(np.square(samples), frames, axis=1, mode="nearest")
    return np.asarray(np.maximum(smooth, 0) + np.float32(1e-14), np.float32)


def _bandpass(cutoff_hz: float, top_hz: float, rate_hz: int, longest: int) -> Samples:
    """A linear-phase filter that keeps the new band: bending gains over time widens it. 100 dB steep."""
    taps = min(longest - 1, round((100 - 7.95) / (2.285 * 2 * np.pi * _STEEP_HZ / rate_hz))) | 1
    band = (cutoff_hz - _STEEP_HZ / 4, top_hz + _STEEP_HZ / 2)
    made = firwin(taps, band, window=("kaiser", kaiser_beta(100)), pass_zero=False, fs=rate_hz)
    return np.asarray(made, np.float32)


@cache
def _steep_window(size: int) -> NDArray[np.float32]:
    """Vorbis I, 4.3.1: halves add up in power, and nothing leaks to far bins, so none below the cut-off."""
    return np.asarray(np.sin(np.pi / 2 * sine_window(size) ** 2), np.float32)


def _shifts(bins: NDArray[np.intp], cutoff_bin: float) -> NDArray[np.intp]:
    """By how many bins each is above the one that it is made of: even numbers, for half a window's phase."""
    width = int(_SOURCE_SHARE * cutoff_bin) // 2 * 2
    first = int(_SOURCE_TOP * cutoff_bin)
    return np.asarray(((bins - first) // width + 1) * width, np.intp)


def _between(hertz: Wide, centres_hz: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each frequency the band before it, and the share of the one after."""
    if len(centres_hz) == 1:
        centres_hz = np.append(centres_hz, centres_hz + 1)
    places = np.clip(np.searchsorted(centres_hz, hertz) - 1, 0, len(centres_hz) - 2)
    shares = (hertz - centres_hz[places]) / (centres_hz[places + 1] - centres_hz[places])
    return places, np.clip(shares, 0, 1).astype(np.float32)


def _amplitudes(level_db: Levels) -> Levels:
    """What is too soft to be heard fades out."""
    low, high = _FADE_DB
    gain = np.clip((level_db - low) / (high - low), 0, 1)
    return np.asarray(gain * np.exp(level_db * np.float32(np.log(10) / 20)), np.float32)


def _flattened(spectra: Spectra) -> Spectra:
    """The phases, with magnitudes of 1 but for bins far below their surroundings."""
    magnitude = np.abs(spectra)
    around = uniform_filter1d(magnitude, _EVEN_BINS, axis=2)
    return np.asarray(
        spectra / np.maximum(magnitude, _LEAST_SHARE * around + np.float32(1e-12)), np.complex64
    )


def _sounding(window: Wide) -> NDArray[np.float32]:
    """0 within digital silence, 1 elsewhere: no echo before or behind a sound."""
    level = np.abs(window).max(axis=0)
    if level.all():
        return np.ones(len(level), np.float32)
    return np.asarray(maximum_filter1d(level, 2 * _QUIET_FRAMES + 1) > 0, np.float32)
