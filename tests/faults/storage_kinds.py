"""The faults of storage that the real service is driven through, each as a trial of its own."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from bridge.values import Job, JobState
from tests.faults.harness import children_of, send
from tests.faults.storage_disks import (
    EXT4_MOUNTS,
    Disk,
    forbidden,
    has_xfs,
    why_no_disks,
    why_no_power,
    why_none_forbidden,
)
from tests.faults.storage_power import is_sound, tear_unsynced, tear_wal
from tests.faults.storage_scene import Counts, Scene
from tests.serving import Serving, until

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
DISK_MB = 48
PARTS = (("",), ("stages",), ("jobs.sqlite3", "jobs.sqlite3-wal"), ("", "stages"), ("logs",))
"""What of the data folder cannot be written at the same time."""
HELD_S = ((0.5, 3.0), (1.0, 14.0), (15.0, 25.0))
"""How long the database is locked: the service waits 15 s for it, at most."""
JUMPS = ("+1d", "-1d", "+365d", "-2h", "+0")


class Trial:
    """What every kind needs: a folder, chance, a name, and where to count."""

    def __init__(self, root: Path, seed: int, kind: str, number: int, counts: Counts) -> None:
        self.root, self.counts = root, counts
        self.chance = random.Random(f"{seed}/{kind}/{number}")
        self.name = f"{kind} {number}"

    def scene(self, **at: Path) -> Scene:
        """A home with these folders elsewhere."""
        return Scene(self.root / "home", self.chance, self.counts, self.name, at)

    def disk(self, kinds: tuple[str, ...] = ("tmpfs", "ext4")) -> Disk:
        """A disk of one of these kinds, mounted in one of the ways that are usual for it."""
        kind = self.chance.choice(kinds)
        options = self.chance.choice(EXT4_MOUNTS) if kind == "ext4" else ""
        return Disk(kind, self.root / f"disk-{self.chance.getrandbits(24):x}", DISK_MB, options)

    def fault(self) -> None:
        """Count one."""
        self.counts.faults_made += 1


def full_data(trial: Trial) -> None:
    """The disk of the data folder fills up to any degree, once or twice, and is freed."""
    with trial.disk() as disk:
        _run_full(trial, trial.scene(data=disk.path / "data"), disk)


def full_project(trial: Trial) -> None:
    """The disk to which is delivered fills up."""
    with trial.disk() as disk:
        _run_full(trial, trial.scene(project=disk.path / "project"), disk)


def full_watched(trial: Trial) -> None:
    """The disk of the watched folder fills up: songs break off, notes find no room."""
    with trial.disk() as disk:
        _run_full(trial, trial.scene(songs=disk.path / "songs"), disk)


def full_all(trial: Trial) -> None:
    """Everything lies on one disk."""
    with trial.disk() as disk:
        places = {name: disk.path / name for name in ("songs", "project", "data")}
        _run_full(trial, trial.scene(**places), disk)


def _run_full(trial: Trial, scene: Scene, disk: Disk) -> None:
    with scene.home.serve() as serving:
        for _ in range(trial.chance.randint(1, 2)):
            scene.feed()
            scene.pause(1.5)
            disk.fill(trial.chance.choice([0, 0, 4096, 100_000, 700_000, 1_500_000, 3_000_000]))
            trial.fault()
            scene.feed(1)
            if trial.chance.random() < 0.5:
                scene.submit()
            if trial.chance.random() < 0.3:
                with contextlib.suppress(OSError):
                    scene.feed_bad()
            scene.pause(4.0, 0.5)
            scene.judge_failed("while the disk was full")
            scene.judge_visible("while the disk was full")
            disk.free()
        scene.finish(serving)
    scene.judge_rest()


def read_only_project(trial: Trial) -> None:
    """The project's disk can be read alone, for a while."""
    with trial.disk() as disk:
        scene = trial.scene(project=disk.path / "project")
        _run_read_only(trial, scene, disk)


def read_only_watched(trial: Trial) -> None:
    """The watched folder's disk can be read alone, for a while: no note can be written."""
    with trial.disk() as disk:
        scene = trial.scene(songs=disk.path / "songs")
        _run_read_only(trial, scene, disk, is_bad=True)


