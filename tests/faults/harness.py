"""Starts the real command, kills it at a chosen moment, and judges what is left and what comes next."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bridge.hashes import hash_file
from bridge.jobs import open_store
from bridge.values import Job, JobState
from tests.badinput.cases import music, write
from tests.badinput.command import Place, Ran, deliveries, faults_of, left_in

STAGES = (
    "ingest", "analyse", "separate", "restore", "transcribe", "mix", "master", "qa", "export", "deliver",
)  # fmt: skip
WRITTEN = "written"
"""Not a stage: the moment at which all is gathered, and has not got its place."""
DELIVERED = "delivered"
"""Not a stage: the moment at which the delivery has got its place, and nobody knows of it yet."""
ORPHAN_S = 2.0
"""A worker whose parent is gone has this long."""
LONGEST_S = 120.0


class Victim(StrEnum):
    """Whom the signal meets."""

    PARENT = "parent"
    WORKER = "worker"
    BOTH = "both"
    INTERRUPT = "interrupt"
    """Ctrl-C in a terminal: SIGINT to the command's process group."""
    TERMINATE = "terminate"
    """SIGTERM to the command, as a closing session does."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """Whom to kill, and when: so long after a stage began, or after the start of the command."""

    victim: Victim
    stage: str = ""
    after_s: float = 0.0


@dataclass(kw_only=True)
class Counts:
    """What went wrong, each with the words that tell it."""

    trials: int = 0
    kills: int = 0
    too_late: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    wrong_states: list[str] = field(default_factory=list)
    run_again: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    longest_orphan_s: float = 0.0

    def faults(self) -> list[str]:
        """All of them."""
        kinds = {
            "lost": self.lost,
            "doubled": self.doubled,
            "half": self.half,
            "wrong state": self.wrong_states,
            "run again": self.run_again,
            "orphan": self.orphans,
        }
        return [f"{kind}: {words}" for kind, found in kinds.items() for words in found]

    def __str__(self) -> str:
        return (
            f"{self.trials} trials, {self.kills} kills ({self.too_late} came after the end): "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.half)} half, "
            f"{len(self.wrong_states)} wrong states, {len(self.run_again)} stages run again, "
            f"{len(self.orphans)} orphans; the longest-lived worker outlived its parent by "
            f"{self.longest_orphan_s:.2f} s"
        )


class Scene:
    """One song, one project, one data folder; a command that is given again and again."""

    def __init__(self, root: Path, counts: Counts, recipe: str = "full", seconds: float = 3.0) -> None:
        self.place = Place(root=root)
        self.counts = counts
        self._recipe = recipe
        self._song = self.place.songs / "Night Drive.wav"
        write(self._song, music(seconds))
        self._sha256, self._mtime = hash_file(self._song), self._song.stat().st_mtime_ns
        self._told: set[tuple[str, int, str]] = set()

    def run_and_kill(self, kill: Kill) -> bool:
        """Run the command until it is killed; whether it had delivered and said so before that."""
        finished = self.finished_stages()
        process = self.place.start(self._song, recipe=self._recipe)
        with _drained(process):
            worker = self._strike(process, kill)
            code = process.wait(LONGEST_S)
        self.counts.kills += 1
        self._expect_no_orphan(worker, kill)
        self._expect_not_run_again(finished, f"after {kill}")
        is_done = self.is_done
        self.counts.too_late += is_done
        self._judge_killed(kill, code, is_done=is_done)
        return is_done

    def run_to_end(self) -> Ran:
        """The same command, left alone."""
        finished = self.finished_stages()
        ran = self.place.process(self._song, recipe=self._recipe, timeout_s=LONGEST_S)
        self._expect_not_run_again(finished, "the last run")
        if ran.code != 0:
            self.counts.lost.append(f"exit {ran.code}: {ran.err}")
        return ran

    def judge(self, what: str) -> None:
        """One whole delivery, nothing beside it, the song as it was, jobs that ended as they did."""
        counts, project = self.counts, self.place.project_folder
        counts.trials += 1
        found = deliveries(project)
        if not found:
            counts.lost.append(what)
        if len(found) > 1:
            counts.doubled.append(f"{what}: {[folder.name for folder in found]}")
        counts.half += [f"{what}: {fault}" for folder in found for fault in faults_of(folder)]
        counts.half += [f"{what}: {path} is left" for path in self._strangers(found)]
        if (hash_file(self._song), self._song.stat().st_mtime_ns) != (self._sha256, self._mtime):
            counts.half.append(f"{what}: the song was touched")
        counts.wrong_states += [
            f"{what}: {job.id} is {job.state}" for job in self.jobs() if not _has_ended(job)
        ]

    def jobs(self) -> tuple[Job, ...]:
        """All jobs, newest first."""
        with self._store() as store:
            return store.list()

    def finished_stages(self) -> set[str]:
        """Keys of the stages that lie finished on the shelf."""
        return {path.parent.name for path in self._shelf.glob("[!.]*/result.json")}

    @property
    def _shelf(self) -> Path:
        return self.place.data_folder / "stages"

    @contextlib.contextmanager
    def _store(self) -> Iterator:
        store = open_store(self.place.data_folder / "jobs.sqlite3")
        try:
            yield store
        finally:
            store.close()

    def _strike(self, process: subprocess.Popen[str], kill: Kill) -> int:
        """Wait for the moment and send the signal; the worker's number, 0 where there was none yet."""
        if kill.stage:
            _until(lambda: process.poll() is not None or self._is_in(kill.stage))
        _until(lambda: process.poll() is not None, within_s=kill.after_s)
        worker = next(iter(children_of(process.pid)), 0)
        if kill.victim is Victim.INTERRUPT:
            send(signal.SIGINT, process.pid, os.killpg)
        if kill.victim is Victim.TERMINATE:
            send(signal.SIGTERM, process.pid)
        if kill.victim in (Victim.WORKER, Victim.BOTH) and worker:
            send(signal.SIGKILL, worker, os.killpg)
        if kill.victim in (Victim.PARENT, Victim.BOTH) or (kill.victim is Victim.WORKER and not worker):
            send(signal.SIGKILL, process.pid)
        return worker

    def _is_in(self, stage: str) -> bool:
        """Whether that stage is being computed: it has a working folder then."""
        project = self.place.project_folder / "StemBridge"
        if stage == WRITTEN:
            return any(project.glob(".*.partial/manifest.json"))
        if stage == DELIVERED:
            return bool(deliveries(self.place.project_folder))
        with contextlib.suppress(OSError):
            return any(f"-{stage}-" in room.name for room in self._shelf.glob(".*"))
        return False

    def _expect_no_orphan(self, worker: int, kill: Kill) -> None:
        outlived_s = _until(lambda: not _lives(worker), within_s=10 * ORPHAN_S)
        self.counts.longest_orphan_s = max(self.counts.longest_orphan_s, outlived_s)
        if outlived_s > ORPHAN_S:
            self.counts.orphans.append(f"worker {worker} lived on for {outlived_s:.1f} s after {kill}")

    def _expect_not_run_again(self, finished: set[str], when: str) -> None:
        """What lay finished before the run was found, not computed, in it."""
        if not (self.place.data_folder / "jobs.sqlite3").exists():
            return
        with self._store() as store:
            records = [(job.id, record) for job in store.list() for record in store.stages(job.id)]
        for job_id, record in records:
            mark = (job_id, record.attempt, record.key)
            if mark not in self._told and not record.was_reused and record.key in finished:
                self.counts.run_again.append(f"{record.stage} {when}")
            self._told.add(mark)

    @property
    def is_done(self) -> bool:
        """Whether a job has ended well."""
        if not (self.place.data_folder / "jobs.sqlite3").exists():
            return False
        return any(job.state is JobState.SUCCESS for job in self.jobs())

    def _judge_killed(self, kill: Kill, code: int, *, is_done: bool) -> None:
        """What lies about between two commands: at most the whole delivery, and hidden what goes again."""
        found = deliveries(self.place.project_folder)
        self.counts.half += [f"{kill}: {fault}" for folder in found for fault in faults_of(folder)]
        if kill.victim is Victim.INTERRUPT and not is_done:
            self._judge_interrupted(kill, code)
        if kill.victim is Victim.WORKER and not is_done and code not in (1, -signal.SIGKILL):
            self.counts.wrong_states.append(f"exit {code} after {kill}")

    def _judge_interrupted(self, kill: Kill, code: int) -> None:
        if code not in (130, -signal.SIGINT):
            self.counts.wrong_states.append(f"exit {code} after {kill}")
        if code == 130 and left_in(self.place.project_folder):
            self.counts.half.append(f"{kill}: left {left_in(self.place.project_folder)[:3]}")

    def _strangers(self, found: list[Path]) -> list[str]:
        """What lies in the project and on the shelf besides deliveries and finished stages."""
        folder = self.place.project_folder / "StemBridge"
        beside = [path.name for path in folder.iterdir() if path not in found] if folder.exists() else []
        rooms = [path.name for path in self._shelf.glob(".*")] if self._shelf.exists() else []
        return beside + rooms


