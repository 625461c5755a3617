"""Commands apart from the receiving thread: in order for each client, clients side by side, bounded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ableton.lanes import MAX_OF_CLIENT, Lanes
from tests.ableton.support import PATIENCE_S


@contextmanager
def started(lanes: Lanes[int]) -> Iterator[Lanes[int]]:
    lanes.start()
    try:
        yield lanes
    finally:
        lanes.stop()


def test_a_clients_commands_are_done_in_order() -> None:
    done: queue.SimpleQueue[int] = queue.SimpleQueue()
    with started(Lanes(done.put)) as lanes:
        for number in range(MAX_OF_CLIENT):
            lanes.put("me", number)
        assert [done.get(timeout=PATIENCE_S) for _ in range(MAX_OF_CLIENT)] == list(range(MAX_OF_CLIENT))


def test_a_client_that_waits_holds_up_no_other() -> None:
    may_end, done = threading.Event(), queue.SimpleQueue[int]()

    def work(number: int) -> None:
        if number == 0:
            may_end.wait(PATIENCE_S)
        done.put(number)

    with started(Lanes(work, threads=2)) as lanes:
        lanes.put("slow", 0)
        lanes.put("quick", 1)
        assert done.get(timeout=PATIENCE_S) == 1
        may_end.set()
        assert done.get(timeout=PATIENCE_S) == 0


def test_one_client_cannot_take_all_the_room() -> None:
    lanes: Lanes[int] = Lanes(lambda _: None)
    for number in range(MAX_OF_CLIENT):
        assert lanes.has_room("me")
        lanes.put("me", number)
    assert not lanes.has_room("me")
    assert lanes.has_room("you")


def test_stopped_lanes_finish_what_is_at_work_and_leave_the_rest() -> None:
    at_work, may_end, done = threading.Event(), threading.Event(), []

    def work(number: int) -> None:
        at_work.set()
        may_end.wait(PATIENCE_S)
        done.append(number)

    lanes = Lanes(work)
    lanes.start()
    lanes.put("me", 0)
    lanes.put("me", 1)
    assert at_work.wait(PATIENCE_S)
    stopper = threading.Thread(target=lanes.stop)
    stopper.start()
    while lanes.has_room("you"):
        pass
    may_end.set()
    stopper.join(PATIENCE_S)
    assert done == [0]


def test_lanes_that_never_started_can_be_stopped() -> None:
    lanes: Lanes[int] = Lanes(lambda _: None)
    lanes.stop()
    assert not lanes.has_room("me")
