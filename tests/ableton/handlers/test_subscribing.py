"""Who subscribes hears the state, then every event once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ableton.clients import Clients
from ableton.contract import Code
from ableton.handlers import Desk
from bridge.errors import StorageError
from bridge.testing.service import FakeService
from bridge.values import Job, JobState
from tests.ableton.handlers.support import Ask, done, refused
from tests.ableton.support import FakeRoute, submitted, write_song


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
