"""The newest song of the watched folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ableton.contract import Code
from bridge.jobs import SeenFile
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.handlers.support import Ask, refused
from tests.ableton.support import settings, write_song


def seen_file(path: Path, refused: str = "") -> SeenFile:
    found = path.stat()
    return SeenFile(
        path=path,
        size_bytes=found.st_size,
        modified_ns=found.st_mtime_ns,
        inode=found.st_ino,
        sha256="5" * 64,
        refused=refused,
    )


class TestNewest:
    @pytest.fixture
    def service(self, folder: Path) -> FakeService:
        (folder / "project").mkdir()
        watched = {"path": str(folder), "recipe": "quick", "project": str(folder / "project")}
        inner = watched | {"path": str(folder / "inner")}
        return FakeService(settings(folder) | {"watch": {"folders": [watched, inner]}})

    @staticmethod
    def aged(path: Path, seconds: float) -> Path:
        import time

        os.utime(path, (time.time() - seconds,) * 2)
        return path

    def test_the_newest_finished_song_is_taken_as_its_folder_says(
        self, ask: Ask, service: FakeService, folder: Path
    ) -> None:
        self.aged(write_song(folder, "old.wav"), 100)
        newest = self.aged(write_song(folder, "new.wav", b"two"), 50)
        found = ask("process_newest")
        request = service.job(str(found.values["job"])).request
        assert (request.source, request.recipe) == (newest, "quick")
        assert request.destination == folder / "project"

    def test_the_newest_song_is_taken_with_targets_and_wishes(
        self, ask: Ask, service: FakeService, folder: Path
    ) -> None:
        self.aged(write_song(folder), 50)
        found = ask("process_newest", "full", "", "club,streaming", "punchy drums")
        request = service.job(str(found.values["job"])).request
        assert (request.recipe, request.targets) == ("full", ("club", "streaming"))
        assert request.wishes == ("punchy drums",)

    def test_what_was_done_already_is_the_answer(self, ask: Ask, service: FakeService, folder: Path) -> None:
        self.aged(write_song(folder), 50)
        first = str(ask("process_newest").values["job"])
        delivery = Delivery(folder=folder / "StemBridge", files=())
        service.play_done(service.play_start(first), delivery)
        found = ask("process_newest")
        assert (found.values["job"], found.values["is_new"], found.values["state"]) == (first, 0, "SUCCESS")

    def test_a_command_that_took_effect_is_not_refused_when_its_song_is_gone(
        self, ask: Ask, folder: Path
    ) -> None:
        song = self.aged(write_song(folder), 60)
        first = ask("process_newest", seq=5)
        song.unlink()
        assert ask("process_newest", seq=5).values["job"] == first.values["job"]
        assert refused(ask("process_newest", seq=6), Code.NO_SONG)

    def test_songs_that_grow_are_cut_off_or_are_our_own_are_passed_over(self, ask: Ask, folder: Path) -> None:
        self.aged(write_song(folder, "good.wav"), 100)
        write_song(folder, "grows.wav", b"two")
        half = write_song(folder, "half.wav", b"three" * 10_000)
        half.write_bytes(half.read_bytes()[:20_000])
        self.aged(half, 40)
        (folder / "StemBridge").mkdir()
        self.aged(write_song(folder / "StemBridge", "master.wav", b"four"), 30)
        self.aged(write_song(folder, ".hidden.wav", b"five"), 20)
        self.aged(write_song(folder, "cover.jpg", b"six"), 10)
        assert ask("process_newest").values["title"] == "good"

    @pytest.mark.parametrize(
        ("place", "beside"),
        [
            ("Title final/Master", {"Title final/manifest.json": '{"format": "stembridge/manifest/1"}'}),
            ("My Project/Samples", {"My Project/Ableton Project Info/a": ""}),
            ("Title.logicx/Media", {}),
            ("", {"Title.wav.part": ""}),
        ],
        ids=["a delivery that was renamed", "a Live project", "a package", "a download"],
    )
    def test_what_the_folder_door_leaves_alone_is_passed_over(
        self, ask: Ask, folder: Path, place: str, beside: dict[str, str]
    ) -> None:
        self.aged(write_song(folder, "good.wav"), 100)
        (folder / place).mkdir(parents=True, exist_ok=True)
        self.aged(write_song(folder / place, "Title.wav", b"two"), 50)
        for name, content in beside.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        assert ask("process_newest").values["title"] == "good"

    def test_a_watched_folder_that_is_away_hides_no_other(self, ask: Ask, folder: Path) -> None:
        assert not (folder / "inner").exists()
        self.aged(write_song(folder), 50)
        assert ask("process_newest").values["title"] == "Night Drive"

    def test_watched_folders_in_watched_folders_count_once(self, folder: Path, ask: Ask) -> None:
        inner = folder / "inner"
        inner.mkdir()
        self.aged(write_song(inner), 50)
        assert ask("process_newest").values["title"] == "Night Drive"

    def test_a_song_that_was_refused_before_is_passed_over(
        self, ask: Ask, service: FakeService, folder: Path
    ) -> None:
        self.aged(write_song(folder, "good.wav"), 100)
        bad = self.aged(write_song(folder, "bad.wav", b"two"), 50)
        service.files.remember(seen_file(bad, refused="It is silent."))
        assert ask("process_newest").values["title"] == "good"

    def test_a_song_that_was_seen_before_is_not_read_again(
        self, ask: Ask, service: FakeService, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        song = self.aged(write_song(folder), 50)
        service.files.remember(seen_file(song))
        monkeypatch.setattr(FakeService, "inspect", None)
        assert ask("process_newest").values["title"] == "Night Drive"

    def test_stems_that_were_taken_as_one_song_are_that_song(
        self, ask: Ask, service: FakeService, folder: Path
    ) -> None:
        stems = folder / "My Song"
        stems.mkdir()
        for name in ("Vocals.wav", "Drums.wav", "Bass.wav"):
            self.aged(write_song(stems, name, name.encode()), 50)
        service.files.remember(seen_file(stems))
        found = ask("process_newest")
        assert service.job(str(found.values["job"])).request.source == stems

    def test_stems_that_nobody_took_yet_are_one_song(
        self, ask: Ask, service: FakeService, folder: Path
    ) -> None:
        stems = folder / "My Song"
        stems.mkdir()
        for name in ("0 Lead Vocals.wav", "1 Drums.wav"):
            self.aged(write_song(stems, name, name.encode()), 50)
        found = ask("process_newest")
        assert service.job(str(found.values["job"])).request.source == stems

    def test_a_file_from_a_machine_whose_clock_is_ahead_counts(self, ask: Ask, folder: Path) -> None:
        self.aged(write_song(folder), -3600)
        assert ask("process_newest").values["title"] == "Night Drive"

    def test_no_song_is_told(self, ask: Ask, folder: Path) -> None:
        assert refused(ask("process_newest"), Code.NO_SONG, str(folder))


def test_no_watched_folder_is_told(ask: Ask) -> None:
    assert refused(ask("process_newest"), Code.NO_SONG, "stembridge watch add")