def _run_read_only(trial: Trial, scene: Scene, disk: Disk, *, is_bad: bool = False) -> None:
    with scene.home.serve() as serving:
        scene.feed()
        scene.pause(1.5)
        if is_bad:
            scene.feed_bad()
        disk.read_only()
        trial.fault()
        scene.submit()
        scene.feed(1)
        scene.pause(4.0, 1.0)
        scene.judge_failed("while the disk was read-only")
        scene.judge_visible("while the disk was read-only")
        disk.writable()
        scene.feed(1)
        scene.finish(serving)
    scene.judge_rest()


def forbidden_at_start(trial: Trial) -> None:
    """The data folder cannot be written when the service starts: it says so, and starts when it can."""
    scene = trial.scene()
    with scene.home.serve():
        scene.feed()
        scene.pause(1.5)
    there = [scene.home.data, *scene.home.data.glob("*")]
    with forbidden(*there[: trial.chance.choice([1, len(there)])]):
        trial.fault()
        serving = scene.home.serve(wait=False)
        _expect_kind_end(scene, serving)
        scene.feed(1)
    with scene.home.serve() as serving:
        scene.finish(serving)
    scene.judge_rest()


def _expect_kind_end(scene: Scene, serving: Serving) -> None:
    try:
        code = serving.process.wait(20)
    except Exception:
        serving.kill()
        scene.wrong(f"the service started in a data folder that it cannot write: {serving.said()[-800:]}")
        return
    said = serving.said()
    if code == 0 or "Traceback" in said or str(scene.home.data) not in said:
        scene.wrong(f"no kind words about a data folder that cannot be written (exit {code}): {said[-1500:]}")


def forbidden_midway(trial: Trial) -> None:
    """The data folder, all of it or a part, cannot be written for a while."""
    scene = trial.scene()
    data = scene.home.data
    parts = trial.chance.choice(PARTS)
    with scene.home.serve() as serving:
        scene.feed()
        until((data / "stages").exists)
        scene.pause(1.0)
        with forbidden(*(data / part for part in parts)):
            trial.fault()
            scene.submit()
            scene.feed()
            scene.pause(4.0, 1.5)
            scene.judge_failed(f"while {parts} could not be written")
        scene.feed(1)
        scene.finish(serving)
    scene.judge_failed("after the data folder could not be written")
    scene.judge_rest()


def locked(trial: Trial) -> None:
    """Another process holds the database's write lock, for up to 25 s."""
    scene = trial.scene()
    with scene.home.serve() as serving:
        for _ in range(trial.chance.randint(1, 2)):
            scene.feed()
            scene.pause(1.0)
            held_s = trial.chance.uniform(*trial.chance.choice(HELD_S))
            connection = sqlite3.connect(scene.home.data / "jobs.sqlite3", timeout=20, isolation_level=None)
            connection.execute(trial.chance.choice(["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"]))
            trial.fault()
            scene.feed(1)
            threading.Event().wait(held_s)
            connection.execute(trial.chance.choice(["COMMIT", "ROLLBACK"]))
            connection.close()
        scene.feed(1)
        scene.finish(serving)
    scene.judge_rest()


def power_cut(trial: Trial) -> None:
    """The power of both disks goes, up to three times; they come back as their file systems find them."""
    kinds = ("ext4", "ext4", "xfs") if has_xfs() else ("ext4",)
    with contextlib.ExitStack() as disks:
        data, project = (disks.enter_context(trial.disk(kinds)) for _ in range(2))
        scene = trial.scene(data=data.path / "here/data", project=project.path / "there/project")
        os.sync()
        for _ in range(trial.chance.randint(1, 3)):
            serving = scene.home.serve(wait=False)
            scene.feed()
            scene.pause(0.8)
            scene.submit()
            scene.pause(3.0)
            known = {job.id: job.state for job in scene.jobs()}
            for disk in trial.chance.sample([data, project], 2):
                disk.cut()
            trial.fault()
            _kill_all(serving)
            data.power_up()
            project.power_up()
            _judge_known(scene, known)
        with scene.home.serve() as serving:
            scene.finish(serving)
        scene.judge_rest()


