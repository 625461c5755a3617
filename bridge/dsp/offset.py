"""DC offset: found in the quieter half, subtracted where it is constant, filtered where it wanders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np

from bridge.audio import Samples
from bridge.dsp.filters import BUTTERWORTH_Q, SosFilter, highpass
from bridge.dsp.processor import Processor, Wide
from bridge.dsp.stream import process_file
from bridge.measure.meter import measure_file
from bridge.protocols import Progress, no_progress
from bridge.values import Value

HARMLESS = 10 ** (-60 / 20)
"""An offset below -60 dBFS costs no headroom that matters and clicks at no cut: it stays."""
CORNER_HZ = 5.0
_FEWEST = 5


class OffsetKind(StrEnum):
    """What kind of offset a signal has."""

    NONE = "none"
    CONSTANT = "constant"
    WANDERING = "wandering"


class Offset(Value):
    """The DC offset of each channel, as an amplitude, and whether it stands still."""

    kind: OffsetKind
    amplitudes: tuple[float, ...]


class OffsetMeter:
    """The median of the weighted means over 0.2 s, in the quieter half; constant where those agree.

    Hits and low notes have a mean of their own, so that the loud half tells nothing. What is shorter than a
    second has no offset that could be told from a low note.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._stretch = rate_hz // 5
        # plain means of low notes lean to where their last cycle was cut; weighted ones do not
        self._weights = np.hanning(self._stretch) / np.hanning(self._stretch).sum()
        self._open = np.zeros((channels, 0))
        self._means: list[Wide] = []
        self._spreads: list[Wide] = []

    def add(self, block: Samples) -> None:
        """The next frames."""
        joined = np.concatenate([self._open, block], axis=1)
        count = joined.shape[1] // self._stretch
        parts = joined[:, : count * self._stretch].reshape(len(block), count, self._stretch)
        self._means.extend((parts @ self._weights).T)
        self._spreads.extend(parts.std(axis=2).T)
        self._open = joined[:, count * self._stretch :].copy()

    def result(self) -> Offset:
        """What was found so far; silence has none."""
        if len(self._means) < _FEWEST:
            return Offset(kind=OffsetKind.NONE, amplitudes=(0.0,) * len(self._open))
        order = np.argsort(np.array(self._spreads), axis=0, kind="stable")[: -(-len(self._means) // 2)]
        quiet = np.take_along_axis(np.array(self._means), order, axis=0)
        amplitudes = np.median(quiet, axis=0)
        return Offset(kind=_kind(quiet, amplitudes), amplitudes=tuple(amplitudes.tolist()))


class OffsetProcessor(Processor):
    """Takes an offset away: subtracts a constant one, or filters below 5 Hz (12 dB an octave, no latency)."""

    def __init__(self, offset: Offset, *, rate_hz: int, channels: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._offset = offset
        self._constant = np.array(offset.amplitudes)[:, None]
        self._filter = SosFilter(highpass(CORNER_HZ, BUTTERWORTH_Q, rate_hz), channels)
        self._is_resting = offset.kind is not OffsetKind.CONSTANT

    def _work(self, x: Wide) -> Wide:
        if self._offset.kind is OffsetKind.CONSTANT:
            x -= self._constant
        elif self._offset.kind is OffsetKind.WANDERING:
            x = self._filter(x)
        return x

    def _is_at_rest(self) -> bool:
        return self._offset.kind is not OffsetKind.CONSTANT and self._filter.is_at_rest


def remove_offset(source: Path, target: Path, *, progress: Progress = no_progress) -> Offset:
    """Write ``source`` without its DC offset to ``target`` and return what was found.

    Where nothing is found (``kind`` is none) the target holds the same samples. Raises AudioError as
    ``process_file`` does.
    """
    found = measure_file(source, OffsetMeter, lambda share: progress(share * 0.5))

    def make(rate_hz: int, channels: int) -> OffsetProcessor:
        return OffsetProcessor(found, rate_hz=rate_hz, channels=channels)

    process_file(source, target, make, progress=lambda share: progress(0.5 + share * 0.5))
    return found


def _kind(means: Wide, amplitudes: Wide) -> OffsetKind:
    if np.abs(amplitudes).max() < HARMLESS:
        return OffsetKind.NONE
    near = np.abs(means - amplitudes) <= np.maximum(0.25 * np.abs(amplitudes), HARMLESS)
    return OffsetKind.CONSTANT if near.mean(axis=0).min() >= 0.8 else OffsetKind.WANDERING
