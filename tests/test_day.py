"""A day in the life of the service: ten songs that arrive in ten ways, and what goes wrong on a normal day.

What was delivered is checked by code that is not the product's: soundfile and FFmpeg.
"""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from ableton.client import OscClient
from bridge.generate import ComposedSong, compose, random_spec
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.values import Job, JobState
from tests.badinput.command import faults_of
from tests.encoded_media import encode
from tests.serving import Home, Serving, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECONDS = 20.0
SEPARATED = ("Vocals", "Drums", "Bass", "Other")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a song has to come to."""

    title: str
    seconds: float = SECONDS
    recipe: str = "full"
    stems: int = len(SEPARATED)


def composed(number: int) -> ComposedSong:
    return compose(random_spec(300 + number, duration_s=SECONDS, voice=number % 2 == 0))


def pcm(path: Path, number: int, kind: str = "WAV") -> Path:
    mixture = composed(number).mixture
    soundfile.write(path, mixture.samples.T, mixture.rate_hz, subtype="PCM_24", format=kind)
    return path


def coded(path: Path, number: int, codec: str, container: str) -> Path:
    mixture = composed(number).mixture
    encode(path, mixture.samples, mixture.rate_hz, codec=codec, container=container)
    return path


def in_pieces(made: Path, song: Path, pieces: int, pause_s: float) -> None:
    """A writer that takes its time."""
    content, pause = made.read_bytes(), threading.Event()
    step = len(content) // pieces + 1
    with song.open("wb") as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            file.flush()
            pause.wait(pause_s)


def stems_of(folder: Path, number: int) -> list[Path]:
    folder.mkdir()
    song = composed(number)
    paths = []
    for role, stem in song.stems.items():
        paths.append(folder / f"Given {number} ({str(role).title()}).wav")
        soundfile.write(paths[-1], stem.samples.T, stem.rate_hz, subtype="PCM_24")
    return paths


class Day:
    """The home, the desk where songs are made, and what is wanted of them."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home", recipe="full", settings={"watch": self._watch(root / "home")})
        self.desk = root / "desk"
        self.desk.mkdir()
        self.wanted: list[Wanted] = []

    @staticmethod
    def _watch(root: Path) -> dict[str, object]:
        folder = {"path": str(root / "songs"), "recipe": "full", "project": str(root / "project")}
        return {"quiet_s": 0.5, "rescan_s": 5.0, "folders": [folder]}

    def want(self, title: str, recipe: str = "full", stems: int = len(SEPARATED)) -> None:
        self.wanted.append(Wanted(title=title, recipe=recipe, stems=stems))

    def morning(self, serving: Serving) -> None:
        """Five songs, and one of them replaced while it is worked on."""
        songs, desk = self.home.songs, self.desk
        pcm(desk / "a", 0).rename(songs / "Moved in.wav")
        self.want("Moved in")
        in_pieces(coded(desk / "b.mp3", 1, "libmp3lame", "mp3"), songs / "Copied slowly.mp3", 8, 0.2)
        self.want("Copied slowly")
        coded(desk / "c.m4a", 2, "aac", "mp4").rename(songs / "Downloaded.m4a.crdownload")
        (songs / "Downloaded.m4a.crdownload").rename(songs / "Downloaded.m4a")
        self.want("Downloaded")
        in_pieces(pcm(desk / "d.flac", 3, "FLAC"), songs / "Stalled.flac", 3, 1.2)
        self.want("Stalled")
        (songs / "quick").mkdir()
        pcm(desk / "e.wav", 4).rename(songs / "quick" / "Sub-folder.wav")
        self.want("Sub-folder", recipe="quick")
        self._replace_in_the_middle(songs / "Replaced.wav")

    def _replace_in_the_middle(self, song: Path) -> None:
        pcm(self.desk / "old.wav", 5).rename(song)
        until(lambda: [job for job in self.jobs_of(song) if job.state is JobState.PROCESSING], 120)
        pcm(self.desk / "new.wav", 6).replace(song)
        self.want("Replaced")

    def noon(self, serving: Serving) -> None:
        """Stems as a zip and as a folder, a duplicate, one by OSC, one cancelled; then the power fails."""
        songs, desk = self.home.songs, self.desk
        paths = stems_of(desk / "zip", 7)
        with zipfile.ZipFile(desk / "Zipped.zip", "w") as archive:
            for path in paths:
                archive.write(path, path.name)
        (desk / "Zipped.zip").rename(songs / "Zipped.zip")
        self.want("Zipped", stems=len(paths))
        shutil.copyfile(songs / "Moved in.wav", songs / "Moved in, once more.wav")
        by_osc = pcm(self.home.root / "By OSC.wav", 8)
        with OscClient("127.0.0.1", self.home.port) as client:
            client.ask("process", str(by_osc), "quick", str(self.home.project))
        self.want("By OSC", recipe="quick")
        pcm(desk / "f.wav", 9).rename(songs / "Cancelled.wav")
        until(lambda: self.jobs_of(songs / "Cancelled.wav"), 60)
        (job,) = self.jobs_of(songs / "Cancelled.wav")
        assert self.home.command("cancel", job.id).returncode == 0
        serving.kill()

    def evening(self, serving: Serving) -> None:
        """After the restart: a name with everything in it, while the rest is worked off."""
        name = "Ünïcödé 🌃 “quoted”, 100% & more"
        pcm(self.desk / "g.wav", 10).rename(self.home.songs / f"{name}.wav")
        self.want(name)
        self.want("Given as a folder", stems=len(stems_of(self.home.songs / "Given as a folder", 11)))
        until(self._is_settled, 600, every_s=0.1)

    def jobs_of(self, song: Path) -> list[Job]:
        return [job for job in self.home.jobs() if job.request.source == song]

    def _is_settled(self) -> bool:
        return len(self.home.deliveries) >= len(self.wanted) and not self.home.ended(
            JobState.PENDING, JobState.PROCESSING, JobState.RETRYING_QA
        )