def power_torn(trial: Trial) -> None:
    """All is killed at once; then the log's end and files that were not synced are torn."""
    scene = trial.scene()
    for _ in range(trial.chance.randint(1, 3)):
        serving = scene.home.serve(wait=False)
        scene.feed()
        scene.pause(0.8)
        scene.submit()
        scene.pause(3.0)
        known = {job.id: job.state for job in scene.jobs()}
        _kill_all(serving)
        trial.fault()
        hidden = [*scene.home.data.glob("stages/.*"), *scene.home.project.glob("StemBridge/.*")]
        torn = tear_wal(scene.home.data / "jobs.sqlite3", trial.chance)
        files = tear_unsynced(hidden, trial.chance)
        _judge_known(scene, known, f" ({torn}; {files} files)")
    with scene.home.serve() as serving:
        scene.finish(serving)
    scene.judge_rest()


def _kill_all(serving: Serving) -> None:
    """The service and its workers, stopped first: nothing may happen in between."""
    everyone = [serving.process.pid, *children_of(serving.process.pid)]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in everyone:
            send(number, pid)
    serving.process.wait()
    for pid in everyone[1:]:
        while _lives(pid):
            threading.Event().wait(0.005)


def _lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] not in "ZX"
    return False


def _judge_known(scene: Scene, known: dict[str, JobState], how: str = "") -> None:
    """What was on record is on record still, and what was done is there."""
    when = f"after the power cut{how}"
    scene.counts.acknowledged += len(known)
    database = scene.home.data / "jobs.sqlite3"
    if database.exists() and (words := is_sound(database)) != "ok":
        scene.wrong(f"{when}, the database: {words}")
    now = {job.id: job for job in scene.home.jobs()} if database.exists() else {}
    for job_id, state in known.items():
        if job_id not in now:
            scene.counts.lost.append(f"{scene.name}: job {job_id} ({state}) is on no record {when}")
        elif state is JobState.SUCCESS and not _is_there(now[job_id]):
            scene.counts.lost.append(f"{scene.name}: {now[job_id]} had succeeded {when}")
    scene.judge_visible(when)


def _is_there(job: Job) -> bool:
    delivery = job.delivery
    if job.state is not JobState.SUCCESS or delivery is None:
        return False
    return (Path(delivery.folder) / "manifest.json").exists()


def clock_jumps(trial: Trial) -> None:
    """The clock is set by days and a year, forwards and back, while songs come and jobs run."""
    scene = trial.scene()
    stamp = trial.root / "clock"
    _set_clock(stamp, "+0")
    extra = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    with scene.home.serve(extra=extra) as serving:
        for jump in trial.chance.sample(JUMPS, 3):
            scene.feed()
            scene.pause(2.0)
            _set_clock(stamp, jump)
            trial.fault()
            scene.pause(2.0, 1.0)  # it is looked at once a second
        scene.finish(serving)
    scene.judge_rest()


def _set_clock(stamp: Path, jump: str) -> None:
    partial = stamp.with_name("clock.new")
    partial.write_text(f"{jump}\n", encoding="utf-8")
    partial.replace(stamp)


def why_no_clock() -> str:
    """Why the clock cannot be set for the service alone; "" where it can."""
    return "" if FAKETIME.exists() else "faketime is not installed"


def why_nothing() -> str:
    """For what works everywhere."""
    return "" if shutil.which("kill") else "no POSIX system"


Kind = Callable[[Trial], None]

KINDS: dict[str, tuple[Kind, Callable[[], str]]] = {
    "full data": (full_data, why_no_disks),
    "full project": (full_project, why_no_disks),
    "full watched": (full_watched, why_no_disks),
    "full all": (full_all, why_no_disks),
    "read-only project": (read_only_project, why_no_disks),
    "read-only watched": (read_only_watched, why_no_disks),
    "forbidden at start": (forbidden_at_start, why_none_forbidden),
    "forbidden midway": (forbidden_midway, why_none_forbidden),
    "locked": (locked, why_nothing),
    "power cut": (power_cut, why_no_power),
    "power torn": (power_torn, why_nothing),
    "clock": (clock_jumps, why_no_clock),
}
"""Each kind, and why it cannot be played here."""
