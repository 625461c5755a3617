"""The folder door as the service has it: threads, a real folder, real events."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge import registry
from bridge.config import WatchedFolder
from bridge.errors import StorageError
from bridge.service import Frontend
from bridge.service.listing import Listing, scan
from bridge.testing.service import FakeService
from bridge.values import Delivery, Job, JobState
from tests.watcher.support import eventually, settings_for, wav
from watcher import WatchFrontend
from watcher.folder import FolderState, Unfinished
from watcher.frontend import door_state
from watcher.mounts import Attention, Hear
from watcher.notes import note_of


def deaf(_folder: Path, _hear: Hear) -> Attention:
    raise OSError(errno.ENOTSUP, "no events from nfs4")


class Stage:
    """A watched folder, a service and its door."""

    def __init__(self, root: Path, **watched: Any) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.service = self.service_of(WatchedFolder(path=str(root), **watched))
        self.door = WatchFrontend()

    def service_of(self, *folders: WatchedFolder) -> FakeService:
        return FakeService(settings_for(*folders, quiet_s=0.1, poll_s=0.1, rescan_s=1.0))

    def start(self, door: WatchFrontend | None = None) -> None:
        self.door = door or WatchFrontend()
        self.door.start(self.service)

    def restart(self) -> None:
        self.door.stop()
        self.start()

    def put(self, name: str, content: bytes = b"") -> Path:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content or wav(name))
        return path

    def has_jobs(self, number: int) -> bool:
        return eventually(lambda: self.service.count() == number)

    def job(self, name: str) -> Job:
        return next(job for job in self.service.jobs() if job.request.source.name == name)

    @property
    def words(self) -> str:
        return self.service.states[-1].words

    @property
    def facts(self) -> list[dict[str, Any]]:
        folders: list[dict[str, Any]] = self.service.states[-1].facts["folders"]
        return folders


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "exports")
    yield stage
    stage.door.stop()
    assert [one.name for one in threading.enumerate() if one.name.startswith(("watch", "inspect"))] == []


def test_the_door_is_plugged_in_under_its_name() -> None:
    assert registry.load("bridge.frontends", "watch") is WatchFrontend
    assert isinstance(WatchFrontend(), Frontend)


def test_songs_from_before_and_after_the_start_become_jobs(stage: Stage) -> None:
    stage.put("before.wav")
    stage.start()
    assert stage.has_jobs(1)
    stage.put("quick/after.wav")
    assert stage.has_jobs(2)
    assert stage.job("after.wav").request.recipe == "quick"
    assert eventually(lambda: stage.facts[0]["last_taken"] == "after.wav" and not stage.facts[0]["waiting"])
    assert stage.words == "watching 1 folder"


def test_without_events_the_folder_is_polled_and_says_so(stage: Stage) -> None:
    stage.start(WatchFrontend(attend=deaf))
    stage.put("song.wav")
    assert stage.has_jobs(1)
    assert eventually(lambda: stage.facts[0]["how"] == "polling every 0.1 s (no events from nfs4)")


def test_a_failed_song_has_a_note_until_it_succeeds(stage: Stage) -> None:
    stage.start()
    song = stage.put("song.wav")
    assert stage.has_jobs(1)
    stage.service.play_failed(stage.service.play_start(stage.job("song.wav").id), "song.wav is silent.")
    assert eventually(note_of(song).exists)
    assert "is silent" in note_of(song).read_text(encoding="utf-8")
    song.write_bytes(wav("better"))
    assert stage.has_jobs(2)
    stage.service.play_done(
        stage.service.play_start(stage.job("song.wav").id), Delivery(folder=stage.root, files=())
    )
    assert eventually(lambda: not note_of(song).exists())


def test_a_failure_while_the_door_was_closed_is_told_after_one_more_try(stage: Stage) -> None:
    stage.start()
    song = stage.put("song.wav")
    assert stage.has_jobs(1)
    stage.door.stop()
    stage.service.play_failed(stage.service.play_start(stage.job("song.wav").id), "song.wav is silent.")
    stage.start()
    assert stage.has_jobs(2)
    stage.service.play_failed(stage.service.play_start(stage.job("song.wav").id), "song.wav is silent.")
    assert eventually(note_of(song).exists)
    note_of(song).unlink()
    stage.restart()
    assert eventually(note_of(song).exists)
    assert stage.service.count() == 2


def test_a_retry_from_elsewhere_takes_the_note_away(stage: Stage) -> None:
    stage.start()
    song = stage.put("song.wav")
    assert stage.has_jobs(1)
    job = stage.service.play_failed(stage.service.play_start(stage.job("song.wav").id), "it is silent.")
    assert eventually(note_of(song).exists)
    again = stage.service.again(job.id).job
    stage.service.play_done(stage.service.play_start(again.id), Delivery(folder=stage.root, files=()))
    assert eventually(lambda: not note_of(song).exists())


def test_a_changed_source_ends_its_job_and_becomes_another(stage: Stage) -> None:
    stage.start()
    song = stage.put("song.wav")
    assert stage.has_jobs(1)
    first = stage.job("song.wav")
    song.write_bytes(wav("better"))
    assert stage.has_jobs(2)
    assert stage.service.job(first.id).state is JobState.CANCELLED


def test_a_restart_makes_nothing_twice_and_loses_nothing(stage: Stage) -> None:
    stage.start()
    for number in range(20):
        stage.put(f"{number}.wav")
    stage.restart()
    assert stage.has_jobs(20)
    stage.restart()
    stage.put("last.wav")
    assert stage.has_jobs(21)


def test_a_folder_that_is_not_there_is_told_and_watched_when_it_comes(stage: Stage) -> None:
    stage.root.rmdir()
    stage.start()
    assert eventually(lambda: stage.words == f"watching 0 folders; {stage.root}: away")
    stage.root.mkdir()
    stage.put("song.wav")
    assert stage.has_jobs(1)
    assert eventually(lambda: stage.words == "watching 1 folder")


def test_a_folder_that_vanishes_empties_nothing_and_comes_back(stage: Stage) -> None:
    stage.start(WatchFrontend(attend=deaf))
    song = stage.put("song.wav")
    assert stage.has_jobs(1)
    stage.root.rename(stage.root.with_name("away"))
    assert eventually(lambda: "away" in stage.words)
    assert stage.service.files.seen(song) is not None
    assert stage.job("song.wav").state is JobState.PENDING
    stage.root.with_name("away").rename(stage.root)
    stage.put("new.wav")
    assert stage.has_jobs(2)


def test_a_folder_that_is_deleted_is_away_at_once_and_heard_again_when_it_is_made_anew(
    stage: Stage,
) -> None:
    settings = settings_for(WatchedFolder(path=str(stage.root)), quiet_s=0.1, poll_s=0.3, rescan_s=3600)
    stage.service = FakeService(settings)
    stage.start()
    for number in (1, 2):
        assert eventually(lambda: stage.facts[0]["how"] == "events")
        stage.put(f"{number}.wav")
        assert stage.has_jobs(number)
        shutil.rmtree(stage.root)
        assert eventually(lambda: stage.facts[0]["how"] == "away")
        stage.root.mkdir()
    stage.root.rmdir()
    stage.root.mkdir()
    stage.put("last.wav")
    assert stage.has_jobs(3)


def test_a_folder_counts_as_waiting_until_it_has_been_looked_through(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or ``serve --drain`` would end before a slow disk has told what lies there."""
    may_scan = threading.Event()

    def slow_scan(*arguments: Any, **options: Any) -> Listing:
        assert may_scan.wait(10)
        return scan(*arguments, **options)

    monkeypatch.setattr("watcher.intake.scan", slow_scan)
    stage.put("song.wav")
    stage.start()
    assert stage.words == "watching 1 folder; looking through 1 folder"
    assert not eventually(lambda: stage.service.states[-1].waiting == 0, timeout_s=0.3)
    may_scan.set()
    assert eventually(lambda: stage.service.states[-1].waiting == 0)
    assert stage.service.count() == 1
    assert stage.words == "watching 1 folder"


