"""Kills a service that is fed songs, at seeded moments, and judges what comes of every song.

``python -m tests.faults.serving --trials 1000 --seed 5`` counts; a round that fails replays with
``--round N``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bridge.hashes import hash_file
from bridge.values import JobState
from tests.badinput.cases import music, write
from tests.badinput.command import faults_of
from tests.faults.harness import children_of, send
from tests.faults.judging import Wrongs
from tests.serving import Home, Serving, until

KILLS_A_ROUND = 3
SETTLED_WITHIN_S = 120.0


class Victim(StrEnum):
    """Whom the signal meets."""

    SERVICE = "service"
    WORKERS = "workers"
    ALL = "all"
    KINDLY = "kindly"
    """SIGTERM to the service, as a shutdown does."""


@dataclass(kw_only=True)
class Counts(Wrongs):
    """The kills and songs, and what went wrong."""

    rounds: int = 0
    kills: int = 0
    songs: int = 0

    def __str__(self) -> str:
        return f"{self.rounds} rounds, {self.kills} kills, {self.songs} songs: {super().__str__()}"


class Round:
    """One home: songs that arrive, kills in between, and at the end every song judged."""

    def __init__(self, root: Path, seed: int, number: int, counts: Counts) -> None:
        self._chance = random.Random(f"{seed}/{number}")
        self._name = f"round {number}"
        self._counts = counts
        self._home = Home(
            root / f"round-{number}",
            settings={
                "service": {
                    "jobs": self._chance.choice([1, 1, 2]),
                    "retry_after_s": [0.05] * 30,
                    "look_s": 0.1,
                    "roots": [str(root)],
                },
                "watch": self._watch(root / f"round-{number}"),
            },
        )
        self._songs: dict[str, Path] = {}

    def run(self) -> None:
        """Feed and kill, then let everything end, and judge."""
        for _ in range(KILLS_A_ROUND):
            with self._home.serve(wait=False) as serving:
                self._feed()
                threading.Event().wait(self._chance.uniform(0.0, 2.2))
                self._kill(serving, self._chance.choice(list(Victim)))
        with self._home.serve() as serving:
            self._feed()
            with contextlib.suppress(TimeoutError):
                until(self._is_settled, SETTLED_WITHIN_S, every_s=0.05)
            self._judge(serving)
        self._judge_rest()
        self._counts.rounds += 1

    def _watch(self, root: Path) -> dict[str, object]:
        recipe = self._chance.choice(["master-only", "master-only", "quick"])
        folder = {"path": str(root / "songs"), "recipe": recipe, "project": str(root / "project")}
        return {"quiet_s": 0.1, "rescan_s": 1.0, "poll_s": 0.1, "folders": [folder]}

    def _feed(self) -> None:
        """A few songs arrive, each in its own way."""
        for _ in range(self._chance.randint(1, 2)):
            name = f"Song {len(self._songs)}.wav"
            made = self._home.root / f"{name}.part"
            write(made, music(1.1 + self._chance.random() * 1.5))
            sha256, song = hash_file(made), self._home.songs / name
            self._songs[sha256] = song
            self._chance.choice([_rename, _copy, _copy_slowly])(made, song)

    def _kill(self, serving: Serving, victim: Victim) -> None:
        self._counts.kills += 1
        pid = serving.process.pid
        if victim is Victim.KINDLY:
            serving.process.send_signal(signal.SIGTERM)
            code = serving.process.wait(30)
            if code not in (0, -signal.SIGTERM):  # before its handler stands, the signal's own meaning holds
                self._counts.wrong_states.append(f"{self._name}: exit {code} after SIGTERM")
            return
        for worker in children_of(pid) if victim is not Victim.SERVICE else ():
            send(signal.SIGKILL, worker)
        if victim is Victim.WORKERS:
            threading.Event().wait(self._chance.uniform(0.0, 0.3))
        serving.kill()

    def _is_settled(self) -> bool:
        done = {job.request.source for job in self._home.ended()}
        return all(song in done for song in self._songs.values()) and not self._home.ended(
            JobState.PENDING, JobState.PROCESSING, JobState.RETRYING_QA
        )

    def _judge(self, serving: Serving) -> None:
        jobs = self._home.jobs()
        self._counts.songs += len(self._songs)
        for sha256, song in self._songs.items():
            mine = [job for job in jobs if job.request.source == song]
            done = [job for job in mine if job.state is JobState.SUCCESS]
            folders = [folder.parent for folder in self._home.deliveries if _source_of(folder) == sha256]
            what = f"{self._name}, {song.name}: {[f'{job.id} {job.state} {job.error}' for job in mine]}"
            if not done or not folders:
                self._counts.lost.append(f"{what}; log: {serving.said()[-2000:]}")
            if len(done) > 1 or len(folders) > 1:
                self._counts.doubled.append(f"{what}: {[folder.name for folder in folders]}")
            if any(not job.state.is_terminal or job.state is JobState.FAILED for job in mine):
                self._counts.wrong_states.append(what)
            if hash_file(song) != sha256:
                self._counts.half.append(f"{what}: the song was touched")
            self._counts.half += [f"{what}: {fault}" for folder in folders for fault in faults_of(folder)]

    def _judge_rest(self) -> None:
        """What lies about when the service has ended: nothing but songs, deliveries and finished stages."""
        home = self._home
        whole = {manifest.parent for manifest in home.deliveries}
        beside = [path for path in (home.project / "StemBridge").iterdir() if path not in whole]
        rooms = list((home.data / "stages").glob(".*"))
        notes = list(home.songs.glob("*.stembridge.txt"))
        self._counts.half += [f"{self._name}: {path} is left" for path in (*beside, *rooms, *notes)]
        if home.state() is not None:
            self._counts.wrong_states.append(f"{self._name}: the state of an ended service is left")


def _rename(made: Path, song: Path) -> None:
    made.rename(song)


def _copy(made: Path, song: Path) -> None:
    shutil.copyfile(made, song)


def _copy_slowly(made: Path, song: Path) -> None:
    """In pieces, with pauses that are shorter than the quiet time."""
    content, pause = made.read_bytes(), threading.Event()
    with song.open("wb") as file:
        for start in range(0, len(content), len(content) // 6 + 1):
            file.write(content[start : start + len(content) // 6 + 1])
            file.flush()
            pause.wait(0.03)


def _source_of(manifest: Path) -> str:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    return str(content["source"]["sha256"])


def run_rounds(
    numbers: range, seed: int, tell: Callable[[str], None], *, at_once: int = 1, keep: bool = False
) -> Counts:
    """The rounds of these numbers; faults are told as they are found."""
    counts, told, lock = Counts(), 0, threading.Lock()

    def one(number: int) -> None:
        nonlocal told
        root = Path(tempfile.mkdtemp(prefix="stembridge-serving-"))
        try:
            Round(root, seed, number, counts).run()
        except Exception as error:
            counts.wrong_states.append(f"round {number}: {type(error).__name__}: {error}")
        finally:
            if not keep:
                shutil.rmtree(root, ignore_errors=True)
        with lock:
            for fault in counts.faults()[told:]:
                tell(fault)
            told = len(counts.faults())
            if counts.rounds % 25 == 0:
                tell(str(counts))

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, numbers))
    return counts


def main() -> int:
    """Run the rounds; exit code 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.serving", description=__doc__)
    parser.add_argument("--trials", type=int, default=30, help="kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, default=None, help="replay this round alone, keeping its files")
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    numbers = range(-(-options.trials // KILLS_A_ROUND))
    if options.round is not None:
        numbers = range(options.round, options.round + 1)

    def tell(line: str) -> None:
        print(line, flush=True)  # noqa: T201

    counts = run_rounds(numbers, options.seed, tell, at_once=options.at_once, keep=options.round is not None)
    tell(str(counts))
    return 1 if counts.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
