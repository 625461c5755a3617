"""The light separator: embedded, classical, fast; a preview of what Demucs gives.

Every band of every 139 ms frame is shared among the roles by weighed evidence (``light_cues``,
``light_masks``): harmonic or percussive, centre or sides, pitch range, steadiness, attack. Voice, drums and
bass are the masked spectra; ``other`` is what is left of the source, so the four sum to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import AudioReader, AudioWriter, Samples, open_audio
from bridge.engines.light_grid import Grid
from bridge.engines.light_masks import Evidence, evidence
from bridge.engines.light_parts import Part, plan, separate_part
from bridge.engines.silence import QUIET_FRAMES, expect_finite, fetch, hush
from bridge.errors import EngineError, JobCancelled
from bridge.protocols import Progress
from bridge.values import FOUR_STEMS, Role

SURVEY_SHARE = 0.02
"""Share of the progress that the first look at the file takes."""
WIDE_RATIO = 1e-5
"""Side to middle energy above which two channels count as a stereo song: -50 dB."""


@dataclass(frozen=True)
class Survey:
    """What the first look at the source found."""

    frames: int
    peak: float
    is_wide: bool

    @property
    def gain(self) -> float:
        """The power of two that brings the peak to between 0.5 and 1, exactly undone later."""
        return float(2.0 ** -np.frexp(self.peak)[1])


class LightSeparator:
    """Splits a song into vocals, drums, bass and other on the processor alone, at tens of times real time.

    Files of any rate from 8 to 192 kHz, one or two channels. A mono song, or one with equal channels, is
    split without the cue of place. The result does not depend on ``part_frames`` (frames of 35 ms that are
    worked on at once, default about 9 s) or ``threads``; memory depends on them alone, not on the length of
    the song.
    """

    name = "light"
    version = "1"
    roles: tuple[Role, ...] = FOUR_STEMS
    is_preview = True

    def __init__(self, *, threads: int = 2, part_frames: int = 0) -> None:
        self.threads = max(1, threads)
        self.part_frames = part_frames

    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        """Write ``vocals.wav`` ... into ``folder``; they sum to the source and digital silence stays silent.

        Raises EngineError where the source cannot be read, holds NaN or infinity or more than two channels,
        or a stem cannot be written; then, and when ``progress`` raises, no stem is left in the folder.
        """
        targets = {role: folder / f"{role.value}.wav" for role in self.roles}
        try:
            self._separate(source, targets, progress)
        except BaseException as error:
            _discard(targets)
            if isinstance(error, EngineError | JobCancelled) or not isinstance(error, Exception):
                raise
            raise EngineError(
                f"{source.name} could not be separated: {error} Wanted a readable WAV and room for four more."
            ) from error
        return targets

    def _separate(self, source: Path, targets: Mapping[Role, Path], progress: Progress) -> None:
        with open_audio(source) as reader, ExitStack() as stack:
            survey = _survey(reader, source.name, progress)
            info = reader.info
            writers = [
                stack.enter_context(AudioWriter(path, rate_hz=info.rate_hz, channels=info.channels))
                for path in targets.values()
            ]
            for stems, done in self._stems(reader, survey):
                for writer, stem in zip(writers, stems, strict=True):
                    writer.write(stem)
                progress(SURVEY_SHARE + (1 - SURVEY_SHARE) * done / survey.frames)
            progress(1.0)

    def _stems(self, reader: AudioReader, survey: Survey) -> Iterator[tuple[list[Samples], int]]:
        """The stems of one stretch after the other, each with the number of samples done so far."""
        if survey.peak == 0:
            yield from _silence(reader, survey.frames)
            return
        grid = Grid(reader.info.rate_hz)
        joiner = _Joiner(reader, survey, grid)
        for part, stems in self._parts(reader, survey, grid):
            yield joiner.join(part, stems)

    def _parts(self, reader: AudioReader, survey: Survey, grid: Grid) -> Iterator[tuple[Part, list[Samples]]]:
        weights = evidence(grid.centres_hz, is_wide=survey.is_wide)
        waiting: deque[tuple[Part, Future[list[Samples]]]] = deque()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="light")
        try:
            for part in plan(grid.frames_of(survey.frames), self.part_frames or _part_frames(grid)):
                samples = fetch(reader, survey.frames, *part.span(grid))
                waiting.append((part, pool.submit(_work, samples, survey, part, grid, weights)))
                if len(waiting) > self.threads:
                    yield _result(waiting)
            while waiting:
                yield _result(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Joiner:
    """Adds the overlapping ends of parts and gives the stretch that is complete, with ``other`` as the
    rest."""

    def __init__(self, reader: AudioReader, survey: Survey, grid: Grid) -> None:
        self._reader, self._survey, self._grid = reader, survey, grid
        self._tails: list[Samples] = []

    def join(self, part: Part, stems: list[Samples]) -> tuple[list[Samples], int]:
        for stem, tail in zip(stems, self._tails, strict=False):
            stem[:, : tail.shape[1]] += tail
        length = (part.stop - part.start) * self._grid.hop
        self._tails = [stem[:, length:] for stem in stems]
        start = part.start * self._grid.hop - self._grid.lead
        begin, end = max(0, start), min(start + length, self._survey.frames)
        return self._with_rest([stem[:, begin - start : end - start] for stem in stems], begin, end)

    def _with_rest(self, stems: list[Samples], begin: int, end: int) -> tuple[list[Samples], int]:
        around = fetch(
            self._reader, self._survey.frames, begin - QUIET_FRAMES, end - begin + 2 * QUIET_FRAMES
        )
        source = around[:, QUIET_FRAMES : QUIET_FRAMES + end - begin]
        hush(stems, around)
        rest = source.astype(np.float64)
        for stem in stems:
            rest -= stem
        return [*stems, rest.astype(np.float32)], end


def _work(samples: Samples, survey: Survey, part: Part, grid: Grid, weights: Evidence) -> list[Samples]:
    scaled = np.multiply(samples, survey.gain, dtype=np.float64).astype(np.float32)
    stems = separate_part(scaled, part, grid, weights, len(FOUR_STEMS) - 1)
    return [np.multiply(stem, 1 / survey.gain, dtype=np.float64).astype(np.float32) for stem in stems]


def _result(waiting: deque[tuple[Part, Future[list[Samples]]]]) -> tuple[Part, list[Samples]]:
    part, future = waiting.popleft()
    return part, future.result()


def _survey(reader: AudioReader, name: str, progress: Progress) -> Survey:
    """Length, peak and width of the source; EngineError where it is not usable."""
    if reader.info.channels > 2:
        raise EngineError(
            f"{name} has {reader.info.channels} channels; the light separator needs 1 or 2. "
            "Mix it to stereo first."
        )
    frames, peak, middle, side = 0, 0.0, 0.0, 0.0
    for block in reader.blocks():
        expect_finite(block, frames, name)
        frames += block.shape[1]
        peak = max(peak, float(np.abs(block).max()))
        middle += float(np.square(block.sum(axis=0, dtype=np.float64)).sum())
        side += float(np.square(np.subtract(block[0], block[-1], dtype=np.float64)).sum())
        progress(min(SURVEY_SHARE, SURVEY_SHARE * frames / max(1, reader.info.frames)))
    return Survey(frames=frames, peak=peak, is_wide=side > WIDE_RATIO * middle)


def _part_frames(grid: Grid) -> int:
    """About 9 s up to 48 kHz, less above, so that memory stays the same."""
    return int(256 * min(1.0, 48_000 / grid.rate_hz))


def _silence(reader: AudioReader, frames: int) -> Iterator[tuple[list[Samples], int]]:
    reader.seek(0)
    done = 0
    for block in reader.blocks():
        done += block.shape[1]
        yield [np.zeros_like(block)] * len(FOUR_STEMS), done


def _discard(targets: Mapping[Role, Path]) -> None:
    for path in targets.values():
        path.unlink(missing_ok=True)
