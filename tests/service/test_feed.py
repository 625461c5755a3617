"""The numbered story."""

from __future__ import annotations

import threading

from bridge import events
from bridge.service import Feed


def started(number: int) -> events.Event:
    return events.JobStarted(job_id=str(number), attempt=1)


def test_numbers_count_up_by_one_from_one() -> None:
    feed = Feed()
    for number in (1, 2, 3):
        feed.publish(started(number))
    told = feed.since(0)
    assert told is not None
    assert [(item.number, item.event.job_id) for item in told] == [(1, "1"), (2, "2"), (3, "3")]
    assert feed.last_number == 3


def test_a_listener_asks_again_from_the_last_number_it_has() -> None:
    feed = Feed()
    for number in (1, 2, 3):
        feed.publish(started(number))
    told = feed.since(2)
    assert told is not None
    assert [item.number for item in told] == [3]
    assert feed.since(3) == ()


def test_what_is_no_longer_kept_or_was_never_told_is_not_made_up() -> None:
    feed = Feed(capacity=2)
    for number in (1, 2, 3, 4):
        feed.publish(started(number))
    assert feed.since(1) is None
    assert feed.since(5) is None
    assert len(feed.since(2) or ()) == 2


def test_wait_returns_what_comes_later() -> None:
    feed = Feed()
    threading.Timer(0.02, feed.publish, (started(1),)).start()
    told = feed.wait(0, timeout_s=10)
    assert told is not None
    assert [item.number for item in told] == [1]


def test_wait_ends_empty_at_its_time_out_and_when_woken() -> None:
    feed = Feed()
    assert feed.wait(0, timeout_s=0.01) == ()
    threading.Timer(0.02, feed.wake).start()
    assert feed.wait(0, timeout_s=10) == ()


def test_every_run_has_an_epoch_of_its_own() -> None:
    assert Feed().epoch != Feed().epoch


def test_subscribers_hear_the_same_events() -> None:
    feed = Feed()
    with feed.subscribe() as hears:
        feed.publish(started(7))
        heard = hears.get(timeout_s=1)
    assert heard == started(7)
