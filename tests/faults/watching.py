"""Trials of the folder door: songs that come in every way, doors that restart, events that are lost.

``python -m tests.faults.watching --trials 10000 --seed 7`` plays rounds of many songs at once before a real
``WatchFrontend`` and a service whose jobs are played, and counts what went wrong. All counts must be 0. A
round that fails names itself; ``--round N`` with the same seed plays it again.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import heapq
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import watcher.intake
from bridge.jobs import OPEN
from bridge.service.songs import NOTE_SUFFIX
from bridge.values import Job, JobState
from tests.faults.watching_kinds import KINDS, Trial, burst
from tests.faults.watching_stage import Player, StageService
from watcher import WatchFrontend
from watcher.mounts import Attention, Hear, attend
from watcher.notes import is_ours, note_of

QUIET_S = 0.1
POLL_S = 0.15
RESCAN_S = 1.0
PATIENCE_S = 0.5
LONGEST_JOB_S = 0.6
LATE_S = 0.4 * QUIET_S
"""A step that comes later than this may have let a file be quiet that should not have been."""
BURST = 1000
"""Songs at the same moment, in one round of ten."""
GIVE_UP_S = 60.0
CALM_S = 1.3
"""How long a round is watched after all is right: nothing more may happen."""


@dataclass(kw_only=True)
class Counts:
    """What went wrong, each with the words that tell it."""

    trials: int = 0
    jobs: int = 0
    restarts: int = 0
    late: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return [*self.lost, *self.doubled, *self.half, *self.wrong]

    def line(self) -> str:
        """The counts."""
        return (
            f"{self.trials} trials, {self.jobs} jobs, {self.restarts} restarts, {self.late} late scripts: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.half)} half files, "
            f"{len(self.wrong)} wrong states"
        )


class Round:
    """Many trials in one watched folder."""

    def __init__(self, seed: int, number: int, trials: int, counts: Counts, place: Path) -> None:
        self._rng = random.Random(f"{seed}:{number}")
        self._name, self._counts = f"seed {seed} round {number}", counts
        self._root, aside, self._away = place / "exports", place / "aside", place / "away"
        for folder in ("quick", "stems-only", "2026/may"):
            (self._root / folder).mkdir(parents=True)
        aside.mkdir()
        self.mode = self._rng.choice(["events", "events", "polling", "forgetful"])
        self._service = StageService(_settings(self._root), self._rng, self._rng.choice([0, 0, 0.02]))
        is_burst = self._rng.random() < 0.1
        self._player = Player(self._service, self._rng, 0.01 if is_burst else LONGEST_JOB_S)
        self._trials = [
            Trial(
                index, script.__name__, random.Random(f"{seed}:{number}:{index}"), self._root, aside, QUIET_S
            )
            for index in range(BURST if is_burst else trials)
            for script in [burst if is_burst else self._rng.choice(KINDS)]
        ]
        self._scripts = {kind.__name__: kind for kind in (*KINDS, burst)}

    def play(self) -> None:
        """Play all trials, wait until all is right or nothing moves any more, and judge."""
        door = self._open_door()
        self._player.start()
        try:
            door = self._run_scripts(door)
            self._wait_until_right()
            time.sleep(CALM_S)
        finally:
            door.stop()
            self._player.stop()
        self._count()

    def _open_door(self) -> WatchFrontend:
        door = WatchFrontend(attend=self._attend, patience_s=PATIENCE_S)
        door.start(self._service)
        return door

    def _attend(self, folder: Path, hear: Hear) -> Attention:
        if self.mode == "polling":
            raise OSError(errno.ENOTSUP, "no events on this stage")
        forgetful = random.Random(self._rng.random())
        is_deaf = (lambda: forgetful.random() < 0.3) if self.mode == "forgetful" else (lambda: False)
        return attend(folder, lambda path: None if is_deaf() else hear(path))

    def _run_scripts(self, door: WatchFrontend) -> WatchFrontend:
        steps: list[tuple[float, int, Iterator[float]]] = []
        began_s = time.monotonic()
        for index, trial in enumerate(self._trials):
            start_s = 0.0 if trial.kind == "burst" else self._rng.uniform(0, 1.5)
            steps.append((began_s + start_s, index, self._scripts[trial.kind](trial)))
        heapq.heapify(steps)
        events = self._disturbances(began_s)
        while steps:
            if events and events[0][0] < steps[0][0]:
                door = events.pop(0)[1](door)
                continue
            due_s, index, script = steps[0]
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._trials[index].was_late |= time.monotonic() - due_s > LATE_S
            pause_s = next(script, None)
            if pause_s is None:
                heapq.heappop(steps)
            else:
                heapq.heapreplace(steps, (time.monotonic() + pause_s, index, script))
        return door

    def _disturbances(self, began_s: float) -> list[tuple[float, Callable[[WatchFrontend], WatchFrontend]]]:
        restarts = [self._restart] * self._rng.choice([0, 1, 1, 3])
        kinds = [*restarts, *[self._vanish] * self._rng.choice([0, 0, 1])]
        return sorted(
            ((began_s + self._rng.uniform(0.1, 2.2), kind) for kind in kinds), key=lambda pair: pair[0]
        )

    def _restart(self, door: WatchFrontend) -> WatchFrontend:
        door.stop()
        self._counts.restarts += 1
        time.sleep(self._rng.choice([0.0, 0.2]))
        return self._open_door()

    def _vanish(self, door: WatchFrontend) -> WatchFrontend:
        """The folder is unmounted, with or without an empty one in its place, and comes back."""
        self._root.rename(self._away)
        leaves_mount_point = self._rng.random() < 0.5
        if leaves_mount_point:
            self._root.mkdir()
        time.sleep(self._rng.uniform(0.1, 1.5))
        if leaves_mount_point:
            self._root.rmdir()
        self._away.rename(self._root)
        return door

    def _wait_until_right(self) -> None:
        until_s = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until_s and any(self._faults()):
            time.sleep(0.1)

    # Judging

    def _count(self) -> None:
        counts = self._counts
        counts.trials += len(self._trials)
        counts.late += sum(trial.was_late for trial in self._trials)
        counts.kinds.update(trial.kind for trial in self._trials)
        jobs = self._jobs()
        counts.jobs += len(jobs)
        for kind, words in self._faults():
            getattr(counts, kind).append(f"{self._name} ({self.mode}): {kind}: {words}")

    def _faults(self) -> Iterator[tuple[str, str]]:
        jobs = self._jobs()
        yield from self._faults_of_jobs(jobs)
        done = Counter(map(self._work_of, (job for job in jobs if job.state is JobState.SUCCESS)))
        for work, times in done.items():
            if times > 1:
                same = [job for job in jobs if self._work_of(job) == work]
                yield "doubled", f"{times} times: {self._story_of(same[0].request.source, jobs)}"
        for trial in self._trials:
            for source, sha256 in trial.songs.items():
                work = (sha256, self._recipe_of(source), source.parent)
                if not done[work]:
                    yield "lost", f"{trial.kind} {trial.number}: {source}{self._story_of(source, jobs)}"
                elif not self._is_known(source, sha256):
                    yield "wrong", f"{trial.kind} {trial.number}: the ledger does not know {source}"
        yield from self._faults_of_notes()

    def _faults_of_jobs(self, jobs: list[Job]) -> Iterator[tuple[str, str]]:
        whole = {sha256 for trial in self._trials for sha256 in trial.whole}
        trials = {trial.number: trial for trial in self._trials}
        for job in jobs:
            if job.state in OPEN:
                yield "wrong", f"{job.request.source} has not ended: {job.state}"
            trial = trials[_number_in(job.request.source.relative_to(self._root))]
            may_have_looked_whole = trial.kind in ("slowly", "stems") and trial.was_late
            hashes = {self._service.given_for[job.id], self._content_of(job)}
            if not hashes <= whole and not may_have_looked_whole:
                yield "half", f"{trial.kind} {trial.number}: {job.request.source}"
            is_part = trial.kind == "stems" and not job.request.source.is_dir() and not trial.was_late
            if is_part or trial.kind in ("strangers", "own_output"):
                yield "wrong", f"{trial.kind} {trial.number}: {job.request.source} is no song"

    def _faults_of_notes(self) -> Iterator[tuple[str, str]]:
        wanted = {note_of(source) for trial in self._trials for source in trial.notes}
        found = set(self._root.rglob(f"*{NOTE_SUFFIX}"))
        strangers = {note for note in found if not is_ours(note)}
        if len(strangers) != sum(trial.kind == "strangers" for trial in self._trials):
            yield "wrong", f"notes of others: {sorted(strangers)}"
        for note in found - strangers - wanted:
            yield "wrong", f"a note too many: {note}"
        for note in wanted - found:
            yield "wrong", f"no note: {note}"
        for left in self._root.rglob(".*.stembridge.tmp"):
            yield "wrong", f"left behind: {left}"

    def _jobs(self) -> list[Job]:
        return list(self._service.jobs(limit=10**6))

    def _work_of(self, job: Job) -> tuple[str, str, Path]:
        return self._content_of(job), job.request.recipe, job.request.destination

    def _content_of(self, job: Job) -> str:
        return self._service.worked_from.get(job.id, self._service.given_for[job.id])

    def _recipe_of(self, source: Path) -> str:
        named = [part for part in source.relative_to(self._root).parts if part in ("quick", "stems-only")]
        return named[-1] if named else "full"

    def _is_known(self, source: Path, sha256: str) -> bool:
        with contextlib.suppress(Exception):
            seen = self._service.store.files.seen(source)
            return seen is not None and seen.sha256 == sha256 and bool(seen.job_id)
        return False

    def _story_of(self, source: Path, jobs: list[Job]) -> str:
        service = self._service
        own = [
            f"{job.id} {job.state} for {service.given_for[job.id][:6]} from {self._content_of(job)[:6]}, "
            f"attempt {job.attempt}, {job.error or 'no error'}"
            for job in jobs
            if job.request.source == source
        ]
        known = service.store.files.seen(source)
        return f" trouble {service.trouble}; jobs of {source}: {own}; known: {known}"


def _number_in(path: Path) -> int:
    """The trial's number, the first in a name of five digits or of an own folder."""
    import re

    found = re.search(r"(?:song|loop|album|track|renamed|stuff|Song|moved out|copy of song) (\d+)", str(path))
    assert found, path
    return int(found[1])


