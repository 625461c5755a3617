"""The order of work: overlapping segments in, weighted sums out as soon as no later segment changes them.

Equal to demucs' ``apply_model(split=True)`` in what comes out; but memory holds one segment, not the song.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

CHANNELS = 2
BLOCK_FRAMES = 1 << 18
QUIET_STD = 1e-8
"""What demucs adds to the deviation by which it divides."""

Samples = NDArray[np.float32]
Infer = Callable[[nn.Module, torch.Tensor], torch.Tensor]


class Mixture:
    """A raw file of interleaved float32, read as the network wants it: zero mean, unit deviation, zeros
    beyond both ends."""

    def __init__(self, file: Path, frames: int) -> None:
        self._file = file.open("rb")
        self.frames = frames
        self.mean, self.deviation = self._levels()

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to separate: all samples are equal."""
        return bool(self.deviation == 0)

    def span(self, start: int, count: int) -> Samples:
        """Shape (channels, count), from ``start`` on, which may be negative."""
        out = np.zeros((CHANNELS, count), np.float32)
        begin, end = max(0, start), min(start + count, self.frames)
        if end > begin:
            raw = self._raw(begin, end - begin)
            out[:, begin - start : end - start] = (raw - self.mean) / (self.deviation + QUIET_STD)
        return out

    def is_quiet(self, start: int, count: int) -> bool:
        """Whether that stretch is digital silence."""
        begin, end = max(0, start), min(start + count, self.frames)
        return end <= begin or not self._raw(begin, end - begin).any()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _raw(self, start: int, count: int) -> Samples:
        self._file.seek(start * CHANNELS * 4)
        data = np.frombuffer(self._file.read(count * CHANNELS * 4), "<f4")
        return data.reshape(count, CHANNELS).T

    def _levels(self) -> tuple[np.float32, np.float32]:
        """Mean and deviation of the middle channel, in two passes of double precision."""
        total = 0.0
        for middle in self._middles():
            total += float(middle.sum())
        mean = total / self.frames
        squares = sum(float(np.square(middle - mean).sum()) for middle in self._middles())
        return np.float32(mean), np.float32(np.sqrt(squares / max(1, self.frames - 1)))

    def _middles(self) -> Iterator[NDArray[np.float64]]:
        for start in range(0, self.frames, BLOCK_FRAMES):
            yield self._raw(start, min(BLOCK_FRAMES, self.frames - start)).mean(axis=0, dtype=np.float64)


@dataclass(frozen=True)
class Segment:
    """A stretch that the network works on at once."""

    start: int
    """In frames of the song; a shifted pass begins before it."""
    frames: int
    stride: int
    """From where the next one begins; what lies before is final."""
    is_last: bool


def segments(begin: int, end: int, length: int, overlap: float) -> list[Segment]:
    """All segments of a pass."""
    stride = int((1 - overlap) * length)
    starts = range(begin, end, stride)
    return [Segment(start, min(length, end - start), stride, start == starts[-1]) for start in starts]


def triangle(length: int) -> Samples:
    """The weight of a segment's samples: most in its middle, where the network sees most around."""
    up = np.arange(1, length // 2 + 1, dtype=np.float32)
    weight = np.concatenate([up, np.arange(length - length // 2, 0, -1, dtype=np.float32)])
    return np.asarray(weight / weight.max(), np.float32)


def estimate(network: nn.Module, mixture: Mixture, part: Segment, kept: list[int], infer: Infer) -> Samples:
    """What the network makes of a segment: shape (kept, channels, frames).

    A segment shorter than the network's own is filled up on both sides with what lies there.
    """
    wanted = network.valid_length(part.frames) if hasattr(network, "valid_length") else part.frames
    before = (wanted - part.frames) // 2
    if mixture.is_quiet(part.start - before, wanted):
        return np.zeros((len(kept), CHANNELS, part.frames), np.float32)
    around = torch.from_numpy(mixture.span(part.start - before, wanted))[None]
    out = infer(network, around)[0]
    begin = (out.shape[-1] - part.frames) // 2
    return np.asarray(out[kept, :, begin : begin + part.frames].float().cpu().numpy(), np.float32)


@dataclass(frozen=True)
class Piece:
    """A stretch that is final: no later segment changes it."""

    start: int
    samples: Samples
    """Shape (kept, channels, frames)."""
    done: float
    """Share of the pass."""


def passed(
    network: Any, mixture: Mixture, kept: list[int], *, begin: int, overlap: float, infer: Infer
) -> Iterator[Piece]:
    """One pass over the song, from ``begin`` on (0, or before it where the pass is shifted)."""
    length = int(network.samplerate * network.segment)
    weight = triangle(length)
    total = np.zeros((len(kept), CHANNELS, length), np.float32)
    weights = np.zeros(length, np.float32)
    parts = segments(begin, mixture.frames, length, overlap)
    for number, part in enumerate(parts):
        total[..., : part.frames] += weight[: part.frames] * estimate(network, mixture, part, kept, infer)
        weights[: part.frames] += weight[: part.frames]
        final = part.frames if part.is_last else min(part.stride, length)
        yield Piece(part.start, total[..., :final] / weights[:final], (number + 1) / len(parts))
        total = _moved(total, final)
        weights = _moved(weights, final)


def _moved(values: Samples, count: int) -> Samples:
    out = np.zeros_like(values)
    out[..., : values.shape[-1] - count] = values[..., count:]
    return out


def shifted_begins(shifts: int, rate_hz: int, chance: random.Random) -> list[int]:
    """Where each pass begins; without shifts there is one, and it begins with the song."""
    longest = int(0.5 * rate_hz)
    return [chance.randint(0, longest) - longest for _ in range(shifts)] or [0]
