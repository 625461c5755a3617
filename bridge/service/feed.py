"""The numbered story of what happens: a door that missed a part asks again from the last number it has."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from typing import NamedTuple

from bridge.events import Event, EventBus, Subscription


class NumberedEvent(NamedTuple):
    """An event and its place in the story; numbers count up by one."""

    number: int
    event: Event


class Feed:
    """Numbers what a bus tells, keeps the last of it, and hands it out; safe from several threads.

    ``epoch`` names this run of the service: where it changed, numbers began anew, and a listener asks for the
    state instead of for what it missed. ``publish`` never waits.
    """

    def __init__(self, capacity: int = 5000) -> None:
        self.epoch = secrets.token_hex(4)
        self._bus = EventBus()
        self._kept: deque[NumberedEvent] = deque(maxlen=capacity)
        self._last = 0
        self._wakes = 0
        self._changed = threading.Condition(threading.RLock())

    @property
    def last_number(self) -> int:
        """Number of the newest event; 0 before the first."""
        return self._last

    def publish(self, event: Event) -> None:
        """Give the event the next number and hand it on."""
        with self._changed:
            self._last += 1
            self._kept.append(NumberedEvent(self._last, event))
            self._changed.notify_all()
        self._bus.publish(event)

    def since(self, number: int) -> tuple[NumberedEvent, ...] | None:
        """What came after event ``number``; None where part of it is no longer kept, or was never told."""
        with self._changed:
            first = self._last - len(self._kept)
            if not first <= number <= self._last:
                return None
            return tuple(self._kept)[number - first :]

    def wait(self, number: int, timeout_s: float | None = None) -> tuple[NumberedEvent, ...] | None:
        """As ``since``, waiting until there is something; () after ``timeout_s`` or ``wake``."""
        with self._changed:
            wakes = self._wakes
            self._changed.wait_for(lambda: self._last != number or self._wakes != wakes, timeout_s)
            return self.since(number)

    def subscribe(self, capacity: int = 1000) -> Subscription:
        """A listener of events without numbers, from now on."""
        return self._bus.subscribe(capacity)

    def wake(self) -> None:
        """End every ``wait`` that is under way: what a door calls when it closes."""
        with self._changed:
            self._wakes += 1
            self._changed.notify_all()
