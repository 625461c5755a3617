"""What is told of events, live and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.addresses import FOLDER_BYTES
from ableton.follower import Follower, Heard
from ableton.storyteller import MAX_RETOLD, Storyteller
from bridge import events
from bridge.events import EVENT_TYPES, Event
from bridge.service import Feed
from bridge.values import Delivery
from tests.ableton.support import FakeClock, FakeRoute, heard

JOB = "0193b1c2d3e4f506"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def feed() -> Feed:
    return Feed(capacity=500)


@pytest.fixture
def route() -> FakeRoute:
    return FakeRoute()


@pytest.fixture
def teller(feed: Feed, route: FakeRoute, clock: FakeClock) -> Storyteller:
    return Storyteller(feed, lambda: [route], clock=clock)


def progress(share: float, job: str = JOB, remaining_s: float | None = None) -> Event:
    return events.JobProgress(job_id=job, stage="mix", share=share, remaining_s=remaining_s)


def note(text: str = "text") -> Event:
    return events.JobNote(job_id=JOB, stage="mix", text=text)


def told(teller: Storyteller, feed: Feed, route: FakeRoute, *happened: Event) -> list[Heard]:
    for event in happened:
        feed.publish(event)
    teller.tell_new()
    return route.all()


DELIVERY = Delivery(folder=Path("/music/StemBridge/Night Drive"), files=("a.wav", "b.wav"))
STORIES = [
    (
        events.JobQueued(job_id=JOB, source="Night Drive.wav", recipe="full"),
        "queued",
        {"title": "Night Drive"},
    ),
    (
        events.JobQueued(job_id=JOB, source="Song No. 5", recipe="full"),
        "queued",
        {"title": "Song No. 5"},
    ),
    (events.JobStarted(job_id=JOB, attempt=2), "started", {"attempt": 2}),
    (
        events.StageStarted(job_id=JOB, stage="separate"),
        "stage",
        {"stage": "separate", "words": "Separating", "share": 0.0},
    ),
    (progress(0.5, remaining_s=12.0), "progress", {"share": 0.5, "remaining_s": 12.0, "words": "Mixing"}),
    (progress(0.5), "progress", {"remaining_s": -1.0}),
    (note("3 clicks"), "note", {"stage": "mix", "text": "3 clicks"}),
    (
        events.QaRetryStarted(job_id=JOB, retry=1, reasons=("too loud",)),
        "note",
        {"text": "Rendering once more, corrected (1): too loud"},
    ),
    (events.JobPostponed(job_id=JOB, reason="disk full", delay_s=30), "postponed", {"delay_s": 30.0}),
    (
        events.JobDone(job_id=JOB, delivery=DELIVERY),
        "done",
        {"files": 2, "folder": str(DELIVERY.folder), "title": "Night Drive"},
    ),
    (
        events.JobFailed(job_id=JOB, error="InputError", message="too short"),
        "failed",
        {"error": "InputError", "message": "too short"},
    ),
    (events.JobCancelled(job_id=JOB, reason="changed"), "cancelled", {"reason": "changed"}),
]


@pytest.mark.parametrize(("event", "name", "values"), STORIES, ids=[type(s[0]).__name__ for s in STORIES])
def test_each_event_is_told_with_what_a_device_needs(
    teller: Storyteller, feed: Feed, route: FakeRoute, event: Event, name: str, values: dict[str, object]
) -> None:
    (found,) = told(teller, feed, route, event)
    assert found.name == name
    assert found.values.items() >= values.items()
    assert list(found.values)[:4] == ["number", "epoch", "job", "after"]
    assert found.values["epoch"] == feed.epoch
    assert found.values["job"] == JOB


def test_every_kind_of_event_is_told_or_left_out_on_purpose() -> None:
    untold = set(EVENT_TYPES) - {type(story[0]) for story in STORIES}
    assert untold == {events.SourceRead, events.StageDone, events.QaRetryEnded}


def test_a_stage_begins_at_the_share_that_was_told_last(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    stage = events.StageStarted(job_id=JOB, stage="mix")
    assert told(teller, feed, route, progress(0.25), stage)[-1].values["share"] == 0.25


def test_progress_is_told_four_times_a_second_for_each_job(
    teller: Storyteller, feed: Feed, route: FakeRoute, clock: FakeClock
) -> None:
    found = []
    for step in range(65):
        found += told(teller, feed, route, progress(step / 64), progress(step / 64, job="other"))
        clock.advance(1 / 64)
    assert [h.values["job"] for h in found].count(JOB) == 5
    assert len(found) == 10


def test_of_progress_that_came_at_once_only_the_newest_is_told(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    found = told(teller, feed, route, progress(0.1), note(), progress(0.2))
    assert [h.name for h in found] == ["note", "progress"]
    assert found[1].values["share"] == pytest.approx(0.2)


def test_after_names_the_event_that_was_told_before_though_others_lie_between(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    done = events.StageDone(job_id=JOB, stage="mix", key="k")
    found = told(teller, feed, route, note(), done, progress(0.1), progress(0.2), note())
    assert [(h.values["number"], h.values["after"]) for h in found] == [(1, 0), (4, 1), (5, 4)]
    assert teller.told == 5


def test_a_long_text_is_cut_and_a_long_folder_left_out(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    failed = events.JobFailed(job_id=JOB, error="StageError", message="ü" * 3000)
    long = Delivery(folder=Path("/" + "ü" * FOLDER_BYTES), files=("a",))
    first, second = told(teller, feed, route, failed, events.JobDone(job_id=JOB, delivery=long))
    assert str(first.values["message"]).endswith("ü...")
    assert second.values["folder"] == ""


def test_more_than_is_kept_at_once_has_the_state_told_instead(route: FakeRoute) -> None:
    lost = []
    feed = Feed(capacity=3)
    teller = Storyteller(feed, lambda: [route], on_lost=lambda: lost.append(1))
    assert told(teller, feed, route, *[note()] * 5) == []
    assert lost == [1]
    assert [h.values["after"] for h in told(teller, feed, route, note())] == [5]


def test_missed_events_are_told_again_after_what_the_client_has(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    told(teller, feed, route, note("1"), note("2"), progress(0.1), note("4"), progress(0.2))
    retold = teller.retell(1, feed.epoch)
    assert retold is not None
    found = [heard(packet) for packet in retold.packets]
    assert [(h.values["number"], h.values["after"]) for h in found] == [(2, 1), (4, 2), (5, 4)]
    assert (retold.upto, retold.told) == (5, 5)


def test_what_is_told_again_comes_in_parts(teller: Storyteller, feed: Feed, route: FakeRoute) -> None:
    told(teller, feed, route, *[note(str(number)) for number in range(120)])
    number, parts = 0, 0
    while number < 120:
        retold = teller.retell(number, feed.epoch)
        assert retold is not None
        assert len(retold.packets) <= MAX_RETOLD
        number, parts = retold.upto, parts + 1
    assert parts == 3


def test_nothing_missed_is_told_as_nothing(teller: Storyteller, feed: Feed) -> None:
    assert teller.retell(0, feed.epoch) == ((), 0, -1)


@pytest.mark.parametrize("number", [-5, 7])
def test_numbers_that_never_were_cannot_be_told_again(teller: Storyteller, feed: Feed, number: int) -> None:
    assert teller.retell(number, feed.epoch) is None


def test_another_epoch_cannot_be_told_again(teller: Storyteller) -> None:
    assert teller.retell(0, "before") is None


def test_what_is_no_longer_kept_cannot_be_told_again(route: FakeRoute) -> None:
    feed = Feed(capacity=3)
    teller = Storyteller(feed, lambda: [route])
    told(teller, feed, route, *[note()] * 3)
    told(teller, feed, route, note())
    assert teller.retell(0, feed.epoch) is None
    assert teller.retell(1, feed.epoch) is not None


def test_a_client_that_lost_some_gets_each_once_and_in_order(
    teller: Storyteller, feed: Feed, route: FakeRoute
) -> None:
    got: list[object] = []
    follower = Follower(lambda h: got.append(h.values["text"]))
    follower.start(feed.epoch, 0)
    live = told(teller, feed, route, *[note(str(number)) for number in range(1, 7)])
    for place in (0, 3, 3, 5, 2):
        follower.take(live[place])
    assert (got, follower.missed) == (["1"], 1)
    retold = teller.retell(1, feed.epoch)
    assert retold is not None
    follower.take(heard(retold.packets[0]))
    assert got == ["1", "2", "3", "4"], "4 had come early"
    for packet in retold.packets:
        follower.take(heard(packet))
    assert got == ["1", "2", "3", "4", "5", "6"]