def _settings(root: Path) -> dict[str, object]:
    return {
        "watch": {
            "folders": [{"path": str(root)}],
            "quiet_s": QUIET_S,
            "poll_s": POLL_S,
            "rescan_s": RESCAN_S,
        }
    }


@contextlib.contextmanager
def quick_tries() -> Iterator[None]:
    """What failed is tried again soon, and all that is said about it is kept quiet."""
    before, level = watcher.intake.TROUBLE_S, logging.getLogger("watcher").level
    watcher.intake.TROUBLE_S = 0.1
    logging.getLogger("watcher").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        watcher.intake.TROUBLE_S = before
        logging.getLogger("watcher").setLevel(level)


def play(
    trials: int,
    seed: int,
    *,
    in_round: int = 200,
    only: int | None = None,
    tell: Callable[[str], None] = print,
) -> Counts:
    """Play so many trials, in rounds; ``only`` one of them to play it again."""
    counts = Counts()
    numbers = [only] if only is not None else range(-(-trials // in_round))
    with quick_tries():
        for number in numbers:
            known = set(counts.faults)
            with tempfile.TemporaryDirectory() as place:
                one = Round(seed, number, in_round, counts, Path(place).resolve())
                one.play()
            tell(f"round {number} ({one.mode}): {counts.line()}")
            for words in counts.faults:
                if words not in known:
                    tell(f"  {words}")
    return counts


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--round", type=int, help="play this round alone")
    parser.add_argument("--in-round", type=int, default=200, help="songs at the same time")
    given = parser.parse_args()
    tell = partial(print, flush=True)
    counts = play(given.trials, given.seed, in_round=given.in_round, only=given.round, tell=tell)
    tell(", ".join(f"{kind} {number}" for kind, number in sorted(counts.kinds.items())))
    return 1 if counts.faults else 0


if __name__ == "__main__":
    sys.exit(main())
