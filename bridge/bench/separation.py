"""Demucs through our engine and through its own command, as whole processes, with the same weights.

Without published weights, networks of the real size with random numbers take their place: the time and the
memory are then real, and what comes out is no music.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import open_audio
from bridge.bench.jobs import Tell, make_song
from bridge.children import Tail, python_command
from bridge.config import Config
from bridge.engines.apart import close_all
from bridge.engines.demucs import DemucsLocal, make_repository
from bridge.engines.demucs.engine import start_of
from bridge.errors import StembridgeError
from bridge.hashes import hash_file
from bridge.protocols import no_progress
from bridge.values import Role, Seconds, Value
from bridge.weights import WeightsFolder, weights_named

MODEL = "htdemucs"
LOOK_EVERY_S = 0.05
COMPARED = (Role.VOCALS, Role.DRUMS, Role.BASS)
"""``other`` is the rest of the song here, and the network's own there."""
_OURS = "from bridge.bench.separation import separate_once; separate_once(*sys.argv[2:])"


class Run(Value):
    """One whole process, with all that it started."""

    seconds: Seconds
    cpu_seconds: Seconds
    """Of the processor, in all its threads; 0 where the system does not tell."""
    peak_bytes: int


class Compared(Value):
    """Both ways on one song."""

    length_s: Seconds
    weights: str
    """"published" or "random"."""
    ours: Run
    preview: Run
    theirs: Run
    snr_db: dict[str, float]
    """Of our stems to theirs."""
    setup: str
    """Device and precision that ours ran with."""

    @property
    def speed(self) -> float:
        """How many times as fast: 1.35 is promised where the processor has bf16."""
        return self.theirs.seconds / self.ours.seconds

    @property
    def cpu_speed(self) -> float:
        """The same by the processor's time, which a busy machine distorts less."""
        return self.theirs.cpu_seconds / max(1e-9, self.ours.cpu_seconds)

    @property
    def memory(self) -> float:
        """Our share of their memory."""
        return self.ours.peak_bytes / self.theirs.peak_bytes

    @property
    def preview_cost(self) -> float:
        """Seconds of work for a second of music in quality ``preview``."""
        return self.preview.seconds / self.length_s


def compare_separation(
    lengths_s: list[float], config: Config, folder: Path, tell: Tell
) -> Iterator[Compared]:
    """Measure both at every length, in ``folder``; EngineError where Demucs is not installed."""
    tell("Making the model's files ...")
    repository, weights, setup = _repository(config, folder)
    for length_s in lengths_s:
        tell(f"Making a song of {length_s:g} s ...")
        song = folder / f"song {length_s:g}.wav"
        make_song(song, length_s, None)
        tell(f"Through the engine, {length_s:g} s ...")
        ours = _ours(config, repository, song, folder / "ours", "standard")
        preview = _ours(config, repository, song, folder / "preview", "preview")
        tell(f"Through the demucs command, {length_s:g} s ...")
        theirs = _theirs(config, repository, song, folder / "theirs")
        yield Compared(
            length_s=length_s,
            weights=weights,
            ours=ours,
            preview=preview,
            theirs=theirs,
            snr_db={role.value: _snr_db(folder, song, role) for role in COMPARED},
            setup=setup,
        )


def separate_once(settings: str, source: str, target: str) -> None:
    """What our process does: one song, as a job would."""
    config = Config.model_validate_json(settings)
    DemucsLocal(config).separate(Path(source), Path(target), no_progress)
    close_all()


def _repository(config: Config, folder: Path) -> tuple[Path, str, str]:
    """The model as both can load it: a local repository with one pickle."""
    place = folder / "repository"
    place.mkdir()
    weights, published = weights_named(MODEL), WeightsFolder(config.weights_folder)
    parts = published.require(weights) if published.is_here(weights) else {}
    look = make_repository(config, place, MODEL, next(iter(parts.values()), None))
    return place, "published" if parts else "random", f"{look.device}, {look.precision}"


def _ours(config: Config, repository: Path, song: Path, target: Path, quality: str) -> Run:
    (file,) = repository.glob("*.th")
    mine = {
        "repository": str(repository),
        "model": MODEL,
        "quality": quality,
        "hashes": {file.name: hash_file(file)},
    }
    settings = config.evolve(demucs=config.demucs.evolve(**mine)).model_dump_json()
    target.mkdir(exist_ok=True)
    return _measured(python_command(_OURS, settings, str(song), str(target)))


def _theirs(config: Config, repository: Path, song: Path, target: Path) -> Run:
    """As float32 and unclipped, so that both write the same."""
    device = config.demucs.device if config.demucs.device != "auto" else None
    options = ["-n", MODEL, "--repo", str(repository), "--shifts", "0", "--float32", "--clip-mode", "none"]
    options += ["-o", str(target), *(["-d", device] if device else [])]
    return _measured([str(start_of(config).python), "-m", "demucs", *options, str(song)])


def _measured(command: list[str]) -> Run:
    started_s, cpu_s = time.perf_counter(), _children_s()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )
    peak = _Peak(process.pid)
    noise = Tail()
    assert process.stderr is not None
    with process.stderr as pipe:
        watch = peak.started()
        noise.fill_from(pipe)
        process.wait()
    seconds = time.perf_counter() - started_s
    watch()
    if process.returncode:
        raise StembridgeError(f"The bench's own process failed: {noise.text()[-2000:]}")
    return Run(seconds=seconds, cpu_seconds=_children_s() - cpu_s, peak_bytes=peak.bytes)


def _children_s() -> float:
    """Processor time of all children that ended, and of theirs."""
    try:
        import resource
    except ImportError:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass
class _Peak:
    """The most memory that a process and all that it started held at once."""

    pid: int
    bytes: int = 0

    def started(self) -> Callable[[], None]:
        """Look again and again; what is given back ends it."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,), daemon=True)
        thread.start()

        def end() -> None:
            over.set()
            thread.join()

        return end

    def _look(self, over: threading.Event) -> None:
        import psutil

        while not over.wait(LOOK_EVERY_S):
            try:
                process = psutil.Process(self.pid)
                family = [process, *process.children(recursive=True)]
                self.bytes = max(self.bytes, sum(member.memory_info().rss for member in family))
            except psutil.Error:
                continue


def _offset(song: Path) -> float:
    """The mean of all samples."""
    total, count = 0.0, 0
    with open_audio(song) as reader:
        for block in reader.blocks():
            total += float(block.sum(dtype=np.float64))
            count += block.size
    return total / max(1, count)


def _snr_db(folder: Path, song: Path, role: Role) -> float:
    """Of our stem to theirs, where it sounds: digital silence stays silent here, and hums there.

    They add the song's constant offset to every stem, which is taken out first.
    """
    offset = _offset(song)
    signal = error = 0.0
    theirs = folder / "theirs" / MODEL / song.stem / f"{role.value}.wav"
    with open_audio(folder / "ours" / f"{role.value}.wav") as mine, open_audio(theirs) as other:
        for found, wanted in zip(mine.blocks(), other.blocks(), strict=True):
            sounds = found.any(axis=0)
            right = wanted[:, sounds] - offset
            signal += float(np.square(right).sum())
            error += float(np.square(found[:, sounds] - right).sum())
    return round(10 * float(np.log10(signal / max(error, 1e-30))), 1)
