"""The bench: how long whole jobs take, and what memory, against references measured in the same run.

Absolute seconds tell little on a busy machine; so each job is put beside the song's length, beside reading
and writing the same files and nothing else, and the master beside matchering where that is installed.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bridge.audio import AudioWriter, open_audio
from bridge.config import Config
from bridge.errors import StembridgeError
from bridge.jobs import StageRecord, Workers, hash_source, open_store, run_job, submit_request
from bridge.values import JobRequest, SampleFormat, Seconds, Value

COMPOSED_MOST_S = 180.0
"""Longer songs repeat a composed one: what is measured does not depend on what is new in it."""
WARM_UP_S = 12.0
Tell = Callable[[str], None]


class Measured(Value):
    """One job, and the references beside it."""

    length_s: Seconds
    recipe: str
    seconds: Seconds
    stages: dict[str, float]
    peak_bytes: int
    """Of the worker and this process together, each at its own highest: an upper bound."""
    copy_seconds: Seconds
    """Reading the source and every delivered WAV, and writing them again."""
    matchering_seconds: Seconds | None
    """matchering 2 on the same song, reading and writing included; None where it is not installed."""

    @property
    def ratio(self) -> float:
        """Seconds of work for a second of music: 0.35 is what ``full`` promises."""
        return self.seconds / self.length_s

    @property
    def to_copy(self) -> float:
        """Against reading and writing the same files."""
        return self.seconds / max(1e-9, self.copy_seconds)

    @property
    def to_matchering(self) -> float | None:
        """The mastering stage against matchering."""
        if not self.matchering_seconds or "master" not in self.stages:
            return None
        return self.stages["master"] / self.matchering_seconds


def run_bench(
    lengths_s: list[float], recipes: list[str], config: Config, folder: Path, tell: Tell
) -> Iterator[Measured]:
    """Measure every recipe at every length, in ``folder``; songs are removed when they are done."""
    with Workers(threads=1) as workers:
        tell("Warming up ...")
        warm = _song(folder / "warm.wav", WARM_UP_S)
        for recipe in recipes:
            _job(warm, recipe, config, folder, workers)
        for length_s in lengths_s:
            tell(f"Making a song of {length_s:g} s ...")
            song = _song(folder / f"song {length_s:g}.wav", length_s)
            matchering_s = _matchering_seconds(song, warm, folder) if length_s <= 1200 else None
            for recipe in recipes:
                tell(f"{recipe}, {length_s:g} s ...")
                yield _measured(song, length_s, recipe, config, folder, workers, matchering_s)
            song.unlink()


def _measured(
    song: Path,
    length_s: float,
    recipe: str,
    config: Config,
    folder: Path,
    workers: Workers,
    matchering_s: float | None,
) -> Measured:
    started_s = time.perf_counter()
    delivered, stages, peak_bytes = _job(song, recipe, config, folder, workers)
    seconds = time.perf_counter() - started_s
    return Measured(
        length_s=length_s,
        recipe=recipe,
        seconds=seconds,
        stages={record.stage: round(record.seconds, 3) for record in stages},
        peak_bytes=peak_bytes + _own_peak_bytes(),
        copy_seconds=_copy_seconds([song, *sorted(delivered.rglob("*.wav"))], folder),
        matchering_seconds=matchering_s,
    )


def _job(
    song: Path, recipe: str, config: Config, folder: Path, workers: Workers
) -> tuple[Path, tuple[StageRecord, ...], int]:
    """A whole job by the path that ``process`` takes, hashing and queueing included, on an empty shelf."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    config = config.evolve(work=config.work.evolve(folder=str(data)))
    store = open_store(config.data_folder / "jobs.sqlite3")
    try:
        request = JobRequest(source=song, recipe=recipe, destination=folder / "project")
        job = submit_request(store, request, hash_source(song)).job
        ended = run_job(store, job.id, settings=config, workers=workers)
        if ended is None or ended.job.delivery is None or ended.job.error:
            raise StembridgeError(
                f"The bench's own job failed: {ended.job.error if ended else 'it was taken'}"
            )
        return ended.job.delivery.folder, store.stages(job.id), ended.outcome.peak_bytes or 0
    finally:
        store.close()


def _song(path: Path, length_s: float) -> Path:
    """A song, made in a process of its own: composing takes memory that the bench must not be blamed for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Workers(threads=1, keep_alive_s=0) as workers:
        outcome = workers.run("bridge.bench.jobs:make_song", path, length_s)
    if outcome.error is not None:
        raise outcome.error
    return path


def make_song(path: Path, length_s: float, _report: object) -> None:
    """Write a composed song as 16-bit WAV, repeated where it is longer than a composed one."""
    from bridge.generate import compose, random_spec

    part = compose(random_spec(3, duration_s=min(length_s, COMPOSED_MOST_S))).mixture
    left = round(length_s * part.rate_hz)
    with AudioWriter(
        path, rate_hz=part.rate_hz, channels=part.channels, sample_format=SampleFormat.INT16
    ) as out:
        while left > 0:
            block = part.samples[:, :left]
            out.write(np.ascontiguousarray(block))
            left -= block.shape[1]


def _copy_seconds(files: list[Path], folder: Path) -> float:
    target = folder / "copy.wav"
    started_s = time.perf_counter()
    for file in files:
        with open_audio(file) as reader:
            info = reader.info
            with AudioWriter(target, rate_hz=info.rate_hz, channels=info.channels) as out:
                for block in reader.blocks():
                    out.write(block)
    seconds = time.perf_counter() - started_s
    target.unlink(missing_ok=True)
    return seconds


def _matchering_seconds(song: Path, reference: Path, folder: Path) -> float | None:
    if importlib.util.find_spec("matchering") is None:
        return None
    script = (
        "import sys, time, matchering as m\n"
        "started = time.perf_counter()\n"
        "m.process(target=sys.argv[1], reference=sys.argv[2], results=[m.pcm24(sys.argv[3])])\n"
        "print(time.perf_counter() - started)\n"
    )
    out = folder / "matchering.wav"
    command = [sys.executable, "-c", script, str(song), str(reference), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    out.unlink(missing_ok=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def _own_peak_bytes() -> int:
    """Most memory that this process held; 0 on Windows, which does not tell it this way."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
