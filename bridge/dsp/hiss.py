"""First denoise: finds the hiss that never stops and turns it down, by a few decibels, where it is heard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter, uniform_filter1d

from bridge.audio import Samples, open_audio
from bridge.dsp.processor import Figures, Processor, Wide, amplitude, to_samples
from bridge.dsp.spectral import Analysis, Synthesis, hann_window, window_frames
from bridge.dsp.stream import process_file
from bridge.measure.meter import feed, power_db
from bridge.protocols import Progress, no_progress
from bridge.values import Value

LOWEST_HZ = 300.0
"""Below, what never stops is a bass, a room or a hum: no hiss."""
LEVELS_DBFS = (-90.0, -40.0)
"""What is softer is not heard; what is louder and never stops is taken for music."""
_STRETCH_S = 1.5
_AVERAGED = 6
"""Windows (70 ms) in a mean: a mean forgets a hit at once, where a one-pole would call its own tail hiss."""
_FEWEST = 6
_SILENT_DB = -130.0
"""Mean level of the bins in digital silence, dither and codec residue included."""
_QUIET_FROM, _QUIET_TO = 0.01, 0.06
_STEADY_DB = 1.0
"""From the first to the second quantile of the level over time a floor of hiss rises by less than this."""
_LARGEST_EXCESS = 2.0
"""Power of the quietest moments over their floor: hiss is its own floor, a chord sticks far out of it."""


@dataclass(frozen=True, kw_only=True)
class HissProfile:
    """The power of the hiss in each bin of a short-time spectrum; all zero where there is none."""

    power: Wide
    rate_hz: int
    level_dbfs: float
    """Level of all the hiss together, -144 where there is none."""

    @property
    def is_silent(self) -> bool:
        """Whether no hiss was found."""
        return not self.power.any()


class HissMeter:
    """Finds steady noise in the quietest moments.

    The mean level (in dB) of all bins above 300 Hz over 70 ms hardly moves while there is nothing but hiss,
    since so many bins even each other out; where the quietest twentieth of the time is that even, it is hiss,
    else it is music. The spectrum is the median over the quietest moment of each 1.5 s that reaches that
    floor, a broadband form of minimum statistics (R. Martin, IEEE Trans. SAP 9(5), 2001) without its bias.
    Partials stick out of it: the lower quartile over a third of an octave is taken, and where that is less
    than half of the power, it is a held chord and no hiss.
    Memory grows by 9 kB for 1.5 s.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        size = window_frames(rate_hz)
        self._analysis = Analysis(size, channels, hann_window(size))
        self._first_bin = int(np.ceil(LOWEST_HZ * size / rate_hz))
        self._length = round(_STRETCH_S * rate_hz / self._analysis.hop)
        self._recent = np.zeros((0, size // 2 + 1))
        self._open = np.zeros((0, size // 2 + 1))
        self._levels_db: list[Wide] = []
        self._quietest: list[tuple[float, NDArray[np.float32]]] = []

    def add(self, block: Samples) -> None:
        """The next frames."""
        spectra = self._analysis(block.astype(np.float64))
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=0)
        self._open = np.concatenate([self._open, self._averaged(power)])
        while len(self._open) >= self._length:
            self._gather(self._open[: self._length])
            self._open = self._open[self._length :]

    def result(self) -> HissProfile:
        """The hiss of all that was added; none in less than six stretches (9 s) of sound."""
        none = np.zeros(self._open.shape[1])
        if len(self._quietest) < _FEWEST:
            return self._profile(none)
        floor_db, rise_db = self._floor()
        moments = [power for level, power in self._quietest if abs(level - floor_db) < _STEADY_DB]
        if rise_db > _STEADY_DB or len(moments) < 2:
            return self._profile(none)
        power = np.asarray(np.median(moments, axis=0), np.float64)
        floor = _smooth_floor(power)
        is_noise = power[self._first_bin :].sum() < _LARGEST_EXCESS * floor[self._first_bin :].sum()
        return self._profile(floor if is_noise else none)

    def _averaged(self, power: Wide) -> Wide:
        """Means over neighbouring windows, from the first one that is whole."""
        joined = np.concatenate([self._recent, power])
        self._recent = joined[-(_AVERAGED - 1) :].copy()
        count = max(0, len(joined) - _AVERAGED + 1)
        total = np.zeros((count, joined.shape[1]))
        for late in range(_AVERAGED):
            total += joined[late : late + count]
        return total / _AVERAGED

    def _gather(self, stretch: Wide) -> None:
        """Keep the levels of a stretch, and its quietest moment that is not silent."""
        levels_db = 10 * np.log10(stretch[:, self._first_bin :] / self._analysis.size + 1e-20).mean(axis=1)
        sounding = np.flatnonzero(levels_db > _SILENT_DB)
        if len(sounding):
            self._levels_db.append(levels_db[sounding])
            quietest = sounding[levels_db[sounding].argmin()]
            self._quietest.append((float(levels_db[quietest]), stretch[quietest].astype(np.float32)))

    def _floor(self) -> tuple[float, float]:
        """The level of the quietest moments, and how much it rises within the quietest twentieth."""
        low, high = np.quantile(np.concatenate(self._levels_db), (_QUIET_FROM, _QUIET_TO))
        return float(low), float(high - low)

    def _profile(self, power: Wide) -> HissProfile:
        power[: self._first_bin] = 0
        level_dbfs = float(power_db(_mean_square(power, self._analysis.size)))
        if not LEVELS_DBFS[0] < level_dbfs < LEVELS_DBFS[1]:
            return HissProfile(power=np.zeros_like(power), rate_hz=self._rate_hz, level_dbfs=-144.0)
        return HissProfile(power=power, rate_hz=self._rate_hz, level_dbfs=level_dbfs)


class HissProcessor(Processor):
    """Turns known hiss down by at most ``most_db``, one gain for both channels.

    Wiener gains on the decision-directed a-priori SNR (Ephraim and Malah, IEEE Trans. ASSP 32(6), 1984),
    smoothed over neighbouring bins; the limit on the reduction keeps musical noise below what is left of the
    hiss. Where the gains are 1 the input comes back exactly. Latency: one window (46 ms); without hiss there
    is none, and the input passes bit by bit.
    """

    _MEMORY = 0.98

    def __init__(self, profile: HissProfile, *, most_db: float = 10.0, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._analysis = Analysis(window_frames(rate_hz), channels)
        self._synthesis = Synthesis(self._analysis.size, channels)
        self._hissing = np.flatnonzero(profile.power)
        self.latency_frames = self._analysis.size if len(self._hissing) else 0
        self._noise = profile.power[self._hissing]
        self._least = amplitude(-most_db)
        self._clean_snr = np.zeros(len(self._hissing))
        self._reduction_sum_db = 0.0
        self._windows = 0

    def figures(self) -> Figures:
        """The mean reduction in dB over the bins that hold hiss."""
        return {"mean_reduction_db": round(self._reduction_sum_db / max(1, self._windows), 2)}

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        self._expect_block(block)
        return to_samples(self._work(block.astype(np.float64)))

    def _work(self, x: Wide) -> Wide:
        if not len(self._hissing):
            return x
        spectra = self._analysis(x)
        if spectra.shape[1]:
            power = np.mean(spectra.real**2 + spectra.imag**2, axis=0)
            spectra[:, :, self._hissing] *= self._gains(power[:, self._hissing])
        return self._synthesis(spectra, x.shape[1])

    def _gains(self, power: Wide) -> Wide:
        """Gains of shape ``(windows, hissing bins)``; the SNR of one window helps to tell the next one's."""
        posterior = power / self._noise
        fresh = (1 - self._MEMORY) * np.maximum(posterior - 1, 0)
        gains = np.empty_like(posterior)
        clean = self._clean_snr
        for index, (known, new) in enumerate(zip(posterior, fresh, strict=True)):
            prior = self._MEMORY * clean + new
            gain = prior / (1 + prior)
            clean = gain * gain * known
            gains[index] = gain
        self._clean_snr = clean
        np.maximum(gains, self._least, out=gains)
        gains = uniform_filter1d(gains, 3, axis=1, mode="nearest")
        self._reduction_sum_db -= float((20 * np.log10(gains)).mean(axis=1).sum())
        self._windows += len(gains)
        return np.asarray(gains, np.float64)

    def _is_at_rest(self) -> bool:
        return False


class HissReport(Value):
    """What denoising found and did."""

    level_dbfs: float
    """Level of the hiss that was found, -144 for none."""
    mean_reduction_db: float
    most_db: float


def estimate_hiss(source: Path, *, progress: Progress = no_progress) -> HissProfile:
    """The hiss of a file. Raises AudioError where it cannot be decoded."""
    with open_audio(source) as reader:
        meter = HissMeter(reader.info.rate_hz, reader.info.channels)
        feed(reader, meter, progress=progress)
    return meter.result()


def reduce_hiss(
    source: Path, target: Path, *, most_db: float = 10.0, progress: Progress = no_progress
) -> HissReport:
    """Write ``source`` with its hiss turned down by at most ``most_db`` to ``target``.

    Whether the result is better is for the caller to measure. Where no hiss is found the target equals the
    source, bit by bit. Raises AudioError as ``process_file`` does.
    """
    profile = estimate_hiss(source, progress=lambda share: progress(share * 0.4))

    def make(rate_hz: int, channels: int) -> HissProcessor:
        return HissProcessor(profile, most_db=most_db, rate_hz=rate_hz, channels=channels)

    processor = process_file(source, target, make, progress=lambda share: progress(0.4 + share * 0.6))
    return HissReport(level_dbfs=profile.level_dbfs, most_db=most_db, **processor.figures())


def _smooth_floor(power: Wide) -> Wide:
    """The lower quartile over a third of an octave around each bin, evened out."""
    made = power.copy()
    for width in (9, 33, 129):
        # a third of an octave around bin k is about k / 4 bins wide
        start, end = (width * 4 if width > 9 else 0), width * 16
        lowered = percentile_filter(power, 25, size=width, mode="nearest")
        made[start:end] = uniform_filter1d(lowered, width, mode="nearest")[start:end]
    return made


def _mean_square(power: Wide, size: int) -> float:
    """The mean square of a signal with this one-sided power spectrum under the sine window."""
    return float(2 * power.sum() / (size * size / 2))
