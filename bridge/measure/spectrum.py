"""What a song's spectrum is like on the long run: bands, centroid, flatness, bandwidth, slope."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import uniform_filter1d

from bridge.audio import Audio, Samples
from bridge.measure.frames import Framer, frame_size, hann
from bridge.measure.meter import PEAK_FLOOR_DBFS, finite, measure_audio, measure_file, power_db
from bridge.protocols import Progress, no_progress
from bridge.values import Confidence, Value

LOWEST_HZ = 20.0
BANDS_PER_OCTAVE = 6
_FRAME_S = 0.186
_AUDIBLE_POWER = 1e-8
_DENSITY_FLOOR_DB = -200.0
_FLATNESS_BIAS = float(np.exp(-np.euler_gamma))
"""Mean logarithm of a noise's periodogram: without it white noise would have a flatness of 0.56."""

Power = NDArray[np.float64]


class Spectrum(Value):
    """The long-term average spectrum and what follows from it.

    Bands are 1/6 octave; their levels are powers in dBFS, mean of the channels: all bands add up to the mean
    square of the sound, and a full-scale sine is -3.01 in its band. What is silent has -144 in every band,
    0 Hz everywhere and confidence 0. Confidences grow with the audible time, to 0.8 after 4 s.
    """

    band_hz: tuple[float, ...]
    """Centres of the bands."""
    band_db: tuple[float, ...]
    centroid_hz: float
    """Centre of gravity of the long-term amplitude spectrum: brightness."""
    centroid_confidence: Confidence
    flatness: Confidence
    """0 for tones, 1 for white noise (50 Hz to 16 kHz, mean of frames)."""
    flatness_confidence: Confidence
    bandwidth_hz: float
    """Above this there is nothing but floor: a lossy codec's cut-off, or half the sample rate."""
    bandwidth_confidence: Confidence
    rolloff_hz: float
    """95% of the energy lie below."""
    slope_db_per_octave: float
    """Straight line through the bands from 100 Hz to 10 kHz; pink noise has 0, white noise 3."""

    def balance_db(self, slope_db_per_octave: float = -2.0) -> tuple[float, ...]:
        """Each band over a straight line of that slope with the same mean from 100 Hz to 10 kHz.

        About -2 dB an octave (in bands of constant relative width) is usual for finished music.
        """
        line = slope_db_per_octave * np.log2(np.array(self.band_hz) / 1000)
        over = np.array(self.band_db) - line
        middle = over[_slope_bands(np.array(self.band_hz))]
        return tuple(float(value) for value in over - (middle.mean() if len(middle) else 0.0))


class SpectrumMeter:
    """Long-term average spectrum by Welch's method: Hann frames of about 0.19 s, half overlapping."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._size = frame_size(rate_hz, _FRAME_S)
        self._framer = Framer(channels, self._size, self._size // 2)
        self._window = hann(self._size)
        self._power = np.zeros(self._size // 2 + 1)
        self._flatness = 0.0
        self._frames = 0
        self._audible = 0

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self._take(self._framer.push(finite(block)))

    def result(self) -> Spectrum:
        """The spectrum of all that was added; what is shorter than a frame is filled up with silence."""
        if self._frames == 0 and self._framer.remainder.shape[1]:
            return self._filled_up().result()
        density = self._power / max(1, self._frames)
        confidence = self._confidence
        bandwidth_hz, edge = _bandwidth(density, self._rate_hz)
        bands_hz, bands_db = _bands(density, self._rate_hz)
        return Spectrum(
            band_hz=_rounded(bands_hz, 1),
            band_db=_rounded(bands_db, 2),
            centroid_hz=_centroid_hz(density, self._rate_hz),
            centroid_confidence=confidence,
            flatness=min(1.0, self._flatness / max(1, self._audible)),
            flatness_confidence=confidence,
            bandwidth_hz=bandwidth_hz,
            bandwidth_confidence=confidence * edge,
            rolloff_hz=_rolloff_hz(density, self._rate_hz),
            slope_db_per_octave=_slope(bands_hz, bands_db),
        )

    @property
    def _confidence(self) -> float:
        audible_s = self._audible * self._size / 2 / self._rate_hz
        return audible_s / (audible_s + 1.0)

    def _take(self, frames: Samples) -> None:
        if not frames.shape[1]:
            return
        spectra = np.asarray(rfft(frames * self._window, axis=2, workers=1))
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=0) * _scale(self._window)
        self._power += power.sum(axis=0, dtype=np.float64)
        self._frames += len(power)
        audible = power[power.sum(axis=1) > _AUDIBLE_POWER]
        self._audible += len(audible)
        self._flatness += float(_flatness(audible, self._rate_hz).sum())

    def _filled_up(self) -> SpectrumMeter:
        rest = self._framer.remainder
        meter = SpectrumMeter(self._rate_hz, rest.shape[0])
        # the frame's middle holds the sound, since a Hann window is blind at its ends
        before = (self._size - rest.shape[1]) // 2
        meter._take(np.pad(rest, ((0, 0), (before, self._size - rest.shape[1] - before)))[:, None, :])
        return meter


def measure_spectrum(path: Path, progress: Progress = no_progress) -> Spectrum:
    """The spectrum of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, SpectrumMeter, progress)


