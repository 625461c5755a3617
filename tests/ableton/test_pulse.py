"""The heartbeat: with a clock that is set, and a thread that sleeps while nobody is there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ableton.pulse import Pulse
from bridge.errors import DiskFullError
from tests.ableton.support import PATIENCE_S


@contextmanager
def running(pulse: Pulse) -> Iterator[None]:
    thread = threading.Thread(target=pulse.run)
    thread.start()
    try:
        yield
    finally:
        pulse.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_it_beats_while_somebody_is_there() -> None:
    beats: queue.SimpleQueue[str] = queue.SimpleQueue()
    pulse = Pulse(0.005, is_needed=lambda: True, beat=lambda: beats.put("beat"), look=lambda: None)
    with running(pulse):
        assert [beats.get(timeout=PATIENCE_S) for _ in range(3)] == ["beat"] * 3


def test_it_sleeps_until_somebody_comes() -> None:
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    is_there = threading.Event()
    pulse = Pulse(
        0.005, is_needed=is_there.is_set, beat=lambda: told.put("beat"), look=lambda: told.put("look")
    )
    with running(pulse):
        pulse.ask_look()
        assert told.get(timeout=PATIENCE_S) == "look"
        assert told.empty()
        is_there.set()
        pulse.ask_look()
        assert {told.get(timeout=PATIENCE_S) for _ in range(3)} == {"look", "beat"}


def test_it_stops_at_once_also_in_the_middle_of_a_long_wait() -> None:
    pulse = Pulse(3600.0, is_needed=lambda: True, beat=lambda: None, look=lambda: None)
    with running(pulse):
        pass


def test_a_beat_that_fails_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    beats: queue.SimpleQueue[str] = queue.SimpleQueue()

    def beat() -> None:
        beats.put("beat")
        raise DiskFullError

    pulse = Pulse(0.005, is_needed=lambda: True, beat=beat, look=lambda: None)
    with running(pulse):
        assert [beats.get(timeout=PATIENCE_S) for _ in range(2)] == ["beat"] * 2
    assert "The disk is full" in caplog.text
