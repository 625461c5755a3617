"""Commands that ask: status, lists, files, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ableton.contract import Code
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.handlers.support import Ask, done, refused
from tests.ableton.support import submitted, write_song


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
