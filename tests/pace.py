"""How fast the service answers and what it costs: the figures that are promised, measured on this machine.

``python -m tests.pace`` prints them; ``python -m tests.pace --only osc`` measures a part. Each part starts a
service of its own. Its songs are short, so that what is measured is the service and not the music.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from ableton.client import OscClient
from bridge.config import load_config
from bridge.jobs import Workers, hash_source, submit_request
from bridge.values import Job, JobRequest, JobState
from tests.badinput.cases import music, write
from tests.serving import Home, until

SHIPPED = {"service": {"look_s": 2.0}, "watch": {"quiet_s": 3.0, "rescan_s": 60.0, "poll_s": 5.0}}
REST_AFTER_S = 61.0
REST_FOR_S = 30.0
WORK_S = 120.0
"""A song that keeps a worker busy while the doors are measured."""


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def spread(name: str, seconds: Sequence[float], promise: str) -> None:
    """Median, 99th percentile and maximum."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    figures = (statistics.median(ordered), p99, ordered[-1])
    median, p99_ms, most = (f"{1000 * value:.1f}" for value in figures)
    tell(f"{name}: {len(ordered)} times, median {median} ms, p99 {p99_ms} ms, most {most} ms ({promise})")


@contextlib.contextmanager
def home(root: Path, name: str, settings: dict[str, dict[str, object]] | None = None) -> Iterator[Home]:
    """A home with settings as shipped, but for its folders and ports."""
    over = {section: dict(values) for section, values in SHIPPED.items()}
    for section, values in (settings or {}).items():
        over[section] = over.get(section, {}) | values
    yield Home(root / name, settings=over)


def measure_start(root: Path) -> None:
    """From the command to ready: the first time on a machine, and then."""
    with home(root, "start") as place:
        times = []
        for _ in range(5):
            with place.serve() as serving:
                times.append(serving.ready_s)
    tell(f"start: first {times[0]:.2f} s, then {statistics.median(times[1:]):.2f} s (promised < 2 s)")


def measure_rest(root: Path) -> None:
    """A minute after its last job."""
    with home(root, "rest") as place, place.serve() as serving:
        write(place.songs / "One.wav", music(2.0))
        until(place.ended)
        threading.Event().wait(REST_AFTER_S)
        whole = [psutil.Process(serving.process.pid)]
        whole += whole[0].children(recursive=True)
        held = sum(process.memory_info().rss for process in whole)
        before = sum(sum(process.cpu_times()[:2]) for process in whole)
        threading.Event().wait(REST_FOR_S)
        used = sum(sum(process.cpu_times()[:2]) for process in whole) - before
    tell(
        f"rest: {held / 1e6:.0f} MB in {len(whole)} processes (promised < 150), "
        f"{100 * used / REST_FOR_S:.2f} % of a core (promised < 1)"
    )


def measure_pickup(root: Path, drops: int = 40) -> None:
    """From the last byte to the committed job, less the quiet time: idle, then while jobs run."""
    for is_busy in (False, True):
        with home(root, f"pickup-{is_busy}", {"watch": {"quiet_s": 1.0}}) as place, place.serve():
            if is_busy:
                _keep_busy(place)
            late = [_drop(place, number) - 1.0 for number in range(drops)]
        spread(f"pick-up {'under load' if is_busy else 'idle'}", late, "promised <= 2 s")


def _drop(place: Home, number: int) -> float:
    """Seconds from a song's last byte to its job."""
    made = place.root / "next.part"
    write(made, music(1.2 + number / 1000))
    song, dropped_s = place.songs / f"Song {number}.wav", time.time()
    made.rename(song)

    def job() -> list[Job]:
        return [job for job in place.jobs() if job.request.source == song]

    until(job, every_s=0.02)
    return job()[0].created_s - dropped_s


