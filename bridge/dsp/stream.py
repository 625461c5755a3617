"""Running a processor over files and arrays: by blocks, latency taken out, length kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from bridge.audio import BLOCK_FRAMES, Audio, AudioWriter, Samples, open_audio
from bridge.errors import AudioError
from bridge.protocols import Progress, no_progress
from bridge.values import SampleFormat


class Takes(Protocol):
    """What a processor and a rack have in common."""

    rate_hz: int
    channels: int
    latency_frames: int

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        ...


TakesType = TypeVar("TakesType", bound=Takes)
Make = Callable[[int, int], TakesType]
"""Makes a processor for ``rate_hz`` and ``channels``."""


def aligned(processor: Takes, blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The processed blocks in time with the input and of the same length in total.

    The first ``latency_frames`` are dropped, and as much silence is fed at the end; tails end there.
    """
    early = processor.latency_frames
    for block in chain(blocks, _silence(processor)):
        made = processor.process(block)
        dropped = min(early, made.shape[1])
        early -= dropped
        if made.shape[1] > dropped:
            yield made[:, dropped:]


def process_audio(processor: Takes, audio: Audio) -> Audio:
    """``audio`` through a fresh processor, in time and of the same length."""
    starts = range(0, audio.frames, BLOCK_FRAMES)
    blocks = (audio.samples[:, start : start + BLOCK_FRAMES] for start in starts)
    empty = np.zeros((audio.channels, 0), np.float32)
    made = np.concatenate([empty, *aligned(processor, blocks)], axis=1)
    return Audio(samples=made, rate_hz=audio.rate_hz)


def process_file(
    source: Path,
    target: Path,
    make: Make[TakesType],
    *,
    sample_format: SampleFormat = SampleFormat.FLOAT32,
    block_frames: int = BLOCK_FRAMES,
    progress: Progress = no_progress,
) -> TakesType:
    """``source`` through the processor that ``make`` gives for its rate and channels, into ``target``.

    The target has the rate, the channels and exactly the length of the source; memory does not grow with
    it. Returns the processor for its figures. Raises AudioError where the source cannot be read or has more
    than two channels, or the target cannot be written; no target is left then.
    """
    _expect_another(source, target)
    with open_audio(source) as reader:
        rate_hz, channels = reader.info.rate_hz, reader.info.channels
        processor = make(rate_hz, channels)
        with AudioWriter(target, rate_hz=rate_hz, channels=channels, sample_format=sample_format) as writer:
            for block in aligned(processor, reader.blocks(block_frames)):
                writer.write(block)
                progress(min(1.0, writer.frames / max(1, reader.info.frames)))
    return processor


def _expect_another(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        raise AudioError(f"{source.name} would be written over itself; wanted another file as the target.")


def _silence(processor: Takes) -> Iterator[Samples]:
    for start in range(0, processor.latency_frames, BLOCK_FRAMES):
        frames = min(BLOCK_FRAMES, processor.latency_frames - start)
        yield np.zeros((processor.channels, frames), np.float32)
