"""Loudness by ITU-R BS.1770-5, loudness range by EBU Tech 3342, and the peaks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from bridge.audio import Audio, Samples
from bridge.errors import AudioError
from bridge.measure.meter import finite, level_db, measure_audio, measure_file
from bridge.measure.truepeak import TruePeakMeter
from bridge.protocols import Progress, no_progress
from bridge.values import Value

LOUDNESS_FLOOR_LUFS = -70.0
"""The absolute gate; anything quieter, silence too, is reported as this."""
STEP_S = 0.1
"""Distance of gating blocks: 400 ms blocks with 75% overlap."""
_MOMENTARY_STEPS = 4
_SHORT_TERM_STEPS = 30
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_TINY = 1e-30

Steps = NDArray[np.float64]


class Loudness(Value):
    """How loud something is.

    Loudness below -70 LUFS, silence too, is given as -70; peaks below -144 dBFS as -144.
    """

    integrated_lufs: float
    range_lu: float
    momentary_max_lufs: float
    short_term_max_lufs: float
    sample_peak_dbfs: float
    true_peak_dbtp: float

    @property
    def peak_to_loudness_lu(self) -> float:
        """PLR: true peak over integrated loudness."""
        return self.true_peak_dbtp - self.integrated_lufs

    @property
    def is_silent(self) -> bool:
        """Whether nothing passes the absolute gate."""
        return self.integrated_lufs <= LOUDNESS_FLOOR_LUFS


class LoudnessCurve(Value):
    """Loudness over time: value k belongs to the window that ends at ``start_s + k * step_s``."""

    start_s: float
    step_s: float
    lufs: tuple[float, ...]


class LoudnessMeter:
    """Integrated loudness, loudness range, momentary and short-term loudness and peaks, in one pass.

    Takes 8 to 192 kHz. Mono counts as one channel (annex 1), so the same sound on two channels is 3 dB
    louder; more than two need their ``weights`` (table 4: 1, and 1.41 for surrounds), else it is an
    AudioError. What is shorter than a window (400 ms, 3 s) is measured as one window of its own length, and
    then has no range; a last step that is not whole (< 100 ms) is left out, as the standard does.
    """

    def __init__(self, rate_hz: int, channels: int, weights: Sequence[float] = ()) -> None:
        self._weights = _channel_weights(channels, weights)
        self._rate_hz = rate_hz
        self._sections = k_weighting(rate_hz)
        self._state = np.zeros((len(self._sections), channels, 2))
        self._steps: list[float] = []
        self._open_energy = 0.0
        self._frames = 0
        self._peaks = TruePeakMeter(rate_hz, channels)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        if not block.shape[1]:
            return
        sane = finite(block)
        self._peaks.add(sane)
        self._gather(self._weighted_energy(sane))

    def result(self) -> Loudness:
        """The loudness of all that was added; silence is at the floors."""
        momentary, short_term = self._windows(_MOMENTARY_STEPS), self._windows(_SHORT_TERM_STEPS)
        return Loudness(
            integrated_lufs=_lufs(_gated_power(momentary)),
            range_lu=_range_lu(short_term) if len(self._steps) > _SHORT_TERM_STEPS else 0.0,
            momentary_max_lufs=_lufs(float(momentary.max())),
            short_term_max_lufs=_lufs(float(short_term.max())),
            sample_peak_dbfs=level_db(self._peaks.sample_peak),
            true_peak_dbtp=level_db(self._peaks.peak),
        )

    def short_term(self) -> LoudnessCurve:
        """Short-term loudness (3 s windows) every 100 ms; one value where there is less than 3 s."""
        return self._curve(_SHORT_TERM_STEPS)

    def momentary(self) -> LoudnessCurve:
        """Momentary loudness (400 ms windows) every 100 ms; one value where there is less than 400 ms."""
        return self._curve(_MOMENTARY_STEPS)

    def _curve(self, steps: int) -> LoudnessCurve:
        lufs = tuple(round(_lufs(power), 2) for power in self._windows(steps))
        return LoudnessCurve(
            start_s=min(steps * STEP_S, self._frames / self._rate_hz), step_s=STEP_S, lufs=lufs
        )

    def _weighted_energy(self, block: Samples) -> Steps:
        """Squares of the K-weighted signal, summed over channels (annex 1, eq. 1, 2)."""
        from scipy.signal import sosfilt

        weighted, self._state = sosfilt(self._sections, block.astype(np.float64), axis=1, zi=self._state)
        # a filter that rings out into silence ends in denormal numbers, which are slow
        self._state[np.abs(self._state) < _TINY] = 0.0
        return np.asarray(np.einsum("c,cf,cf->f", self._weights, weighted, weighted), np.float64)

    def _gather(self, energy: Steps) -> None:
        """Sum the energy by steps of 100 ms, over the borders of blocks."""
        start = self._frames
        self._frames += len(energy)
        first, last = self._step_at(start), self._step_at(self._frames)
        borders = np.array([self._border(step + 1) - start for step in range(first, last)], np.int64)
        sums = [float(part.sum()) for part in np.split(energy, borders)]
        sums[0] += self._open_energy
        self._open_energy = sums.pop()
        self._steps.extend(sums)

    def _border(self, step: int) -> int:
        return -(-step * self._rate_hz // 10)

    def _step_at(self, frame: int) -> int:
        """How many steps end at or before a frame."""
        return frame * 10 // self._rate_hz

    def _windows(self, steps: int) -> Steps:
        """Mean power of every window of ``steps`` steps; one window of all there is where there is less."""
        if len(self._steps) < steps:
            return np.array([(sum(self._steps) + self._open_energy) / max(1, self._frames)])
        sums = sliding_window_view(np.array(self._steps), steps).sum(axis=1)
        borders = np.array([self._border(step) for step in range(len(self._steps) + 1)])
        return np.asarray(sums / (borders[steps:] - borders[:-steps]), np.float64)


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """The K-weighting (annex 1, figures 2 and 4) at any rate, as two second-order sections.

    The standard gives coefficients for 48 kHz alone. These are the bilinear transform of the analog
    prototype behind them: a shelf of 4 dB at 1,682 Hz and a high-pass at 38 Hz.
    """
    return np.array([_head_shelf(rate_hz), _low_cut(rate_hz)])


def _head_shelf(rate_hz: int) -> list[float]:
    corner = np.tan(np.pi * 1681.974450955533 / rate_hz)
    quality, gain = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    middle = gain**0.4996667741545416
    scale = 1 + corner / quality + corner**2
    return [
        (gain + middle * corner / quality + corner**2) / scale,
        2 * (corner**2 - gain) / scale,
        (gain - middle * corner / quality + corner**2) / scale,
        1.0,
        2 * (corner**2 - 1) / scale,
        (1 - corner / quality + corner**2) / scale,
    ]


def _low_cut(rate_hz: int) -> list[float]:
    corner = np.tan(np.pi * 38.13547087602444 / rate_hz)
    quality = 0.5003270373238773
    scale = 1 + corner / quality + corner**2
    # the standard's numerator is 1, -2, 1 at 48 kHz, not scaled to 0 dB; so it is at every rate
    return [1.0, -2.0, 1.0, 1.0, 2 * (corner**2 - 1) / scale, (1 - corner / quality + corner**2) / scale]


def measure_loudness(path: Path, progress: Progress = no_progress) -> Loudness:
    """The loudness of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, LoudnessMeter, progress)


