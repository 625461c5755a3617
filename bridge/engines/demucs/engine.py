"""Demucs as separators: one class for each published model, and one for a model of the user's own.

The networks give every stem but ``other``, which is the rest of the source: so the stems sum to it, and what
lies above the networks' 22.05 kHz, their error and a constant offset stay in ``other``. A network that has a
say in ``other`` alone is not run.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from bridge.audio import BLOCK_FRAMES, AudioWriter, Samples, open_audio
from bridge.config import Config, load_config
from bridge.engines.apart import EngineHost, Start, borrowed
from bridge.engines.demucs.networks import Bag, from_repository, published
from bridge.engines.demucs.raw import Carried, RawStem, carry
from bridge.engines.environments import python_of
from bridge.engines.silence import QUIET_FRAMES, fetch, hush
from bridge.errors import EngineError, JobCancelled, StembridgeError, WeightsError
from bridge.hashes import hash_file
from bridge.protocols import Progress
from bridge.values import FOUR_STEMS, Role, Value
from bridge.weights import WeightsFolder, weights_named

CARRYING_SHARE, WRITING_SHARE = 0.03, 0.05
"""Of the progress: what lies between is the engine's."""
FOUR_SOURCES = ("drums", "bass", "other", "vocals")
"""In the networks' order."""
KEEP_MEMORY = (("MALLOC_MMAP_THRESHOLD_", "4000000000"), ("MALLOC_TRIM_THRESHOLD_", "8000000000"))
"""For glibc: a segment's memory is kept for the next one; else a third of the time goes into page faults."""
_ONE_EACH = tuple(tuple(float(row == column) for column in range(4)) for row in range(4))


class Look(Value):
    """What Demucs found out about this machine."""

    device: str
    precision: str
    notes: tuple[str, ...]
    """Why nothing faster is used."""
    torch: str
    demucs: str


def look(config: Config) -> Look:
    """On what Demucs would run here; EngineError where it is not installed or does not work."""
    with borrowed(start_of(config)) as host:
        asked = {"device": config.demucs.device, "precision": config.demucs.precision}
        return Look.model_validate(host.ask("look", asked))


def make_repository(config: Config, folder: Path, name: str, file: Path | None) -> Look:
    """Write one network into ``folder`` as Demucs' own command loads it, and look how it would run here.

    ``file`` holds it; None makes one of the real size with random numbers.
    """
    digest = hash_file(file) if file else ""
    asked = {"folder": str(folder), "name": name, "file": str(file or ""), "sha256": digest}
    with borrowed(start_of(config)) as host:
        host.ask("publish", asked)
    return look(config)


def start_of(config: Config) -> Start:
    """How the engine's process is started; EngineError where it is not installed."""
    return Start(
        name="Demucs",
        python=python_of("demucs", config),
        folder=Path(__file__).with_name("inside"),
        threads=config.demucs.threads or _cores(),
        environment=KEEP_MEMORY,
        settings=config.engines,
    )


class DemucsSeparator:
    """Splits a song by a published model of Demucs, in a process of its own, in memory of one segment.

    Files of any rate, one or two channels: resampled to 44.1 kHz and back by SoX's best. Levels are never
    rescaled, silence stays silence. ``notes`` tells after a run what was not as it should be, such as a
    device that gives wrong numbers.
    """

    name: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = FOUR_SOURCES
    segment_s: ClassVar[float | None] = None
    rows: ClassVar[tuple[tuple[float, ...], ...] | None] = None
    roles: tuple[Role, ...] = FOUR_STEMS
    is_preview = False

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or load_config()
        self.notes: tuple[str, ...] = ()

    @classmethod
    def configured(cls, config: Config) -> Self:
        """One that works as the settings say."""
        return cls(config)

    @property
    def version(self) -> str:
        """Changes with all that changes the stems."""
        settings = self.config.demucs
        return f"1 {settings.quality} overlap {settings.work.overlap:g} shifts {settings.work.shifts}"

    def missing(self) -> str:
        """What has to be installed first, and how; "" where nothing is."""
        try:
            python_of("demucs", self.config)
        except EngineError as fault:
            return fault.message
        return self._missing_weights()

    def separate(self, source: Path, folder: Path, progress: Progress) -> Mapping[Role, Path]:
        """Write ``vocals.wav`` ... into ``folder``; they sum to the source and digital silence stays silent.

        Raises EngineError where the engine or its weights are not there or fail, where the source cannot be
        read, holds NaN or infinity or more than two channels, or a stem cannot be written; then, and when
        ``progress`` raises, no stem is left in the folder.
        """
        targets = {role: folder / f"{role.value}.wav" for role in self.roles}
        room = folder / f".demucs-{uuid.uuid4().hex}"
        try:
            room.mkdir()
            self._separate(source, targets, room, progress)
        except BaseException as error:
            for path in targets.values():
                path.unlink(missing_ok=True)
            if isinstance(error, EngineError | JobCancelled) or not isinstance(error, Exception):
                raise
            words = error.message if isinstance(error, StembridgeError) else str(error)
            raise EngineError(f"{source.name} could not be separated by {self.name}: {words}") from error
        finally:
            shutil.rmtree(room, ignore_errors=True)
        return targets

    def _separate(self, source: Path, targets: Mapping[Role, Path], room: Path, progress: Progress) -> None:
        mixture = room / "mixture.raw"
        stems: dict[Role, Path] = {
            role: room / f"{role.value}.raw" for role in self.roles if role is not Role.OTHER
        }
        with open_audio(source) as reader, borrowed(start_of(self.config), progress) as host:
            # the engine's process loads its libraries meanwhile
            carried = carry(reader, mixture, source.name, _part(progress, 0.0, CARRYING_SHARE))
            if carried.frames and carried.peak:
                self._ask(host, carried, stems, _part(progress, CARRYING_SHARE, 1 - WRITING_SHARE))
            else:
                for path in stems.values():
                    path.touch()
        mixture.unlink()
        _write(source, carried, stems, targets, _part(progress, 1 - WRITING_SHARE, 1.0))

    def _ask(
        self,
        host: EngineHost,
        carried: Carried,
        stems: Mapping[Role, Path],
        progress: Progress,
    ) -> None:
        settings, bag = self.config.demucs, self._bag(host)
        what = {
            "source": str(carried.file),
            "frames": carried.frames,
            "networks": [network.words() for network in bag.networks],
            "sources": self.sources,
            "segment_s": bag.segment_s,
            "stems": {role.value: str(path) for role, path in stems.items()},
            "overlap": settings.work.overlap,
            "shifts": settings.work.shifts,
            "seed": 0,
            "device": settings.device,
            "precision": settings.precision,
        }
        self.notes = tuple(host.ask("separate", what, progress)["notes"])

    def _bag(self, host: EngineHost) -> Bag:
        del host
        try:
            networks = published(weights_named(self.name), self._weights_folder, self.rows)
        except WeightsError as fault:
            raise EngineError(fault.message) from fault
        return Bag(networks=networks, segment_s=self.segment_s)

    def _missing_weights(self) -> str:
        weights = weights_named(self.name)
        if self._weights_folder.is_here(weights):
            return ""
        return (
            f"The weights {self.name} are not here. Fetch them: stembridge models pull {self.name} "
            f"({weights.size_bytes / 1e6:.0f} MB, {weights.licence})"
        )

    @property
    def _weights_folder(self) -> WeightsFolder:
        return WeightsFolder(self.config.weights_folder)