def measure_osc(root: Path, commands: int = 600) -> None:
    """From a command to its ack and to its commit, while jobs run."""
    chance = random.Random(1)
    with home(root, "osc") as place, place.serve():
        _keep_busy(place)
        songs = [place.root / f"Asked {number}.wav" for number in range(commands)]
        for number, song in enumerate(songs):
            write(song, music(1.2 + number / 1000))
        with OscClient("127.0.0.1", place.port) as client:
            pending = []
            for song in songs:
                pending.append(client.send("process", str(song), "master-only", str(place.project)))
                pending[-1].wait()
                threading.Event().wait(chance.uniform(0.0, 0.1))
        spread("osc ack", [p.acked_s - p.sent_s for p in pending if p.acked_s], "promised p99 <= 20 ms")
        spread(
            "osc accepted",
            [p.answered_s - p.sent_s for p in pending if p.answered_s],
            "promised p99 <= 150 ms",
        )


def _keep_busy(place: Home) -> None:
    """A long song, full recipe, at work; others wait behind it."""
    song = place.root / "Busy.wav"
    write(song, music(WORK_S))
    for target in ("streaming", "podcast", "club", "broadcast", "apple"):
        _submit(place, song, target)
    until(lambda: place.ended(JobState.PROCESSING))


def _submit(place: Home, song: Path, target: str) -> None:
    request = JobRequest(
        source=song, recipe="full", destination=place.project, targets=(target,), keep_separated=True
    )
    with place.store() as store:
        submit_request(store, request, hash_source(song))


def measure_throughput(root: Path, count: int = 1000) -> None:
    """Small files queued at once, against the same work without service, store, watcher or log.

    Presets are not compared in plug-ins: that takes twice as long as all the rest of so small a song, and
    would hide what the service costs.
    """
    lean: dict[str, dict[str, object]] = {"vst3": {"compares": False}}
    with home(root, "bare", lean) as place:
        songs = _songs(place.root / "made", count)
        before_s = _bare(place, songs[: count // 2], "first")
        with home(root, "queued", lean | {"watch": {"quiet_s": 1.0}}) as fed, fed.serve():
            started_s = time.monotonic()
            for song in songs:
                song.rename(fed.songs / song.name)
            until(lambda: fed.state() is not None and len(fed.deliveries) >= count, 3600, every_s=0.2)
            until(lambda: len(fed.ended()) == count, 60)
            queued_s = time.monotonic() - started_s
            moved = [fed.songs / song.name for song in songs]
            doubled = len(fed.deliveries) - count
        after_s = _bare(place, moved[count // 2 :], "second")
    bare_s = before_s + after_s
    tell(
        f"{count} small files: {queued_s:.1f} s through the folder, {bare_s:.1f} s bare: throughput "
        f"{bare_s / queued_s:.2f} of bare (promised >= 0.9); {doubled} doubled"
    )


def _songs(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    songs = [folder / f"Small {number}.wav" for number in range(count)]
    for number, song in enumerate(songs):
        write(song, music(2.0 + number / 5000))
    return songs


def _bare(place: Home, songs: Sequence[Path], part: str) -> float:
    """Seconds for the same jobs, one after the other in one warm worker."""
    config = load_config(place.config, {"work": {"folder": str(place.root / f"bare-{part}")}})
    started_s = time.monotonic()
    with Workers(threads=1, niceness=config.service.niceness) as workers:
        for number, song in enumerate(songs):
            request = JobRequest(source=song, recipe="master-only", destination=place.project / part)
            job = Job(id=f"{number:016x}", request=request, created_s=0.0, updated_s=0.0)
            outcome = workers.run("bridge.pipeline:run_job", job, config)
            assert outcome.is_success, outcome.error
    return time.monotonic() - started_s


PARTS: dict[str, Callable[[Path], None]] = {
    "start": measure_start,
    "osc": measure_osc,
    "pickup": measure_pickup,
    "rest": measure_rest,
    "throughput": measure_throughput,
}


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.pace", description=__doc__)
    parser.add_argument("--only", choices=PARTS, default=None)
    only = parser.parse_args().only
    for name, measure in PARTS.items():
        if only in (None, name):
            with tempfile.TemporaryDirectory(prefix="stembridge-pace-") as root:
                measure(Path(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
