"""A service with its folders on disks of our own, songs that arrive, and every song judged at the end."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.errors import StembridgeError
from bridge.hashes import hash_file
from bridge.jobs import OPEN, hash_source, submit_request
from bridge.values import Job, JobRequest, JobState
from tests.badinput.cases import music, write
from tests.badinput.command import faults_of
from tests.faults.judging import Wrongs
from tests.serving import Home, Serving, until

SETTLED_WITHIN_S = 400.0
RESERVE_GB = 0.001


@dataclass(kw_only=True)
class Counts(Wrongs):
    """The trials and songs, and what went wrong."""

    trials: int = 0
    songs: int = 0
    faults_made: int = 0
    """Disks filled, locks held, power cuts and so on."""
    acknowledged: int = 0
    """Jobs that were on record when the power went."""

    def __str__(self) -> str:
        return (
            f"{self.trials} trials, {self.faults_made} faults of storage, {self.songs} songs, "
            f"{self.acknowledged} jobs on record at a power cut: {super().__str__()}"
        )


@dataclass
class PlacedHome(Home):
    """A home whose folders lie where they are told to."""

    at: dict[str, Path] = field(default_factory=dict)
    """By "songs", "project", "data"; those that are not named lie in the root."""

    @property
    def songs(self) -> Path:
        return self.at.get("songs", super().songs)

    @property
    def project(self) -> Path:
        return self.at.get("project", super().project)

    @property
    def data(self) -> Path:
        return self.at.get("data", super().data)


class Scene:
    """One home. ``name`` stands in what is told; ``at`` says which folders lie elsewhere."""

    def __init__(
        self, root: Path, chance: random.Random, counts: Counts, name: str, at: dict[str, Path]
    ) -> None:
        self.root, self.chance, self.counts, self.name = root, chance, counts, name
        self.recipe = chance.choice(["master-only"] * 5 + ["quick"])
        self.home = PlacedHome(root, recipe=self.recipe, settings=self._settings(), at=at)
        self._aside = root / "aside"
        self._aside.mkdir()
        self._songs: dict[str, Path] = {}
        self.bad: list[Path] = []

    def _settings(self) -> dict[str, Any]:
        return {
            "work": {"reserve_gb": RESERVE_GB},
            "service": {
                "jobs": self.chance.choice([1, 1, 2]),
                "retry_after_s": [0.3] * 200,
                "pause_s": 0.3,
                "look_s": 0.1,
                "roots": [str(self.root)],
            },
            "watch": {"quiet_s": 0.1, "rescan_s": 1.0, "poll_s": 0.1},
        }

    # Songs

    def feed(self, at_most: int = 2) -> None:
        """Some songs arrive in the watched folder, each in its own way; full disks take none."""
        for _ in range(self.chance.randint(1, at_most)):
            made, sha256 = self._make()
            song = self.home.songs / made.name.removesuffix(".part")
            try:
                self.chance.choice([_move, _copy, _copy_slowly])(made, song)
            except OSError:
                with contextlib.suppress(OSError):
                    song.unlink(missing_ok=True)
            else:
                self._songs[sha256] = song

    def submit(self) -> str:
        """Another process submits a song from elsewhere; the job's id, "" where that failed."""
        made, sha256 = self._make()
        song = made.rename(self._aside / made.name.removesuffix(".part"))
        request = JobRequest(source=song, destination=self.home.project, recipe=self.recipe)
        try:
            with self.home.store() as store:
                job = submit_request(store, request, hash_source(song)).job
        except StembridgeError:
            return ""
        self._songs[sha256] = song
        return job.id

    def feed_bad(self) -> None:
        """What is no song arrives: a note wants to be written beside it."""
        bad = self.home.songs / f"No song {len(self.bad)}.wav"
        bad.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt " + self.chance.randbytes(5000))
        self.bad.append(bad)

    def _make(self) -> tuple[Path, str]:
        made = self.root / f"Song {self.chance.getrandbits(32):08x}.wav.part"
        write(made, music(1.1 + self.chance.random() * 1.5))
        return made, hash_file(made)

    # Waiting

    def pause(self, longest_s: float, shortest_s: float = 0.0) -> None:
        """Let some time pass."""
        threading.Event().wait(self.chance.uniform(shortest_s, longest_s))

    def settle(self) -> None:
        """Wait until every song is delivered and nothing is at work; the judge tells where that never was."""
        with contextlib.suppress(TimeoutError):
            until(self._is_settled, SETTLED_WITHIN_S, every_s=0.1)

    def _is_settled(self) -> bool:
        jobs = self.jobs()
        done = {job.request.source for job in jobs if job.state is JobState.SUCCESS}
        return {*self._songs.values()} <= done and not any(job.state in OPEN for job in jobs)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs; none while the database cannot be read."""
        with contextlib.suppress(StembridgeError):
            return self.home.jobs()
        return ()

    # Judging

    def wrong(self, words: str) -> None:
        """Something is not as it should be."""
        self.counts.wrong_states.append(f"{self.name}: {words}")

    def judge_failed(self, when: str) -> None:
        """No job has failed for good."""
        for job in self.jobs():
            if job.state is JobState.FAILED and job.request.source not in self.bad:
                self.wrong(f"{when}: {job.request.source.name} FAILED: {job.error}")

    def judge_visible(self, when: str) -> None:
        """Whatever can be seen in the project is whole."""
        for folder in (self.home.project / "StemBridge").glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                faults = faults_of(folder) if (folder / "manifest.json").exists() else ["no manifest"]
                self.counts.half += [f"{self.name}, {when}: {folder.name}: {fault}" for fault in faults]

    def judge(self, serving: Serving) -> None:
        """Every song has one job that succeeded and one delivery, whole."""
        jobs = self.jobs()
        self.counts.songs += len(self._songs)
        for sha256, song in self._songs.items():
            self._judge_song(sha256, song, [job for job in jobs if job.request.source == song], serving)
        self.judge_visible("at the end")
        self._judge_bad()
        if serving.process.poll() is not None:
            self.wrong(f"the service ended by itself: {serving.said()[-1500:]}")
        if "Traceback" in self.log():
            self.wrong(f"a traceback in the log: {_around(self.log(), 'Traceback')}")

    def _judge_song(self, sha256: str, song: Path, mine: list[Job], serving: Serving) -> None:
        done = [job for job in mine if job.state is JobState.SUCCESS]
        folders = [folder.parent for folder in self.home.deliveries if _source_of(folder) == sha256]
        what = f"{self.name}, {song.name}: {[f'{job.id} {job.state} {job.error}' for job in mine]}"
        if not done or not folders:
            self.counts.lost.append(f"{what}; said: {serving.said()[-2500:]}")
        if len(done) > 1 or len(folders) > 1:
            self.counts.doubled.append(f"{what}: {[folder.name for folder in folders]}")
        if any(job.state is not JobState.SUCCESS for job in mine):
            self.counts.wrong_states.append(what)
        if hash_file(song) != sha256:
            self.counts.half.append(f"{what}: the song was touched")

    def _judge_bad(self) -> None:
        done = {job.request.source for job in self.jobs() if job.state is JobState.SUCCESS}
        for song in done & {*self.bad}:
            self.wrong(f"{song.name} is no song and was delivered")

    def judge_rest(self) -> None:
        """What lies about when the service has ended: nothing but songs, deliveries and finished stages."""
        home = self.home
        whole = {manifest.parent for manifest in home.deliveries}
        place = home.project / "StemBridge"
        beside = [path for path in place.iterdir() if path not in whole] if place.exists() else []
        around = [path for path in home.project.glob(".*") if path.name.startswith(".stembridge")]
        rooms = list((home.data / "stages").glob(".*"))
        noted = {path.with_name(f"{path.name}.stembridge.txt") for path in self.bad}
        notes = [note for note in home.songs.glob("*.stembridge.txt") if note not in noted]
        self.counts.half += [f"{self.name}: {path} is left" for path in (*beside, *around, *rooms, *notes)]
        if home.state() is not None:
            self.wrong("the state of an ended service is left")

    def log(self) -> str:
        """What the service has logged."""
        with contextlib.suppress(OSError):
            return self.home.log()
        return ""

    def finish(self, serving: Serving) -> None:
        """All is well again: let it all end, and judge."""
        self.settle()
        self.judge(serving)


def _source_of(manifest: Path) -> str:
    return str(json.loads(manifest.read_text(encoding="utf-8"))["source"]["sha256"])


def _around(text: str, word: str) -> str:
    at = text.index(word)
    return text[max(0, at - 300) : at + 2000]


def _move(made: Path, song: Path) -> None:
    shutil.move(made, song)


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