def test_a_day_in_the_life(tmp_path: Path) -> None:
    day = Day(tmp_path)
    with day.home.serve() as serving:
        day.morning(serving)
        day.noon(serving)
    with day.home.serve() as serving:
        day.evening(serving)
        assert serving.stop() == 0
    place = day.home.project / "StemBridge"
    found = {path.name for path in place.iterdir()}
    assert len(found) == len(day.wanted), found
    for wanted in day.wanted:
        judge(place, wanted)
    states = {job.request.source.name: job.state for job in reversed(day.home.jobs())}
    assert states.pop("Cancelled.wav") is JobState.CANCELLED
    assert set(states.values()) == {JobState.SUCCESS}
    assert "Moved in, once more.wav" not in states
    assert list(day.home.songs.glob("*.stembridge.txt")) == []
    judge_log(day.home)


def judge(place: Path, wanted: Wanted) -> None:
    """Whole, as long as the song to the frame, at its loudness by FFmpeg's meter."""
    folder = place / wanted.title
    assert folder.is_dir(), f"{wanted.title} is missing"
    assert faults_of(folder) == []
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["recipe"] == wanted.recipe
    stems = list(folder.glob("Stems/*.wav"))
    assert len(stems) == wanted.stems
    (master,) = folder.glob("Master/*.wav")
    lengths = {soundfile.info(path).frames for path in [*stems, master]}
    assert len(lengths) == 1
    rate_hz = soundfile.info(master).samplerate
    assert abs(lengths.pop() / rate_hz - wanted.seconds) < 0.1
    assert bool(list(folder.glob("Stems/Mixed/*.wav"))) == (wanted.recipe == "full")
    heard = ffmpeg_loudness(master)
    assert heard.integrated_lufs == pytest.approx(-14.0, abs=0.1)
    assert heard.true_peak_dbtp <= -0.995


def judge_log(home: Home) -> None:
    """A producer can read it: every line has a time and words, none a traceback or an id."""
    lines = home.log().splitlines()
    assert "Traceback" not in home.log()
    ids = {job.id for job in home.jobs()}
    assert [line for line in lines if any(job_id in line for job_id in ids)] == []
    assert all(line[:4].isdigit() for line in lines)
