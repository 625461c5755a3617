"""Commands that begin a job."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.contract import Code
from bridge.testing.service import FakeService
from tests.ableton.handlers.support import Ask, refused
from tests.ableton.support import FakeRoute, write_song


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