def spectrum_of(audio: Audio) -> Spectrum:
    """The spectrum of audio in memory."""
    return measure_audio(audio, SpectrumMeter)


def band_centres_hz(rate_hz: int, lowest_hz: float = LOWEST_HZ) -> Power:
    """Centres of the 1/6-octave bands around 1 kHz (as in IEC 61260-1) that fit below half the rate."""
    low = np.ceil(BANDS_PER_OCTAVE * np.log2(lowest_hz / 1000))
    high = np.floor(BANDS_PER_OCTAVE * np.log2(rate_hz / 2 / 1000) - 0.5)
    return np.asarray(1000 * 2 ** (np.arange(low, high + 1) / BANDS_PER_OCTAVE), np.float64)


def _scale(window: NDArray[np.float32]) -> float:
    """Makes a one-sided spectrum's bins add up to the mean square of the frame."""
    return float(2 / (len(window) * np.sum(window.astype(np.float64) ** 2)))


def _flatness(power: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    hertz = _bin_hz(power.shape[1], rate_hz)
    chosen = power[:, (hertz >= 50) & (hertz <= min(16_000, 0.45 * rate_hz))] + np.float32(1e-20)
    logarithm = np.log(chosen).mean(axis=1)
    return np.asarray(np.exp(logarithm) / chosen.mean(axis=1) / _FLATNESS_BIAS, np.float32)


def _bin_hz(bins: int, rate_hz: int) -> Power:
    return np.linspace(0, rate_hz / 2, bins)


def _bands(density: Power, rate_hz: int) -> tuple[Power, Power]:
    """Band powers, bins shared out where a border cuts them."""
    centres = band_centres_hz(rate_hz)
    half = 2 ** (0.5 / BANDS_PER_OCTAVE)
    width_hz = rate_hz / 2 / (len(density) - 1)
    upto = np.concatenate([[0.0], np.cumsum(density)])
    borders = (np.arange(len(upto)) - 0.5) * width_hz
    power = np.interp(centres * half, borders, upto) - np.interp(centres / half, borders, upto)
    return centres, power_db(power)


def _centroid_hz(density: Power, rate_hz: int) -> float:
    amplitude = np.sqrt(density)
    total = float(amplitude.sum())
    return (
        float(amplitude @ _bin_hz(len(density), rate_hz) / total) if density.sum() > _AUDIBLE_POWER else 0.0
    )


def _rolloff_hz(density: Power, rate_hz: int) -> float:
    upto = np.cumsum(density)
    if upto[-1] <= _AUDIBLE_POWER:
        return 0.0
    return float(_bin_hz(len(density), rate_hz)[np.searchsorted(upto, 0.95 * upto[-1])])


def _slope_bands(centres_hz: Power) -> NDArray[np.bool_]:
    return np.asarray((centres_hz >= 100) & (centres_hz <= 10_000))


def _slope(centres_hz: Power, bands_db: Power) -> float:
    chosen = _slope_bands(centres_hz) & (bands_db > PEAK_FLOOR_DBFS)
    if chosen.sum() < BANDS_PER_OCTAVE:
        return 0.0
    return float(np.polyfit(np.log2(centres_hz[chosen]), bands_db[chosen], 1)[0])


def _bandwidth(density: Power, rate_hz: int) -> tuple[float, float]:
    """The highest frequency with energy, and how sure that is, 0 to 1.

    A codec's cut-off is a cliff: the level falls by 18 dB or more within some 300 Hz and never comes back.
    Without one the spectrum fades, and counts down to 85 dB below its densest place, with half the certainty;
    a spectrum that never gets there fills the whole band.
    """
    if density.sum() <= _AUDIBLE_POWER:
        return 0.0, 0.0
    width_hz = rate_hz / 2 / (len(density) - 1)
    # the filter's running sum leaves rounding errors of either sign next to a loud place
    smooth = np.maximum(uniform_filter1d(density, max(3, round(100 / width_hz))), density.max() * 1e-15)
    level = np.maximum(10 * np.log10(smooth), _DENSITY_FLOOR_DB)
    edge, drop_db = _cliff(level, width_hz)
    if drop_db >= 18:
        return edge * width_hz, min(1.0, drop_db / 36)
    heard = np.flatnonzero(level > level.max() - 85)
    is_full = heard[-1] >= len(level) - 300 / width_hz
    return float(heard[-1] * width_hz), 0.9 if is_full else 0.5


def _cliff(level: Power, width_hz: float) -> tuple[int, float]:
    """The bin after which the level falls most steeply, never to rise again, and by how much."""
    before, gap = max(1, round(600 / width_hz)), max(1, round(150 / width_hz))
    below = uniform_filter1d(level, before, origin=0)
    highest_above = np.maximum.accumulate(level[::-1])[::-1]
    first, last = before + gap, len(level) - gap - 1
    places = np.arange(first, last)
    if not len(places):
        return 0, 0.0
    drops = below[places - gap - before // 2] - highest_above[places + gap]
    best = int(places[np.argmax(drops)])
    return best, float(drops.max())


def _rounded(values: Power, digits: int) -> tuple[float, ...]:
    return tuple(round(float(value), digits) for value in values)