class HTDemucs(DemucsSeparator):
    """The hybrid transformer: one network for all stems."""

    name = "htdemucs"


class HTDemucsFt(DemucsSeparator):
    """Four networks, each tuned for one stem; three are run, since ``other`` is the rest."""

    name = "htdemucs_ft"
    rows = _ONE_EACH


class HTDemucs6s(DemucsSeparator):
    """Guitar and piano as well."""

    name = "htdemucs_6s"
    sources = ("drums", "bass", "other", "vocals", "guitar", "piano")
    roles = (*FOUR_STEMS, Role.GUITAR, Role.PIANO)


class HDemucsMmi(DemucsSeparator):
    """The third version, trained on more songs, in long segments: slower and larger."""

    name = "hdemucs_mmi"
    segment_s = 44.0


class DemucsLocal(DemucsSeparator):
    """A model of four stems from a folder of the user's own (``demucs.repository``, ``demucs.model``)."""

    name = "demucs_local"

    @property
    def version(self) -> str:
        """Changes with the model's files, too."""
        folder = Path(self.config.demucs.repository).expanduser()
        files = sorted(folder.glob("*")) if self.config.demucs.repository else []
        marks = [
            f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files if file.is_file()
        ]
        return f"{super().version} {self.config.demucs.model} {_digest(marks)}"

    def _bag(self, host: EngineHost) -> Bag:
        return from_repository(self.config, lambda file: host.ask("bag", {"file": str(file)}))

    def _missing_weights(self) -> str:
        settings = self.config.demucs
        if settings.repository and settings.model:
            return ""
        return "No model of yours is named: set demucs.repository and demucs.model."


def _write(
    source: Path,
    carried: Carried,
    stems: Mapping[Role, Path],
    targets: Mapping[Role, Path],
    progress: Progress,
) -> None:
    """The stems in the song's own form, and the rest of the song as ``other``."""
    with ExitStack() as stack:
        reader = stack.enter_context(open_audio(source))
        info = reader.info
        writers = {
            role: stack.enter_context(AudioWriter(path, rate_hz=info.rate_hz, channels=info.channels))
            for role, path in targets.items()
        }
        raws = {role: RawStem(path, info.rate_hz, info.channels) for role, path in stems.items()}
        for start in range(0, carried.source_frames, BLOCK_FRAMES):
            count = min(BLOCK_FRAMES, carried.source_frames - start)
            around = fetch(reader, carried.source_frames, start - QUIET_FRAMES, count + 2 * QUIET_FRAMES)
            blocks = {role: raw.read(count) for role, raw in raws.items()}
            hush(list(blocks.values()), around)
            blocks[Role.OTHER] = _rest(around[:, QUIET_FRAMES : QUIET_FRAMES + count], blocks)
            for role, writer in writers.items():
                writer.write(blocks[role])
            progress((start + count) / carried.source_frames)
    progress(1.0)


def _part(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step that covers ``start`` to ``end`` of the whole."""
    return lambda share: progress(start + (end - start) * min(1.0, share))


def _rest(source: Samples, blocks: Mapping[Role, Samples]) -> Samples:
    rest = source.astype(np.float64)
    for block in blocks.values():
        rest -= block
    return rest.astype(np.float32)


def _digest(marks: list[str]) -> str:
    import hashlib

    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]


def _cores() -> int:
    """Cores that this process may use; threads that share one only get into each other's way."""
    import os

    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))
