"""Fakes that keep the promises of the real thing, for tests of what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bridge.audio import BLOCK_FRAMES, AudioReader, AudioWriter, Samples, open_audio
from bridge.errors import AudioError, EngineError, JobCancelled
from bridge.music import Note
from bridge.protocols import Progress
from bridge.values import FOUR_STEMS, Role

SHARES: Mapping[Role, float] = {Role.VOCALS: 0.3, Role.DRUMS: 0.25, Role.BASS: 0.2}


class FakeSeparator:
    """Gives each role a fixed share of the source and ``other`` the rest: instant, and true to the contract.

    ``failure`` is raised, as EngineError from it, in place of the result.
    """

    name = "fake"
    version = "1"
    roles: tuple[Role, ...] = FOUR_STEMS

    def __init__(self, *, is_preview: bool = False, failure: Exception | None = None) -> None:
        self.is_preview = is_preview
        self.failure = failure

    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        """Write the four stems; EngineError where the source is not usable."""
        targets = {role: folder / f"{role.value}.wav" for role in self.roles}
        try:
            self._separate(source, targets, progress)
        except JobCancelled:
            raise
        except Exception as cause:
            raise EngineError(f"{source.name} could not be separated: {cause}") from cause
        return targets

    def _separate(self, source: Path, targets: Mapping[Role, Path], progress: Progress) -> None:
        if self.failure is not None:
            raise self.failure
        with open_audio(source) as reader, ExitStack() as stack:
            form = reader.info
            writers = [
                stack.enter_context(AudioWriter(path, rate_hz=form.rate_hz, channels=form.channels))
                for path in targets.values()
            ]
            _split(reader, writers, progress)


class FakeEnhancer:
    """Turns its stem down by 6.02 dB: instant, and true to the contract.

    ``failure`` is raised, as EngineError from it, in place of the result.
    """

    name = "fake"
    version = "1"
    roles: tuple[Role, ...] = tuple(Role)

    def __init__(self, *, block_frames: int = BLOCK_FRAMES, failure: Exception | None = None) -> None:
        self.block_frames = block_frames
        self.failure = failure

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        """Write ``source`` at half the amplitude; EngineError where it is not usable."""
        try:
            self._enhance(source, target, progress)
        except JobCancelled:
            raise
        except Exception as cause:
            raise EngineError(f"{source.name} could not be enhanced: {cause}") from cause

    def _enhance(self, source: Path, target: Path, progress: Progress) -> None:
        if self.failure is not None:
            raise self.failure
        with open_audio(source) as reader:
            form = reader.info
            with AudioWriter(target, rate_hz=form.rate_hz, channels=form.channels) as writer:
                progress(0.0)
                for block in reader.blocks(self.block_frames):
                    _expect_numbers(block)
                    writer.write(block * np.float32(0.5))
                    progress(min(1.0, writer.frames / max(1, form.frames)))
                progress(1.0)


class FakeTranscriber:
    """Hears a middle C wherever a block of its stem is not silent: instant, and true to the contract."""

    name = "fake"
    version = "1"
    roles: tuple[Role, ...] = (Role.VOCALS, Role.DRUMS, Role.BASS)

    def transcribe(self, stem: Path, _role: Role, progress: Progress) -> tuple[Note, ...]:
        """One note a block; EngineError where the stem cannot be read."""
        try:
            with open_audio(stem) as reader:
                return tuple(_middle_cs(reader, progress))
        except AudioError as cause:
            raise EngineError(f"{stem.name} could not be transcribed: {cause}") from cause


def _middle_cs(reader: AudioReader, progress: Progress) -> Iterator[Note]:
    done = 0
    progress(0.0)
    for block in reader.blocks():
        start_s, done = done / reader.info.rate_hz, done + block.shape[1]
        if block.any():
            yield Note(start_s=start_s, end_s=done / reader.info.rate_hz, pitch=60)
        progress(min(1.0, done / max(1, reader.info.frames)))
    progress(1.0)


def _split(reader: AudioReader, writers: list[AudioWriter], progress: Progress) -> None:
    done = 0
    progress(0.0)
    for block in reader.blocks():
        for writer, stem in zip(writers, _shared(block), strict=True):
            writer.write(stem)
        done += block.shape[1]
        progress(min(1.0, done / max(1, reader.info.frames)))
    progress(1.0)


def _shared(block: Samples) -> list[Samples]:
    _expect_numbers(block)
    stems = [(block * np.float32(share)).astype(np.float32) for share in SHARES.values()]
    rest = block.astype(np.float64)
    for stem in stems:
        rest -= stem
    return [*stems, rest.astype(np.float32)]


def _expect_numbers(block: Samples) -> None:
    if not np.isfinite(block).all():
        raise ValueError("it holds NaN or infinity; wanted finite samples. Export it again.")
