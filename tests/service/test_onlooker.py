"""What other processes do to jobs is told, and what this one does is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import events
from bridge.jobs import Worker
from bridge.service.onlooker import Onlooker
from bridge.testing.service import FakeService
from bridge.values import Delivery, Job, JobRequest


@pytest.fixture
def service() -> FakeService:
    return FakeService()


def request_of(tmp_path: Path, name: str = "Blue.wav") -> JobRequest:
    song = tmp_path / name
    song.write_bytes(name.encode())
    return JobRequest(source=song, destination=tmp_path)


def by_others(service: FakeService, request: JobRequest) -> Job:
    """A job that another process submitted: in the store, and told to nobody here."""
    return service.store.submit(request, f"print of {request.source.name}")


def onlooker_of(service: FakeService) -> Onlooker:
    """One that has seen what is there."""
    onlooker = Onlooker(service.store, service.feed)
    onlooker.look()
    return onlooker


def kinds(service: FakeService) -> list[str]:
    return [item.event.kind for item in service.feed.since(0) or ()]


def look(onlooker: Onlooker, times: int) -> None:
    for _ in range(times):
        onlooker.look()


def test_a_job_that_another_process_queued_is_told_once(service: FakeService, tmp_path: Path) -> None:
    onlooker = onlooker_of(service)
    by_others(service, request_of(tmp_path))
    look(onlooker, 1)
    assert kinds(service) == []
    look(onlooker, 3)
    assert kinds(service) == ["job_queued"]


def test_jobs_that_were_there_before_are_not_news(service: FakeService, tmp_path: Path) -> None:
    by_others(service, request_of(tmp_path))
    look(onlooker_of(service), 3)
    assert kinds(service) == []


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_how_a_job_ended_elsewhere_is_told_once(service: FakeService, tmp_path: Path, end: str) -> None:
    job = by_others(service, request_of(tmp_path))
    onlooker = onlooker_of(service)
    if end == "cancelled":
        service.store.request_cancel(job.id, "by hand")
    else:
        held = service.store.claim(Worker.here("another process"), job.id)
        assert held is not None
        if end == "done":
            service.store.succeed(held, Delivery(folder=tmp_path, files=()))
        else:
            service.store.fail(held, "It is silent.")
    look(onlooker, 4)
    assert kinds(service) == [f"job_{end}"]


def test_what_this_process_does_is_not_told_again(service: FakeService, tmp_path: Path) -> None:
    onlooker = onlooker_of(service)
    job = service.submit(request_of(tmp_path)).job
    look(onlooker, 2)
    held = service.play_start(job.id)
    look(onlooker, 2)
    service.play_done(held, Delivery(folder=tmp_path, files=()))
    look(onlooker, 3)
    assert kinds(service) == ["job_queued", "job_started", "job_done"]


def test_an_end_that_is_told_between_two_looks_is_not_told_twice(
    service: FakeService, tmp_path: Path
) -> None:
    """In the store first, on the feed a moment later, and a look in between."""
    onlooker = onlooker_of(service)
    held = service.play_start(service.submit(request_of(tmp_path)).job.id)
    look(onlooker, 2)
    delivery = Delivery(folder=tmp_path, files=())
    service.store.succeed(held, delivery)
    look(onlooker, 1)
    service.feed.publish(events.JobDone(job_id=held.id, delivery=delivery))
    look(onlooker, 3)
    assert kinds(service).count("job_done") == 1


@pytest.mark.parametrize("looks", [0, 1], ids=["at the first look", "at a later one"])
def test_an_end_that_is_told_during_a_look_is_not_told_twice(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """Whatever comes between what a look reads of the store and of the feed is heard at the next one."""
    held = service.play_start(service.submit(request_of(tmp_path)).job.id)
    onlooker = Onlooker(service.store, service.feed)
    look(onlooker, looks)
    since = service.feed.since

    def since_and_end(number: int) -> object:
        told = since(number)
        monkeypatch.setattr(service.feed, "since", since)
        service.play_done(held, Delivery(folder=tmp_path, files=()))
        return told

    monkeypatch.setattr(service.feed, "since", since_and_end)
    look(onlooker, 4)
    assert kinds(service).count("job_done") == 1