def test_a_folder_that_is_away_holds_nothing_up(stage: Stage) -> None:
    stage.root.rmdir()
    stage.start()
    assert eventually(lambda: stage.service.states[-1].waiting == 0)
    assert stage.words.endswith("away")


def test_songs_that_cannot_be_taken_are_named_and_hold_nothing_up(stage: Stage) -> None:
    stage.put("quick/cut.wav", wav(frames=4000)[:-100])
    stage.start()
    assert eventually(lambda: stage.facts[0]["unfinished"])
    ((name, why),) = stage.facts[0]["unfinished"]
    assert (name, stage.service.states[-1].waiting) == (str(Path("quick/cut.wav")), 0)
    assert why.startswith("not whole: ")
    assert f"; not taken yet: {name} (not whole: " in stage.words


def test_the_words_stay_short_however_many_songs_cannot_be_taken() -> None:
    songs = tuple(Unfinished(f"{number}.wav", "not whole: " + 200 * "x") for number in range(20))
    folder = FolderState(Path("exports"), "events", unfinished=songs, unfinished_count=50)
    words = door_state([folder, folder]).words
    assert words.endswith("\N{HORIZONTAL ELLIPSIS}) and 97 others")
    assert len(words) < 450


def test_a_song_that_is_dropped_again_is_made_again_only_if_its_delivery_is_gone(
    stage: Stage, tmp_path: Path
) -> None:
    stage.start()
    content = wav("song.wav")
    stage.put("song.wav", content)
    assert stage.has_jobs(1)
    (job,) = stage.service.jobs()
    delivery = job.request.destination / "StemBridge" / "song"
    delivery.mkdir(parents=True)
    stage.service.play_done(stage.service.play_start(job.id), Delivery(folder=delivery, files=()))
    stage.put("the same.wav", content)
    assert eventually(lambda: stage.service.files.seen(stage.root / "the same.wav"))
    assert stage.service.count() == 1
    delivery.rename(tmp_path / "thrown away")
    stage.put("once more.wav", content)
    assert stage.has_jobs(2)


