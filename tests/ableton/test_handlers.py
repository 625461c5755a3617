"""What each command does, without sockets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ableton.addresses import COMMANDS, COMMON_REFUSALS
from ableton.clients import Clients
from ableton.contract import Code
from ableton.follower import Heard
from ableton.handlers import Asked, Desk, answer
from ableton.messages import encode
from ableton.storyteller import Storyteller
from bridge.errors import StorageError
from bridge.jobs import SeenFile
from bridge.testing.service import FakeService
from bridge.values import ASKED_FOR, Delivery, Job, JobRequest, JobState
from tests.ableton.support import FakeRoute, heard, settings, submitted, write_song

Ask = Callable[..., Heard]


@pytest.fixture
def route() -> FakeRoute:
    return FakeRoute()


@pytest.fixture
def clients(route: FakeRoute) -> Clients:
    clients = Clients(heartbeat_s=10.0)
    clients.hear("me", route)
    return clients


@pytest.fixture
def desk(service: FakeService, clients: Clients) -> Desk:
    return Desk(
        service=service,
        clients=clients,
        storyteller=Storyteller(service.feed, lambda: clients.subscribers),
    )


@pytest.fixture
def ask(desk: Desk, route: FakeRoute) -> Ask:
    """Gives a command with the next number, or with ``seq``; gives its answer, one that the page names."""
    numbers = iter(range(1, 1000))

    def ask(name: str, *arguments: Any, seq: int = 0) -> Heard:
        command = COMMANDS[f"/stembridge/{name}"]
        values = command.read(["me", seq or next(numbers), *arguments])
        found = heard(encode(answer(desk, Asked(command=command, arguments=values, route=route))))
        expected = (*command.refusals, *COMMON_REFUSALS) if found.name == "refused" else command.replies
        assert found.values.get("code", found.name) in expected, "the page does not say so"
        return found

    return ask


def refused(found: Heard, code: Code, words: str = "") -> bool:
    assert found.name == "refused", found
    assert found.values["code"] == code, found
    return words in str(found.values["message"])


def done(service: FakeService, song: Path, files: tuple[str, ...] = ("Stems/bass.wav",)) -> str:
    job = service.play_start(submitted(service, song).id)
    delivery = Delivery(
        folder=song.parent / "StemBridge" / song.stem,
        files=files,
        main_figures={"tempo_bpm": 123.0, "key": None, "masters": {"streaming": {"integrated_lufs": -14.0}}},
    )
    return service.play_done(job, delivery).id


def test_process_commits_a_job_with_everything_that_was_asked(
    ask: Ask, service: FakeService, folder: Path
) -> None:
    song, project = write_song(folder), folder / "Set Project"
    project.mkdir()
    found = ask("process", str(song), "quick", str(project), "club, streaming", "punchy drums; warm")
    request = service.job(str(found.values["job"])).request
    assert (found.name, found.values["is_new"], found.values["state"]) == ("accepted", 1, "PENDING")
    assert found.values["title"] == "Night Drive"
    assert (request.source, request.recipe, request.destination) == (song, "quick", project)
    assert (request.targets, request.wishes) == (("club", "streaming"), ("punchy drums", "warm"))
    assert request.origin == "osc"


def test_a_folder_of_stems_has_its_whole_name_for_a_title(ask: Ask, route: FakeRoute, folder: Path) -> None:
    stems = folder / "Song No. 5"
    stems.mkdir()
    for name in ("0 Lead Vocals.wav", "1 Drums.wav"):
        write_song(stems, name)
    job = ask("process", str(stems))
    assert job.values["title"] == stems.name
    assert ask("status", str(job.values["job"])).values["title"] == stems.name
    assert ask("list").rows[0][3] == stems.name
    ask("subscribe")
    assert route.next().rows[0][4] == stems.name


def test_process_needs_no_more_than_a_path(ask: Ask, service: FakeService, folder: Path) -> None:
    found = ask("process", str(write_song(folder)))
    request = service.job(str(found.values["job"])).request
    assert (request.recipe, request.destination) == ("full", folder)


def test_a_live_set_names_its_project(ask: Ask, service: FakeService, folder: Path) -> None:
    live_set = write_song(folder, "Song.als")
    found = ask("process", str(write_song(folder)), "", str(live_set))
    assert service.job(str(found.values["job"])).request.destination == folder


def test_an_equal_job_that_is_open_is_the_answer(ask: Ask, folder: Path) -> None:
    song = write_song(folder)
    first, second = ask("process", str(song)), ask("process", str(song))
    assert first.values["job"] == second.values["job"]
    assert (first.values["is_new"], second.values["is_new"]) == (1, 0)


def test_a_command_takes_effect_once_also_where_the_door_forgot_it(
    ask: Ask, service: FakeService, folder: Path
) -> None:
    """The number reaches the store, which knows it after a restart."""
    song = write_song(folder)
    first = ask("process", str(song), seq=5)
    service.play_cancelled(service.play_start(str(first.values["job"])))
    again = ask("process", str(song), seq=5)
    assert again.values["job"] == first.values["job"]
    assert service.count() == 1


def test_a_command_that_took_effect_is_not_refused_when_its_project_is_gone(
    ask: Ask, service: FakeService, folder: Path
) -> None:
    project = folder / "My Set"
    project.mkdir()
    arguments = str(write_song(folder)), "full", str(project)
    first = ask("process", *arguments, seq=5)
    project.rmdir()
    assert ask("process", *arguments, seq=5).values["job"] == first.values["job"]
    assert refused(ask("process", *arguments, seq=6), Code.INPUT)


PATHS = [("", "empty"), ("a.wav", "absolute"), ("/a\nb", "control"), ("/etc/passwd", "outside")]


@pytest.mark.parametrize(("path", "words"), PATHS)
def test_paths_that_may_not_be_named_are_refused(ask: Ask, path: str, words: str) -> None:
    assert refused(ask("process", path), Code.PATH, words)


def test_a_link_out_of_the_permitted_folders_is_refused(ask: Ask, folder: Path) -> None:
    (folder / "link.wav").symlink_to("/etc/passwd")
    assert refused(ask("process", str(folder / "link.wav")), Code.PATH, "outside")


def test_a_song_that_is_not_there_is_refused(ask: Ask, folder: Path) -> None:
    assert refused(ask("process", str(folder / "nothing.wav")), Code.INPUT, "nothing.wav")


def test_a_project_that_is_not_there_is_refused(ask: Ask, folder: Path) -> None:
    found = ask("process", str(write_song(folder)), "", str(folder / "nowhere"))
    assert refused(found, Code.INPUT, "Save the Live Set first")


@pytest.mark.parametrize(
    "arguments", [("ful",), ("", "", "strea"), ("", "", "", "purple drums")], ids=["recipe", "target", "wish"]
)
def test_unknown_words_are_refused(ask: Ask, folder: Path, arguments: tuple[str, ...]) -> None:
    assert refused(ask("process", str(write_song(folder)), *arguments), Code.SETTING)


def test_cancel_ends_a_job(ask: Ask, service: FakeService, folder: Path) -> None:
    job = submitted(service, write_song(folder))
    found = ask("cancel", job.id)
    assert (found.values["job"], found.values["is_new"], found.values["state"]) == (job.id, 0, "CANCELLED")
    assert ask("cancel", job.id).values["state"] == "CANCELLED"


def test_what_has_ended_otherwise_cannot_be_cancelled(ask: Ask, service: FakeService, folder: Path) -> None:
    assert refused(ask("cancel", done(service, write_song(folder))), Code.JOB)


@pytest.mark.parametrize("command", ["cancel", "retry", "again", "status", "files", "figures", "error"])
def test_an_unknown_job_is_told(ask: Ask, command: str) -> None:
    assert refused(ask(command, "nope"), Code.JOB, "nope")


def test_retry_makes_a_linked_job_once(ask: Ask, service: FakeService, folder: Path) -> None:
    old = service.play_failed(service.play_start(submitted(service, write_song(folder)).id), "bad luck")
    found = ask("retry", old.id, seq=9)
    new = service.job(str(found.values["job"]))
    assert (new.linked_to, new.request) == (old.id, old.request.evolve(priority=ASKED_FOR))
    assert ask("retry", old.id, seq=9).values["job"] == new.id
    assert service.count() == 2


def test_a_job_of_a_recipe_that_is_gone_cannot_be_retried(
    ask: Ask, service: FakeService, folder: Path
) -> None:
    request = JobRequest(source=write_song(folder), recipe="gone", destination=folder)
    job = service.store.submit_once(request, "fingerprint").job
    service.play_failed(service.play_start(job.id), "bad luck")
    assert refused(ask("retry", job.id), Code.SETTING, "gone")


@pytest.mark.parametrize("command", [("subscribe",), ("events", 7, "another")], ids=["subscribe", "events"])
def test_without_the_state_there_is_no_subscription(
    ask: Ask,
    service: FakeService,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str | int, ...],
) -> None:
    def fail(**_: object) -> None:
        raise StorageError("The database is locked.")

    monkeypatch.setattr(service, "jobs", fail)
    assert refused(ask(*command), Code.STORAGE, "locked")
    assert not clients.is_subscribed("me")


def test_what_is_told_while_the_state_is_read_can_be_asked_for(
    ask: Ask, desk: Desk, service: FakeService, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song, jobs = write_song(folder), service.jobs

    def read_slowly(**which: Any) -> tuple[Job, ...]:
        found = jobs(**which)
        if not service.count():
            submitted(service, song)
            desk.storyteller.tell_new()
        return found

    monkeypatch.setattr(service, "jobs", read_slowly)
    found = ask("subscribe")
    assert int(found.values["last"]) > int(found.values["from"])


def test_a_job_at_work_cannot_be_retried(ask: Ask, service: FakeService, folder: Path) -> None:
    assert refused(ask("retry", submitted(service, write_song(folder)).id), Code.JOB)


def test_again_changes_what_is_given_and_nothing_else(ask: Ask, service: FakeService, folder: Path) -> None:
    song, project = write_song(folder), folder / "Project"
    project.mkdir()
    old = done(service, song)
    found = ask("again", old, "", str(project), "club")
    request = service.job(str(found.values["job"])).request
    assert (request.recipe, request.targets, request.destination) == ("full", ("club",), project)
    assert request.source == song


def test_status_tells_of_a_job(ask: Ask, service: FakeService, folder: Path) -> None:
    job = service.play_failed(service.play_start(submitted(service, write_song(folder)).id), "x" * 2000)
    found = ask("status", job.id)
    assert (found.name, found.values["state"], found.values["attempt"]) == ("job", "FAILED", 1)
    assert str(found.values["error"]).endswith("...")


def test_status_tells_of_the_service(ask: Ask, service: FakeService, folder: Path) -> None:
    submitted(service, write_song(folder))
    done(service, write_song(folder, "b.wav", b"two"))
    found = ask("status")
    assert (found.name, found.values["waiting"], found.values["succeeded"]) == ("service", 1, 1)
    assert found.values["epoch"] == service.feed.epoch


def test_list_gives_every_job_once_page_by_page(ask: Ask, service: FakeService, folder: Path) -> None:
    made = [
        submitted(service, write_song(folder, f"{number:02d} {'x' * 100}.wav", b"%d" % number)).id
        for number in range(40)
    ]
    found: list[Any] = []
    while True:
        page = ask("list", 15, found[-1] if found else "")
        found += [row[0] for row in page.rows]
        if not page.values["has_more"]:
            break
    assert found == made[::-1]


def test_list_keeps_to_its_limit(ask: Ask, service: FakeService, folder: Path) -> None:
    for number in range(3):
        submitted(service, write_song(folder, f"{number}.wav", b"%d" % number))
    assert [len(ask("list", limit).rows) for limit in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert [ask("list", limit).values["has_more"] for limit in (1, 2, 3, 4)] == [1, 1, 0, 0]


def test_files_gives_a_whole_delivery_page_by_page(ask: Ask, service: FakeService, folder: Path) -> None:
    files = tuple(f"Stems/{number:03d} {'ü' * 60}.wav" for number in range(60))
    job = done(service, write_song(folder), files)
    found: list[Any] = []
    while len(found) < 60:
        page = ask("files", job, len(found))
        assert page.rows
        assert page.values["total"] == 60
        found += [row[0] for row in page.rows]
    assert tuple(found) == files
    assert page.values["folder"] == str(folder / "StemBridge" / "Night Drive")


def test_files_beyond_the_end_are_none(ask: Ask, service: FakeService, folder: Path) -> None:
    assert ask("files", done(service, write_song(folder)), 5).rows == ()


def test_a_job_without_a_delivery_has_no_files(ask: Ask, service: FakeService, folder: Path) -> None:
    assert refused(ask("files", submitted(service, write_song(folder)).id), Code.JOB, "PENDING")


def test_a_folder_that_does_not_fit_is_not_cut(ask: Ask, service: FakeService, folder: Path) -> None:
    job = service.play_start(submitted(service, write_song(folder)).id)
    service.play_done(job, Delivery(folder=Path("/" + "x" * 2000), files=("a",)))
    assert refused(ask("files", job.id), Code.TOO_LONG)


def test_figures_are_told_by_name(ask: Ask, service: FakeService, folder: Path) -> None:
    found = ask("figures", done(service, write_song(folder)))
    assert dict(found.rows) == {"tempo_bpm": "123.0", "masters.streaming.integrated_lufs": "-14.0"}


def test_error_gives_the_whole_text_in_parts(ask: Ask, service: FakeService, folder: Path) -> None:
    text = "Grün " * 700
    job = service.play_failed(service.play_start(submitted(service, write_song(folder)).id), text)
    found, total = b"", 1
    while len(found) < total:
        page = ask("error", job.id, len(found))
        total = int(page.values["total"])
        found += str(page.values["part"]).encode()
    assert found.decode() == text


def test_recipes_and_targets_are_listed(ask: Ask) -> None:
    assert ("full", "Stems, mixed stems and master", "streaming") in ask("recipes").rows
    assert ("streaming", "Streaming", -14.0, -1.0) in ask("targets").rows
    assert len(ask("recipes", 2).rows) == int(ask("recipes").values["total"]) - 2


def test_who_comes_late_gets_the_state(
    ask: Ask, service: FakeService, folder: Path, route: FakeRoute, clients: Clients
) -> None:
    ended = done(service, write_song(folder, "a.wav"))
    waits = submitted(service, write_song(folder, "b.wav", b"two")).id
    found = ask("subscribe")
    last = service.feed.last_number
    told = route.all()
    assert [h.name for h in told] == ["resync"]
    assert [row[:2] for row in told[0].rows] == [(ended, JobState.SUCCESS), (waits, JobState.PENDING)]
    assert told[0].values["last"] == found.values["from"] == last
    assert clients.subscribers == (route,)


def test_a_state_of_many_jobs_comes_in_parts_that_are_counted(
    ask: Ask, service: FakeService, folder: Path, route: FakeRoute
) -> None:
    made = [
        submitted(service, write_song(folder, f"{number:02d} {'x' * 100}.wav", b"%d" % number)).id
        for number in range(60)
    ]
    ask("subscribe")
    told = route.all()
    assert [(h.values["part"], h.values["parts"]) for h in told] == [(n, len(told)) for n in range(len(told))]
    assert 2 < len(told) < 20
    assert [row[0] for h in told for row in h.rows] == made[-50:]


def test_the_job_at_work_is_told_however_many_wait_behind_it(
    ask: Ask, service: FakeService, folder: Path, route: FakeRoute
) -> None:
    made = [
        submitted(service, write_song(folder, f"{number:02d}.wav", b"%d" % number)).id for number in range(60)
    ]
    service.play_start(made[0])
    ask("subscribe")
    rows = [row[:2] for h in route.all() for row in h.rows]
    assert rows[0] == (made[0], JobState.PROCESSING)
    assert [job for job, _ in rows[1:]] == made[-50:]


def test_who_comes_back_with_its_number_keeps_it(
    ask: Ask, service: FakeService, folder: Path, route: FakeRoute
) -> None:
    submitted(service, write_song(folder))
    found = ask("subscribe", 0, service.feed.epoch)
    assert found.values["from"] == 0
    assert route.all() == []


def test_who_comes_back_from_another_epoch_gets_the_state(ask: Ask, route: FakeRoute) -> None:
    assert ask("subscribe", 7, "before").values["from"] == 0
    assert [h.name for h in route.all()] == ["resync"]


def test_events_are_told_again(ask: Ask, service: FakeService, folder: Path, route: FakeRoute) -> None:
    submitted(service, write_song(folder))
    found = ask("events", 0, service.feed.epoch)
    assert [h.name for h in route.all()] == ["queued"]
    assert (found.values["upto"], found.values["told"]) == (1, 1)


def test_events_of_another_epoch_become_the_state(ask: Ask, route: FakeRoute) -> None:
    found = ask("events", 3, "before")
    assert [h.name for h in route.all()] == ["resync"]
    assert (found.values["upto"], found.values["told"]) == (0, 0)


def test_unsubscribe_ends_it(ask: Ask, clients: Clients) -> None:
    ask("subscribe")
    ask("unsubscribe")
    assert clients.subscribers == ()


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
