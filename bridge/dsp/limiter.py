"""The true-peak limiter, as a processor and for whole files."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from bridge.dsp.envelopes import (
    Delay,
    FallingMaximum,
    ReductionMeter,
    Smoother,
    gain_of,
    sliding_maximum,
)
from bridge.dsp.oversample import TAPS, peaks_between
from bridge.dsp.processor import Figures, Processor, Wide, amplitude, frames_of
from bridge.dsp.stream import process_file
from bridge.measure.loudness import Loudness, measure_loudness
from bridge.protocols import Progress, no_progress
from bridge.values import SampleFormat, Value

_TIGHTER_DB = 0.01
BUSY_SHARE = 0.01
"""The share of the time that stray peaks may take."""


class LimiterProcessor(Processor):
    """A look-ahead limiter for the waveform between the samples, one gain for both channels.

    Peaks are looked for at 8 times the rate (4 times from 100 kHz on). The reduction
    that one needs is held over the look-ahead, falls with the release, and is smoothed by two moving averages
    that together are as long as the look-ahead: the whole reduction is there when the peak comes, without a
    step. A slow second release keeps most of what is reduced all the time, so that dense material is not
    modulated. Latency: the look-ahead (3 ms) and 16 frames.
    """

    _MARGIN_DB = 0.02
    """What points between those looked at, and the moving gain itself, can add."""
    _LOOKAHEAD_MS = 3.0
    _SLOW_TIMES = 10.0
    _SLOW_SHARE = 0.8

    def __init__(
        self,
        *,
        ceiling_dbtp: float,
        gain_db: float = 0.0,
        release_ms: float = 100.0,
        rate_hz: int,
        channels: int,
    ) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._input = amplitude(gain_db)
        self._ceiling = amplitude(ceiling_dbtp - self._MARGIN_DB)
        self._factor = 8 if rate_hz < 100_000 else 4
        half = max(4, frames_of(self._LOOKAHEAD_MS / 2, rate_hz))
        self._average = (_MovingAverage(half), _MovingAverage(half))
        self._window = 2 * half - 1
        self._held = np.zeros(self._window - 1)
        self._seen = np.zeros((channels, TAPS), np.float32)
        self.latency_frames = self._window - 1 + TAPS // 2
        self._delay = Delay(self.latency_frames, channels)
        release = release_ms * rate_hz / 1000
        self._fast = FallingMaximum(release)
        self._slow = Smoother(release * self._SLOW_TIMES)
        self.meter = ReductionMeter()

    def figures(self) -> Figures:
        """Largest and mean gain reduction in dB, and what it exceeds for a hundredth of the time."""
        return self.meter.figures() | {"busy_gain_reduction_db": round(self.meter.exceeded_db(BUSY_SHARE), 2)}

    def _work(self, x: Wide) -> Wide:
        x *= self._input
        peaks = self._peaks(x)
        reduction = self._smoothed(self._released(self._wanted(peaks)))
        self.meter.add(reduction, peaks)
        return self._delay(x) * gain_of(reduction)

    def _peaks(self, x: Wide) -> Wide:
        """The linked true peak around each frame, late by half the taps; shape ``(frames,)``."""
        joined = np.concatenate([self._seen, x.astype(np.float32)], axis=1)
        self._seen = joined[:, -TAPS:].copy()
        gaps = peaks_between(joined, self._factor)
        samples = np.abs(joined[:, TAPS // 2 : TAPS // 2 + x.shape[1]])
        around = np.maximum(np.maximum(gaps[:, :-1], gaps[:, 1:]), samples)
        return np.asarray(around.max(axis=0), np.float64)

    def _wanted(self, peaks: Wide) -> Wide:
        """The reduction in dB that each frame needs, held over the look-ahead."""
        over = np.maximum(peaks / self._ceiling, 1.0)
        needed = 20 * np.log10(over)
        joined = np.concatenate([self._held, needed])
        self._held = joined[-(self._window - 1) :].copy()
        return sliding_maximum(joined, self._window)

    def _released(self, wanted: Wide) -> Wide:
        fast = self._fast(wanted)
        return np.maximum(fast, self._SLOW_SHARE * self._slow(fast))

    def _smoothed(self, reduction: Wide) -> Wide:
        for average in self._average:
            reduction = average(reduction)
        return reduction

    def _is_at_rest(self) -> bool:
        empty = not self._seen.any() and not self._held.any() and self._delay.is_at_rest
        return empty and self._fast.is_at_rest and self._slow.is_at_rest


class LimitReport(Value):
    """What the limiter did to a file, and what a meter found in the result."""

    ceiling_dbtp: float
    loudness: Loudness
    """Of the written file, by ITU-R BS.1770-5; its true peak by annex 2."""
    gain_db: float
    max_gain_reduction_db: float
    mean_gain_reduction_db: float
    busy_gain_reduction_db: float
    """What the reduction exceeds for a hundredth of the time: stray peaks do not count."""
    passes: int

    @property
    def true_peak_dbtp(self) -> float:
        """Of the written file; -144 for silence."""
        return self.loudness.true_peak_dbtp

    @property
    def is_kept(self) -> bool:
        """Whether the ceiling was kept."""
        return self.true_peak_dbtp <= self.ceiling_dbtp


def limit_file(
    source: Path,
    target: Path,
    *,
    ceiling_dbtp: float,
    gain_db: float = 0.0,
    release_ms: float = 100.0,
    sample_format: SampleFormat = SampleFormat.FLOAT32,
    passes: int = 4,
    progress: Progress = no_progress,
) -> LimitReport:
    """Raise ``source`` by ``gain_db``, limit it to ``ceiling_dbtp`` and write it to ``target``.

    The written file is measured; where it passes the ceiling, the limiter aims lower by the excess and
    0.01 dB and runs again, at most ``passes`` times. The report says whether the ceiling was kept. Rate,
    channels and length stay; silence stays silence. Raises AudioError as ``process_file`` does.
    """
    aim_dbtp = ceiling_dbtp
    for number in range(1, passes + 1):
        make = partial(_limiter, aim_dbtp, gain_db, release_ms)
        listen = _part(progress, number)
        limiter = process_file(source, target, make, sample_format=sample_format, progress=listen)
        loudness = measure_loudness(target)
        excess_db = loudness.true_peak_dbtp - ceiling_dbtp
        if excess_db <= 0:
            break
        aim_dbtp -= excess_db + _TIGHTER_DB
    progress(1.0)
    return LimitReport(
        ceiling_dbtp=ceiling_dbtp,
        loudness=loudness,
        gain_db=gain_db,
        passes=number,
        **limiter.figures(),
    )


def _limiter(
    aim_dbtp: float, gain_db: float, release_ms: float, rate_hz: int, channels: int
) -> LimiterProcessor:
    return LimiterProcessor(
        ceiling_dbtp=aim_dbtp, gain_db=gain_db, release_ms=release_ms, rate_hz=rate_hz, channels=channels
    )


def _part(progress: Progress, number: int) -> Progress:
    """The first pass fills four fifths of the bar, every further one four fifths of what is left."""
    left = 0.2 ** (number - 1)
    return lambda share: progress(1 - left + share * left * 0.8)


class _MovingAverage:
    """The mean of the last ``frames`` values."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._held = np.zeros(frames)

    def __call__(self, x: Wide) -> Wide:
        joined = np.concatenate([self._held, x])
        self._held = joined[len(x) :].copy()
        sums = np.cumsum(joined)
        made = sums[self._frames :] - sums[: -self._frames]
        made /= self._frames
        # rounding of the sums must not turn "no reduction" into a gain
        return np.asarray(np.maximum(made, 0.0), np.float64)