def test_a_mistake_in_one_folder_keeps_no_other_from_being_watched(stage: Stage, tmp_path: Path) -> None:
    stage.service = stage.service_of(
        WatchedFolder(path=str(tmp_path / "a"), recipe="ful"),
        WatchedFolder(path=str(tmp_path / "b"), targets=("lound",)),
        WatchedFolder(path=str(stage.root)),
        WatchedFolder(path=str(stage.root)),
    )
    stage.start()
    stage.put("song.wav")
    assert stage.has_jobs(1)
    assert stage.words.startswith("watching 1 folder")
    assert "watching 1 folders" not in stage.words
    assert "Did you mean 'full'?" in stage.words
    assert "lound" in stage.words


def test_of_nested_folders_each_has_its_own_songs(stage: Stage) -> None:
    inner = stage.root / "inner"
    inner.mkdir()
    stage.service = stage.service_of(
        WatchedFolder(path=str(stage.root)), WatchedFolder(path=str(inner), recipe="quick")
    )
    stage.start()
    stage.put("outer.wav")
    stage.put("inner/song.wav")
    assert stage.has_jobs(2)
    assert {job.request.source.name: job.request.recipe for job in stage.service.jobs()} == {
        "outer.wav": "full",
        "song.wav": "quick",
    }


def test_our_own_output_inside_the_folder_never_comes_in_again(stage: Stage) -> None:
    stage.start()
    home = stage.root / "StemBridge"
    (home / ".job.partial" / "Stems").mkdir(parents=True)
    (home / ".job.partial" / "Stems" / "Song - Vocals (dry).wav").write_bytes(wav())
    (home / ".job.partial" / "manifest.json").write_text(
        '{"format": "stembridge/manifest/1"}', encoding="utf-8"
    )
    (home / ".job.partial").rename(home / "Song")
    (home / "Song").rename(stage.root / "kept elsewhere")
    stage.put("song.wav")
    assert stage.has_jobs(1)
    stage.restart()
    stage.put("other.wav")
    assert stage.has_jobs(2)


def test_a_thousand_songs_at_once_are_all_taken(stage: Stage) -> None:
    stage.start()
    for number in range(1000):
        stage.put(f"song {number}.wav", wav(f"{number} ", frames=20))
    assert eventually(lambda: stage.service.count() == 1000, timeout_s=60)


def test_a_door_without_folders_opens_and_says_so(stage: Stage) -> None:
    stage.service = FakeService()
    stage.start()
    assert stage.words == "no folder is watched"


def test_a_door_that_never_started_can_be_stopped() -> None:
    WatchFrontend().stop()


def test_a_door_that_could_not_start_leaves_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise StorageError("The database is locked.")

    with monkeypatch.context() as locked:
        locked.setattr(stage.service.files, "seen_under", fail)
        with pytest.raises(StorageError):
            stage.start()
        stage.door.stop()
    stage.start()
    stage.put("song.wav")
    assert stage.has_jobs(1)


def test_failures_are_told_also_when_their_events_were_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener that falls behind loses events; it asks the store then."""
    real = stage.service.feed.subscribe
    monkeypatch.setattr(stage.service.feed, "subscribe", lambda: real(capacity=1))
    stage.start()
    songs = [stage.put(f"{number}.wav") for number in range(5)]
    assert stage.has_jobs(5)
    book = stage.door._book
    assert book is not None
    with book._lock:
        for job in stage.service.jobs():
            stage.service.play_failed(stage.service.play_start(job.id), "it is silent.")
    assert eventually(lambda: stage.service.count() == 5 + len(songs) - noted(songs))
    for job in stage.service.jobs(states={JobState.PENDING}):
        stage.service.play_failed(stage.service.play_start(job.id), "it is silent.")
        assert eventually(note_of(job.request.source).exists)
    assert noted(songs) == 5


def noted(songs: list[Path]) -> int:
    return sum(note_of(song).exists() for song in songs)


def test_nothing_takes_effect_after_the_door_is_closed(stage: Stage) -> None:
    stage.start()
    stage.put("song.wav")
    stage.door.stop()
    count = stage.service.count()
    assert not eventually(lambda: stage.service.count() != count, timeout_s=0.5)


def test_an_end_that_could_not_be_noted_at_once_is_noted_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was locked just then; nobody would tell of the failure, or take the equal song's turn."""
    monkeypatch.setattr("watcher.intake.TROUBLE_S", 0.05)
    stage.start()
    first = stage.put("a.wav", wav())
    assert stage.has_jobs(1)
    second = stage.put("b.wav", wav())
    assert eventually(lambda: stage.service.files.seen(second))
    real, refusals = stage.service.files.forget, [1, 1]

    def forget(path: Path) -> None:
        if refusals:
            refusals.pop()
            raise StorageError("The database is locked.")
        real(path)

    monkeypatch.setattr(stage.service.files, "forget", forget)
    stage.service.play_failed(stage.service.play_start(stage.job("a.wav").id), "a.wav is silent.")
    assert stage.has_jobs(2)
    assert stage.job("b.wav").state is JobState.PENDING
    assert eventually(note_of(first).exists)
