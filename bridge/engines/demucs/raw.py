"""Audio to the engine and back: raw files of interleaved float32, two channels, 44.1 kHz."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import BLOCK_FRAMES, AudioReader, Samples
from bridge.engines.silence import expect_finite
from bridge.errors import EngineError
from bridge.protocols import Progress

RATE_HZ = 44_100
CHANNELS = 2
QUALITY = "VHQ"
"""SoX's best: flat to 95% of the band, nothing folds back above -150 dB."""


@dataclass(frozen=True)
class Carried:
    """What went to the engine."""

    file: Path
    source_frames: int
    frames: int
    """At 44.1 kHz."""
    peak: float


def carry(reader: AudioReader, target: Path, name: str, progress: Progress) -> Carried:
    """Write a song as the engine wants it; EngineError where it has too many channels or is no sound."""
    if reader.info.channels > CHANNELS:
        raise EngineError(
            f"{name} has {reader.info.channels} channels; Demucs needs 1 or 2. Mix it to stereo first."
        )
    source_frames, frames, peak = 0, 0, 0.0
    turn = Resampled(reader.info.rate_hz, RATE_HZ)
    with target.open("wb") as file:
        for block in reader.blocks():
            expect_finite(block, source_frames, name)
            source_frames += block.shape[1]
            peak = max(peak, float(np.abs(block).max()))
            frames += _write(file, turn.turned(np.broadcast_to(block, (CHANNELS, block.shape[1]))))
            progress(min(1.0, source_frames / max(1, reader.info.frames)))
        frames += _write(file, turn.rest())
    return Carried(target, source_frames, frames, peak)


class RawStem:
    """A stem that the engine wrote, read in the song's rate and channels, from its start to its end."""

    def __init__(self, path: Path, rate_hz: int, channels: int) -> None:
        self._blocks = self._turned(path, Resampled(RATE_HZ, rate_hz))
        self._channels = channels
        self._left = np.zeros((CHANNELS, 0), np.float32)

    def read(self, frames: int) -> Samples:
        """The next frames; zeros after the end, which resampling may move by one."""
        while self._left.shape[1] < frames:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros((CHANNELS, frames - self._left.shape[1]), np.float32)
            self._left = np.concatenate([self._left, block], axis=1)
        out, self._left = self._left[:, :frames], self._left[:, frames:]
        return out.mean(axis=0, keepdims=True, dtype=np.float32) if self._channels == 1 else out.copy()

    @staticmethod
    def _turned(path: Path, turn: Resampled) -> Iterator[Samples]:
        with path.open("rb") as file:
            while data := file.read(BLOCK_FRAMES * CHANNELS * 4):
                yield turn.turned(np.frombuffer(data, "<f4").reshape(-1, CHANNELS).T)
        yield turn.rest()


class Resampled:
    """Brings blocks to another rate; the delay of the filter is taken out."""

    def __init__(self, rate_hz: int, wanted_hz: int) -> None:
        self._stream = None
        if rate_hz != wanted_hz:
            import soxr

            self._stream = soxr.ResampleStream(rate_hz, wanted_hz, CHANNELS, "float32", QUALITY)

    def turned(self, block: Samples) -> Samples:
        """What is ready after this block."""
        return block if self._stream is None else self._run(block.T, is_last=False)

    def rest(self) -> Samples:
        """What is left at the end."""
        nothing = np.zeros((0, CHANNELS), np.float32)
        return nothing.T if self._stream is None else self._run(nothing, is_last=True)

    def _run(self, turned: Samples, *, is_last: bool) -> Samples:
        assert self._stream is not None
        out: Samples = self._stream.resample_chunk(np.ascontiguousarray(turned), last=is_last)
        return out.T


def _write(file: object, samples: Samples) -> int:
    file.write(np.ascontiguousarray(samples.T, "<f4").data)  # type: ignore[attr-defined]
    return int(samples.shape[1])