def loudness_of(audio: Audio) -> Loudness:
    """The loudness of audio in memory.

    >>> import numpy as np
    >>> loudness_of(Audio(samples=np.zeros((2, 48_000), np.float32), rate_hz=48_000)).integrated_lufs
    -70.0
    """
    return measure_audio(audio, LoudnessMeter)


def _lufs(power: float) -> float:
    if power <= 0:
        return LOUDNESS_FLOOR_LUFS
    return max(LOUDNESS_FLOOR_LUFS, float(-0.691 + 10 * np.log10(power)))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def _gated_power(blocks: Steps) -> float:
    """Annex 1, eq. 4 to 7: the mean of the blocks above both gates."""
    audible = blocks[blocks > _power(LOUDNESS_FLOOR_LUFS)]
    if not len(audible):
        return 0.0
    gate = audible.mean() * 10 ** (_RELATIVE_GATE_LU / 10)
    return float(audible[audible > gate].mean())


def _range_lu(blocks: Steps) -> float:
    """Tech 3342: from the 10th to the 95th percentile of short-term loudness above both gates."""
    audible = blocks[blocks > _power(LOUDNESS_FLOOR_LUFS)]
    if not len(audible):
        return 0.0
    gate = audible.mean() * 10 ** (_RANGE_GATE_LU / 10)
    low, high = np.quantile(audible[audible >= gate], (0.10, 0.95), method="nearest")
    return float(10 * np.log10(high / low))


def _channel_weights(channels: int, weights: Sequence[float]) -> Steps:
    if channels > 2 and len(weights) != channels:
        raise AudioError(
            f"Found {channels} channels and {len(weights)} weights; loudness needs 1 or 2 channels, or a "
            "weight for each. Fold to stereo first (fold_to_stereo)."
        )
    return np.array(weights or (1.0,) * channels, np.float64)
