"""Fakes that keep the promises of the real thing, for tests of what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bridge.audio import AudioReader, AudioWriter, Samples, open_audio
from bridge.errors import EngineError, JobCancelled
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
    if not np.isfinite(block).all():
        raise ValueError("it holds NaN or infinity; wanted finite samples. Export it again.")
    stems = [(block * np.float32(share)).astype(np.float32) for share in SHARES.values()]
    rest = block.astype(np.float64)
    for stem in stems:
        rest -= stem
    return [*stems, rest.astype(np.float32)]
