"""The base of all processors: audio by blocks of any size, state carried between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Samples
from bridge.errors import AudioError

Wide = NDArray[np.float64]
"""What processors compute with inside: float64 of shape ``(channels, frames)``."""

SILENT = 1e-20
"""Amplitudes below -400 dBFS become exact zeros: tails end, and no denormal number ever leaves."""
HIGHEST_SHARE = 0.45
"""Filters above this share of the rate are left out: the bilinear transform bends them out of shape there."""

Figures = dict[str, float]
"""What a processor did, for the report: ``{"max_gain_reduction_db": 4.2}``."""


class Processor:
    """Takes audio by blocks and returns blocks of the same shape, late by ``latency_frames``.

    Input is finite float32 of shape ``(channels, frames)`` and never changed; the result does not depend on
    how a signal is cut into blocks. Silence stays silence, exactly, once tails have ended. One processor
    serves one signal; it holds no state outside itself, so that several run in several threads.

    Raises AudioError for a rate outside 8 to 192 kHz, for other than 1 or 2 channels, and for a block of
    another shape or type.
    """

    latency_frames: int = 0

    def __init__(self, *, rate_hz: int, channels: int) -> None:
        _expect_format(rate_hz, channels)
        self.rate_hz = rate_hz
        self.channels = channels
        self._is_resting = True

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        self._expect_block(block)
        if not block.shape[1] or (self._is_resting and not block.any()):
            return np.zeros_like(block)
        made = to_samples(self._work(block.astype(np.float64)))
        self._is_resting = self._is_at_rest()
        return made

    def figures(self) -> Figures:
        """What was done so far, for the report."""
        return {}

    def _work(self, x: Wide) -> Wide:
        """Process a block of at least one frame; ``x`` is the processor's own and may be changed."""
        raise NotImplementedError

    def _is_at_rest(self) -> bool:
        """Whether silence in now means silence out until something else comes in."""
        raise NotImplementedError

    def _expect_block(self, block: Samples) -> None:
        if block.ndim != 2 or block.shape[0] != self.channels or block.dtype != np.float32:
            raise AudioError(
                f"Found a block of {block.dtype} and shape {block.shape}; wanted float32 of shape "
                f"({self.channels}, frames). Make a processor for the audio's own channels."
            )


def to_samples(x: Wide) -> Samples:
    """Float32 samples, with everything below ``SILENT`` made zero."""
    made = x.astype(np.float32)
    made *= np.abs(made) >= SILENT
    return made


def amplitude(level_db: float) -> float:
    """The factor of a gain in dB."""
    return float(10 ** (level_db / 20))


def linked_peak(x: Wide) -> Wide:
    """The largest magnitude over the channels, shape ``(frames,)``: what a linked detector listens to."""
    magnitude = np.abs(x)
    return np.asarray(magnitude.max(axis=0) if len(magnitude) > 1 else magnitude[0], np.float64)


def frames_of(time_ms: float, rate_hz: int) -> int:
    """A time as a number of frames, rounded."""
    return round(time_ms * rate_hz / 1000)


def _expect_format(rate_hz: int, channels: int) -> None:
    if not 8_000 <= rate_hz <= 192_000:
        raise AudioError(f"Found a rate of {rate_hz} Hz; wanted 8,000 to 192,000. Resample the audio first.")
    if channels not in (1, 2):
        raise AudioError(f"Found {channels} channels; wanted 1 or 2. Fold them with fold_to_stereo.")
