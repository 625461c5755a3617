"""How files agree: what is left when their sum is taken from the source, lag, and level."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from bridge.audio import AudioReader, Samples, open_audio
from bridge.errors import AudioError
from bridge.measure.frames import Framer
from bridge.measure.meter import expect_same_rate, finite, in_step, level_db
from bridge.protocols import Progress, no_progress
from bridge.values import Confidence, Value

NULL_FLOOR_DBFS = -240.0
"""Nulls are summed in double precision, so they reach deeper than other levels; JSON has no -inf."""
MOST_LAG_FRAMES = 8192
_WINDOW = 32_768
_WINDOWS = 6
_SILENT_POWER = 1e-12

Doubles = NDArray[np.float64]


class NullDepth(Value):
    """What is left of the sum of some files less a reference; -240 dBFS where it is nothing."""

    peak_dbfs: float
    rms_dbfs: float
    frames: int
    """Frames of the reference."""
    length_difference: int
    """Frames of the file whose length is furthest from the reference's, less the reference's."""


class Alignment(Value):
    """Where a file lies against another."""

    lag_frames: int
    """Positive where the file is late."""
    confidence: Confidence
    """0 for silence and unrelated sounds, near 1 for one clear peak."""


class LevelDifference(Value):
    """How much louder one file is than another, over all channels; 0 where both are silent."""

    rms_db: float
    peak_db: float


def null_depth(parts: Sequence[Path], reference: Path, progress: Progress = no_progress) -> NullDepth:
    """Sum files sample by sample, subtract the reference, and measure the rest, block by block.

    A file that ends early counts as silence after its end. Raises AudioError where a rate or a number of
    channels differs.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_audio(reference))
        readers = [stack.enter_context(open_audio(part)) for part in parts]
        for part, reader in zip(parts, readers, strict=True):
            _expect_alike(part, reader, reference, source)
        return _null(readers, source, progress)


def alignment(path: Path, reference: Path, most_lag_frames: int = MOST_LAG_FRAMES) -> Alignment:
    """The lag of a file against another, in frames, within ``most_lag_frames`` (at most 32,768) either way.

    Works for copies and for a stem against its mixture: the cross-spectra of the file's six loudest windows
    (0.7 s each at 44.1 kHz) are whitened and added (generalised cross-correlation, Knapp and Carter 1976),
    so that the one delay that they share stands out. Raises AudioError where the rates differ.
    """
    with open_audio(path) as late, open_audio(reference) as early:
        expect_same_rate(path, late, reference, early)
        cross = np.zeros(_WINDOW + 1, np.complex128)
        for start in _loudest_windows(late):
            cross += _whitened(_window_at(early, start), _window_at(late, start))
        return _lag(cross, most_lag_frames)


def level_difference(path: Path, reference: Path) -> LevelDifference:
    """How much louder a file is than another, by effective value and by sample peak."""
    (rms, peak), (other_rms, other_peak) = _rms_and_peak(path), _rms_and_peak(reference)
    return LevelDifference(
        rms_db=level_db(rms) - level_db(other_rms), peak_db=level_db(peak) - level_db(other_peak)
    )


def _null(readers: Sequence[AudioReader], source: AudioReader, progress: Progress) -> NullDepth:
    lengths = np.zeros(len(readers) + 1, np.int64)
    peak, energy = 0.0, 0.0
    for blocks in in_step([source, *readers]):
        lengths += [block.shape[1] for block in blocks]
        rest = _rest(blocks)
        peak = max(peak, float(np.abs(rest).max(initial=0.0)))
        energy += float(np.dot(rest.reshape(-1), rest.reshape(-1)))
        progress(min(1.0, int(lengths[0]) / max(1, source.info.frames)))
    channels = min(2, source.info.channels)
    difference = max((int(length - lengths[0]) for length in lengths[1:]), key=abs, default=0)
    return NullDepth(
        peak_dbfs=level_db(peak, NULL_FLOOR_DBFS),
        rms_dbfs=level_db(float(np.sqrt(energy / max(1, channels * int(lengths.max())))), NULL_FLOOR_DBFS),
        frames=int(lengths[0]),
        length_difference=difference,
    )


def _rest(blocks: Sequence[Samples]) -> Doubles:
    """The sum of all but the first block, less the first."""
    rest = np.zeros((blocks[0].shape[0], max(block.shape[1] for block in blocks)))
    for block in blocks[1:]:
        rest[:, : block.shape[1]] += block
    rest[:, : blocks[0].shape[1]] -= blocks[0]
    return rest


def _loudest_windows(reader: AudioReader) -> list[int]:
    """First frames of the loudest windows, in order; none where all is silent."""
    framer = Framer(1, _WINDOW, _WINDOW)
    power: list[float] = []
    for block in reader.blocks():
        frames = framer.push(_mono(block))
        power.extend(float(value) for value in np.einsum("cnf,cnf->n", frames, frames) / _WINDOW)
    if not power:
        rest = framer.remainder
        power = [float(np.mean(rest**2)) if rest.size else 0.0]
    best = np.argsort(power)[::-1][:_WINDOWS]
    return sorted(int(number) * _WINDOW for number in best if power[number] > _SILENT_POWER)


def _window_at(reader: AudioReader, start: int) -> NDArray[np.float32]:
    """A window, filled up with zeros to twice its length."""
    reader.seek(start)
    window = _mono(reader.read(_WINDOW))[0]
    return np.pad(window, (0, 2 * _WINDOW - len(window)))


def _mono(block: Samples) -> Samples:
    return np.asarray(finite(block).mean(axis=0, keepdims=True), np.float32)


def _whitened(early: NDArray[np.float32], late: NDArray[np.float32]) -> NDArray[np.complex128]:
    """The cross-spectrum with all frequencies that are there at all weighed alike."""
    product = np.asarray(rfft(late.astype(np.float64)) * np.conj(rfft(early.astype(np.float64))))
    size = np.abs(product)
    return np.asarray(product / (size + 1e-6 * size.max() + 1e-30), np.complex128)


def _lag(cross: NDArray[np.complex128], most_frames: int) -> Alignment:
    correlation = np.asarray(irfft(cross))
    near = np.concatenate([correlation[-most_frames:], correlation[: most_frames + 1]])
    best = int(np.argmax(near))
    around = np.ones(len(near), bool)
    around[max(0, best - 8) : best + 9] = False
    noise = float(np.std(near[around]))
    if near[best] <= 0 or noise <= 0:
        return Alignment(lag_frames=0, confidence=0.0)
    # the largest of tens of thousands of values of noise is about 4 deviations
    clearness = float(near[best]) / noise
    return Alignment(lag_frames=best - most_frames, confidence=float(np.clip((clearness - 4) / 12, 0, 1)))


def _rms_and_peak(path: Path) -> tuple[float, float]:
    energy, peak, count = 0.0, 0.0, 0
    with open_audio(path) as reader:
        for block in reader.blocks():
            sane = finite(block)
            energy += float(np.dot(sane.reshape(-1), sane.reshape(-1)))
            peak = max(peak, float(np.abs(sane).max()))
            count += sane.size
    return float(np.sqrt(energy / max(1, count))), peak


def _expect_alike(path: Path, reader: AudioReader, reference: Path, source: AudioReader) -> None:
    expect_same_rate(path, reader, reference, source)
    if min(2, reader.info.channels) != min(2, source.info.channels):
        raise AudioError(
            f"{path.name} has {reader.info.channels} channels, {reference.name} {source.info.channels}; "
            "wanted the same. Export both with the same number of channels."
        )
