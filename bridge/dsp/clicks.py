"""Click repair: finds short interruptions of the waveform and fills them from their surroundings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from bridge.dsp.processor import Figures, Wide, frames_of
from bridge.dsp.stream import process_file
from bridge.dsp.windows import WindowProcessor
from bridge.protocols import Progress, no_progress
from bridge.values import Value

_ORDER = 32
_LENGTHS = (1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200)
_BAND_STARTS_HZ = (0, 250, 600, 1200, 2500, 5000, 9000)
_BAND_RANGE_DB = 45.0
_NOISE_FLOOR = 1e-7
"""White noise added to the model, relative to the signal: keeps it tame above a codec's cut-off."""


class ClickReport(Value):
    """What click repair did to a file."""

    clicks: int
    repaired_frames: int


class ClickProcessor(WindowProcessor):
    """Finds clicks in the residual of an autoregressive model and replaces only the samples they hit.

    Detection and filling after Godsill and Rayner, "Digital Audio Restoration" (1998), chapters 4 and 5. A
    click is a peak of the residual far above all around it, within 1.5 ms, that a least-squares filling of a
    few samples makes disappear, with the same sound before it and behind it. Where a sound begins or ends
    the spectrum changes: that is no click. What comes back several times in 0.4 s (pulses of a low
    synthesiser note, of a voice) is music, and so is what stands alone in digital silence. Samples that
    no click hit pass bit by bit. Channels are looked at one by one. Latency: 0.42 s.
    """

    _HOP_MS = 370.0
    _CONTEXT_MS = 46.0
    _PEAK_TO_SCALE = 10.0
    _PEAK_TO_SURROUNDINGS = 6.0
    _FILLED_TO_SURROUNDINGS = 2.0
    _AROUND_MS = 4.0
    _SAME_MS = 12.0
    _SAME_DB = 10.0
    _LONGEST_MS = 1.5
    _MOST_PEAKS = 12
    _MOST_ALIKE = 4

    def __init__(self, *, rate_hz: int, channels: int) -> None:
        hop, context = frames_of(self._HOP_MS, rate_hz), frames_of(self._CONTEXT_MS, rate_hz)
        super().__init__(rate_hz=rate_hz, channels=channels, hop=hop, context=context)
        self._around = frames_of(self._AROUND_MS, rate_hz)
        longest = frames_of(self._LONGEST_MS, rate_hz)
        self._lengths = [length for length in _LENGTHS if length <= longest]
        self._same = frames_of(self._SAME_MS, rate_hz)
        starts = np.round(np.array(_BAND_STARTS_HZ) * self._same / rate_hz).astype(int)
        self._band_starts = np.unique(starts[starts < self._same // 2])
        self.clicks = 0
        self.repaired_frames = 0

    def figures(self) -> Figures:
        """How many clicks were repaired, and how many frames they took."""
        return {"clicks": float(self.clicks), "repaired_frames": float(self.repaired_frames)}

    def _stretch(self, window: Wide) -> Wide:
        made = window[:, self._context : self._context + self._hop].copy()
        for channel, repaired in zip(window, made, strict=True):
            if channel.any():
                self._repair(channel, repaired)
        return made

    def _repair(self, channel: Wide, repaired: Wide) -> None:
        """Fill the clicks of a window's middle, in place."""
        model = _autoregression(channel)
        residual = lfilter(model, 1.0, channel)
        for peak in self._peaks(np.abs(residual)):
            filling = self._filling(channel, residual, model, peak)
            if filling is None:
                continue
            start, values = filling
            start -= self._context
            if start >= 0 and start + len(values) <= self._hop:
                repaired[start : start + len(values)] = values
                self.clicks += 1
                self.repaired_frames += len(values)

    def _peaks(self, residual: Wide) -> list[int]:
        """Where something far above the usual happens, seldom enough to be no music."""
        threshold = self._PEAK_TO_SCALE * float(np.median(residual)) / 0.6745
        above = np.flatnonzero(residual > max(threshold, 1e-9))
        if not len(above):
            return []
        groups = np.split(above, np.flatnonzero(np.diff(above) > self._around // 2) + 1)
        if len(groups) > 10 * self._MOST_PEAKS:
            return []
        tops = np.array([residual[group].max() for group in groups])
        alike = (tops[None, :] > 0.4 * tops[:, None]).sum(axis=1)
        few = np.flatnonzero(alike <= self._MOST_ALIKE)
        return [int(groups[index][0]) for index in few[: self._MOST_PEAKS]]

    def _filling(self, x: Wide, residual: Wide, model: Wide, peak: int) -> tuple[int, Wide] | None:
        """The start and values of the shortest filling that makes the peak disappear; None for no click."""
        reach = self._lengths[-1] + 2 * _ORDER + max(self._around, self._same)
        if peak < reach or peak + reach >= len(x):
            return None
        if not self._goes_on(x, peak):
            return None
        scale = self._surroundings(residual, peak)
        if not scale or np.abs(residual[peak : peak + 8]).max() < self._PEAK_TO_SURROUNDINGS * scale:
            return None
        for length in self._lengths:
            values = _interpolated(x, model, peak, length)
            if self._is_gone(x, model, peak, values, scale):
                return peak, values
        return None

    def _surroundings(self, residual: Wide, peak: int) -> float:
        """The level of the residual close by: the larger of before and after; 0 in digital silence."""
        after = peak + self._lengths[-1] + _ORDER
        before = np.abs(residual[peak - self._around : peak - 2])
        behind = np.abs(residual[after : after + self._around])
        levels = [float(np.quantile(part, 0.95)) for part in (before, behind)]
        return max(levels) if min(levels) > 1e-9 else 0.0

    def _goes_on(self, x: Wide, peak: int) -> bool:
        """Whether the sound behind the peak is the one before it, band by band."""
        behind = peak + self._lengths[-1]
        before = self._bands_db(x[peak - self._same : peak])
        after = self._bands_db(x[behind : behind + self._same])
        floor = max(before.max(), after.max()) - _BAND_RANGE_DB
        return bool(np.abs(np.maximum(before, floor) - np.maximum(after, floor)).max() < self._SAME_DB)

    def _bands_db(self, x: Wide) -> Wide:
        power = np.abs(rfft(x * np.hanning(len(x)))) ** 2
        sums = np.add.reduceat(power, self._band_starts)
        return np.asarray(10 * np.log10(sums + 1e-20), np.float64)

    def _is_gone(self, x: Wide, model: Wide, start: int, values: Wide, scale: float) -> bool:
        """Whether the residual over the filling and its tail is like the surroundings'."""
        stretch = x[start - _ORDER : start + self._lengths[-1] + 2 * _ORDER].copy()
        stretch[_ORDER : _ORDER + len(values)] = values
        left = np.abs(np.convolve(stretch, model, mode="valid"))
        return bool(left.max() < self._FILLED_TO_SURROUNDINGS * scale)


def repair_clicks(source: Path, target: Path, *, progress: Progress = no_progress) -> ClickReport:
    """Write ``source`` with its clicks repaired to ``target``; samples that no click hit are the same bits.

    Raises AudioError as ``process_file`` does.
    """

    def make(rate_hz: int, channels: int) -> ClickProcessor:
        return ClickProcessor(rate_hz=rate_hz, channels=channels)

    processor = process_file(source, target, make, progress=progress)
    return ClickReport(clicks=processor.clicks, repaired_frames=processor.repaired_frames)


def _autoregression(x: Wide) -> Wide:
    """The prediction-error filter of the signal, autocorrelation method (Levinson-Durbin)."""
    size = next_fast_len(len(x) + _ORDER, real=True)
    spectrum = rfft(x * np.hanning(len(x)), size)
    correlation = irfft(spectrum.real**2 + spectrum.imag**2, size)[: _ORDER + 1]
    correlation[0] *= 1 + _NOISE_FLOOR
    correlation[0] += 1e-20
    weights = solve_toeplitz(correlation[:-1], correlation[1:])
    return np.concatenate([[1.0], -weights])


def _interpolated(x: Wide, model: Wide, start: int, length: int) -> Wide:
    """The values from ``start`` on that make the residual smallest (least-squares AR interpolation)."""
    stretch = x[start - _ORDER : start + length + _ORDER].copy()
    stretch[_ORDER : _ORDER + length] = 0
    known = np.convolve(stretch, model, mode="valid")
    columns = np.zeros((length + _ORDER, length))
    for column in range(length):
        columns[column : column + _ORDER + 1, column] = model
    made, *_ = np.linalg.lstsq(columns, -known, rcond=None)
    return np.asarray(made, np.float64)