def children_of(pid: int) -> list[int]:
    """The processes that a process started and that live."""
    found: list[int] = []
    for children in Path("/proc").glob(f"{pid}/task/*/children"):
        with contextlib.suppress(OSError):
            found += map(int, children.read_text(encoding="ascii").split())
    return found


def _has_ended(job: Job) -> bool:
    return job.state.is_terminal


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return pid > 0 and stat.rpartition(")")[2].split()[0] not in "ZX"


def send(number: signal.Signals, pid: int, send: Callable[[int, int], None] = os.kill) -> None:
    with contextlib.suppress(ProcessLookupError):
        send(pid, number)


def _until(is_so: Callable[[], bool], within_s: float = LONGEST_S) -> float:
    """Wait until it is so, or for so long; the seconds that it took."""
    started_s, pause = time.monotonic(), threading.Event()
    while not is_so() and time.monotonic() - started_s < within_s:
        pause.wait(0.0005)
    return time.monotonic() - started_s


@contextlib.contextmanager
def _drained(process: subprocess.Popen[str]) -> Iterator[None]:
    """Reads what the process writes, so that no full pipe holds it up, and ends it if nobody else did."""
    readers = [
        threading.Thread(target=pipe.read, daemon=True) for pipe in (process.stdout, process.stderr) if pipe
    ]
    for reader in readers:
        reader.start()
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for reader in readers:
            reader.join(timeout=5)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
