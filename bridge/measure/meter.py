"""What all measures share: the form of a meter, and one pass over a file that feeds many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.audio import BLOCK_FRAMES, Audio, AudioReader, Samples, fold_to_stereo, open_audio
from bridge.errors import AudioError
from bridge.protocols import Progress, no_progress
from bridge.values import Value

PEAK_FLOOR_DBFS = -144.0
"""Peaks and levels below this, silence too, are reported as this: 24 bits end there; JSON has no -inf."""

_LOUDEST = 1e6

Result = TypeVar("Result", bound=Value)
ResultOut_co = TypeVar("ResultOut_co", bound=Value, covariant=True)


class Takes(Protocol):
    """Takes audio block by block."""

    def add(self, block: Samples) -> None:
        """The next frames, float32 of shape ``(channels, frames)``."""
        ...


Taker = TypeVar("Taker", bound=Takes)


class Meter(Takes, Protocol[ResultOut_co]):
    """A measure that is fed block by block; the result never depends on where the blocks were cut.

    Meters are made with the rate and the number of channels. ``result`` may be asked for at any time and
    changes nothing.
    """

    def result(self) -> ResultOut_co:
        """What was found in all that was added so far."""
        ...


MeterFactory = Callable[[int, int], Meter[Result]]
"""Makes a meter from ``rate_hz`` and ``channels``: every meter's class is one."""


def feed(reader: AudioReader, *meters: Takes, progress: Progress = no_progress) -> None:
    """Read all that is left of ``reader`` once and give every block to every meter.

    More than two channels are folded to stereo first (``bridge.audio.fold_to_stereo``), so meters are made
    with ``heard_channels(reader)``. Samples that are not finite reach the meters as they are.
    """
    total = max(1, reader.info.frames)
    done = 0
    for block in reader.blocks(BLOCK_FRAMES):
        heard = fold_to_stereo(block, reader.info.layout)
        for meter in meters:
            meter.add(heard)
        done += block.shape[1]
        progress(min(1.0, done / total))


def heard_channels(reader: AudioReader) -> int:
    """The channels that meters get from ``feed``: one or two."""
    return min(2, reader.info.channels)


def measure_file(path: Path, factory: MeterFactory[Result], progress: Progress = no_progress) -> Result:
    """Run one meter over a file. Raises AudioError where it cannot be decoded."""
    with open_audio(path) as reader:
        meter = factory(reader.info.rate_hz, heard_channels(reader))
        feed(reader, meter, progress=progress)
    return meter.result()


def feed_sum(
    paths: Sequence[Path], make: Callable[[int, int], Taker], progress: Progress = no_progress
) -> Taker:
    """Make a taker from the files' rate and one channel, and give it their sum, folded to mono.

    A file that ends early counts as silence after its end; samples that are not finite as silence. Raises
    AudioError where a file cannot be decoded or the rates differ.
    """
    with ExitStack() as stack:
        readers = [stack.enter_context(open_audio(path)) for path in paths]
        for path, reader in zip(paths, readers, strict=True):
            expect_same_rate(path, reader, paths[0], readers[0])
        taker = make(readers[0].info.rate_hz, 1)
        done, longest = 0, max(1, *(reader.info.frames for reader in readers))
        for blocks in in_step(readers):
            total = np.zeros((1, max(block.shape[1] for block in blocks)), np.float32)
            for block in blocks:
                total[:, : block.shape[1]] += finite(block).mean(axis=0)
            taker.add(total)
            done += total.shape[1]
            progress(min(1.0, done / longest))
    return taker


def in_step(readers: Sequence[AudioReader]) -> Iterator[list[Samples]]:
    """The next block of every reader, folded to stereo at most, until all have ended."""
    while True:
        blocks = [fold_to_stereo(reader.read(BLOCK_FRAMES), reader.info.layout) for reader in readers]
        if not any(block.shape[1] for block in blocks):
            return
        yield blocks


def expect_same_rate(path: Path, reader: AudioReader, reference: Path, source: AudioReader) -> None:
    """Raise AudioError where a file has another rate than its reference."""
    if reader.info.rate_hz != source.info.rate_hz:
        raise AudioError(
            f"{path.name} is at {reader.info.rate_hz} Hz, {reference.name} at {source.info.rate_hz} Hz; "
            "wanted one rate. Export both at the same rate."
        )


def measure_audio(audio: Audio, factory: MeterFactory[Result]) -> Result:
    """Run one meter over audio in memory."""
    meter = factory(audio.rate_hz, audio.channels)
    for block in blocks_of(audio.samples):
        meter.add(block)
    return meter.result()


def blocks_of(samples: Samples, frames: int = BLOCK_FRAMES) -> Iterable[Samples]:
    """Cut samples into blocks, without copying."""
    return (samples[:, at : at + frames] for at in range(0, samples.shape[1], frames))


def finite(block: Samples) -> Samples:
    """The block itself where it is sane; else a copy with NaN and infinity as silence, at most +120 dBFS.

    One NaN would otherwise stay in a recursive filter for the rest of the song.
    """
    flat = block.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        is_sane = bool(np.isfinite(np.dot(flat, flat)))
    if is_sane:
        return block
    tamed = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(tamed, -_LOUDEST, _LOUDEST)


def level_db(amplitude: float, floor_db: float = PEAK_FLOOR_DBFS) -> float:
    """An amplitude in dBFS, not below the floor."""
    if amplitude <= 0:
        return floor_db
    return max(floor_db, float(20 * np.log10(amplitude)))


def power_db(power: NDArray[np.float64] | float, floor_db: float = PEAK_FLOOR_DBFS) -> NDArray[np.float64]:
    """Powers in dB, not below the floor."""
    smallest = 10 ** (floor_db / 10)
    return np.asarray(10 * np.log10(np.maximum(power, smallest)), np.float64)
