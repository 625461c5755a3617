"""Events survive JSON, and telling them never waits."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge import events
from bridge.events import EVENT_TYPES, Event, EventBus, event_from_json
from bridge.values import Delivery

SAMPLES: list[Event] = [
    events.JobQueued(job_id="1", source="Night Drive 🌃.mp3", recipe="full"),
    events.JobStarted(job_id="1", attempt=2),
    events.SourceRead(job_id="1", sha256="a" * 64),
    events.StageStarted(job_id="1", stage="separate"),
    events.StageDone(job_id="1", stage="separate", key="k", seconds=1.25, was_reused=True),
    events.JobProgress(job_id="1", stage="mix", share=0.5, remaining_s=None),
    events.JobNote(job_id="1", stage="restore", text="Hiss was left: it is music."),
    events.QaRetryStarted(job_id="1", retry=1, reasons=("too loud",)),
    events.QaRetryEnded(job_id="1", retry=1),
    events.JobPostponed(job_id="1", reason="The disk is full.", delay_s=30.0),
    events.JobDone(job_id="1", delivery=Delivery(folder=Path("/p"), files=("a.wav",))),
    events.JobFailed(job_id="1", error="InputError", message="Empty."),
    events.JobCancelled(job_id="1"),
]


def progress(share: float = 0.0) -> Event:
    return events.JobProgress(job_id="1", stage="mix", share=share)


def started(number: int) -> Event:
    return events.JobStarted(job_id=str(number), attempt=1)


@pytest.mark.parametrize("event", SAMPLES, ids=[type(event).__name__ for event in SAMPLES])
def test_events_survive_json(event: Event) -> None:
    """Class and content."""
    back = event_from_json(event.model_dump_json())
    assert back == event
    assert type(back) is type(event)


def test_every_event_is_tried_and_has_a_kind_of_its_own() -> None:
    """The table above is whole."""
    assert {type(event) for event in SAMPLES} == set(EVENT_TYPES)
    assert len({event.kind for event in SAMPLES}) == len(EVENT_TYPES)


@pytest.mark.parametrize("text", ['{"kind": "job_exploded", "job_id": "1"}', "{}", "[]", "nonsense"])
def test_what_is_no_event_is_refused(text: str) -> None:
    """From a stranger's door nothing else comes in."""
    with pytest.raises(ValidationError):
        event_from_json(text)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_between_nothing_and_all(share: float) -> None:
    """0 to 1."""
    with pytest.raises(ValidationError):
        progress(share)


def test_every_listener_hears_everything_in_order() -> None:
    """From the moment it subscribed."""
    bus = EventBus()
    with bus.subscribe() as first:
        bus.publish(started(1))
        with bus.subscribe() as second:
            bus.publish(started(2))
    assert list(first) == [started(1), started(2)]
    assert list(second) == [started(2)]


def test_a_closed_listener_hears_no_more() -> None:
    """What waited can still be read."""
    bus = EventBus()
    subscription = bus.subscribe()
    bus.publish(started(1))
    subscription.close()
    bus.publish(started(2))
    assert list(subscription) == [started(1)]


def test_get_gives_up_after_its_time() -> None:
    """None, not an event."""
    with EventBus().subscribe() as subscription:
        assert subscription.get(timeout_s=0) is None


def test_close_wakes_a_waiting_listener() -> None:
    """A door that stops does not hang in its thread."""
    subscription = EventBus().subscribe()
    heard: list[Event] = []
    listener = threading.Thread(target=lambda: heard.extend(subscription))
    listener.start()
    subscription.close()
    listener.join(5)
    assert not listener.is_alive()


def test_a_full_listener_loses_progress_first() -> None:
    """And is told how much it missed; the publisher was never held up."""
    bus = EventBus()
    subscription = bus.subscribe(capacity=3)
    for event in (started(1), progress(0.1), progress(0.2), started(2), started(3)):
        bus.publish(event)
    subscription.close()
    assert list(subscription) == [started(1), started(2), started(3)]
    assert subscription.missed == 2


@given(st.lists(st.booleans(), max_size=60), st.integers(min_value=1, max_value=8))
def test_no_listener_grows_past_its_capacity(are_progress: list[bool], capacity: int) -> None:
    """What is kept is in order, the last event always, and the rest is counted."""
    bus = EventBus()
    subscription = bus.subscribe(capacity)
    sent = [progress(n / 100) if p else started(n) for n, p in enumerate(are_progress)]
    for event in sent:
        bus.publish(event)
    subscription.close()
    kept = list(subscription)
    assert len(kept) == min(len(sent), capacity)
    assert subscription.missed == len(sent) - len(kept)
    assert [sent.index(event) for event in kept] == sorted(sent.index(event) for event in kept)
