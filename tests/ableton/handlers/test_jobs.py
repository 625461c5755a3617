"""Commands about a job that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.contract import Code
from bridge.testing.service import FakeService
from bridge.values import ASKED_FOR, JobRequest
from tests.ableton.handlers.support import Ask, done, refused
from tests.ableton.support import submitted, write_song


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
