"""What happens to jobs, told as it happens: frozen events, and a bus whose publisher never waits.

An event turns into JSON (``event.model_dump_json()``) and back (``event_from_json``); ``kind`` tells which it
is. Event classes are used with the module's name, ``events.JobCancelled``: ``errors.JobCancelled`` is the
exception.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter

from bridge.values import Delivery, Seconds, Value


class _JobEvent(Value):
    """What all events carry."""

    job_id: str


class JobQueued(_JobEvent):
    """A job was committed to the store and waits for a worker."""

    kind: Literal["job_queued"] = "job_queued"
    source: str
    """Name of the source's file."""
    recipe: str


class JobStarted(_JobEvent):
    """A worker took the job."""

    kind: Literal["job_started"] = "job_started"
    attempt: int


class SourceRead(_JobEvent):
    """The job's work begins on a source with this hash: what the store goes by, not what doors are told."""

    kind: Literal["source_read"] = "source_read"
    sha256: str


class StageStarted(_JobEvent):
    """A stage begins."""

    kind: Literal["stage_started"] = "stage_started"
    stage: str


class StageDone(_JobEvent):
    """A stage has its result, computed now or found from earlier."""

    kind: Literal["stage_done"] = "stage_done"
    stage: str
    key: str
    """Content key of the result."""
    seconds: Seconds = 0.0
    was_reused: bool = False


class JobProgress(_JobEvent):
    """How far the whole job is."""

    kind: Literal["job_progress"] = "job_progress"
    stage: str
    share: Annotated[float, Field(ge=0, le=1)]
    remaining_s: Seconds | None = None
    """Estimated seconds to the end; None while nothing can be said."""


class JobNote(_JobEvent):
    """Something that the producer should know, and that stops nothing."""

    kind: Literal["job_note"] = "job_note"
    stage: str
    text: str


class QaRetryStarted(_JobEvent):
    """A check failed: the job goes back with corrected parameters."""

    kind: Literal["qa_retry_started"] = "qa_retry_started"
    retry: Annotated[int, Field(ge=1)]
    reasons: tuple[str, ...] = ()


class QaRetryEnded(_JobEvent):
    """The corrected render is made and goes to QA again."""

    kind: Literal["qa_retry_ended"] = "qa_retry_ended"
    retry: Annotated[int, Field(ge=1)]


class JobPostponed(_JobEvent):
    """The job was put back and goes on later: what stood in its way may pass, or the service stops."""

    kind: Literal["job_postponed"] = "job_postponed"
    reason: str
    delay_s: Seconds = 0.0


class JobDone(_JobEvent):
    """The job ended with a delivery."""

    kind: Literal["job_done"] = "job_done"
    delivery: Delivery


class JobFailed(_JobEvent):
    """The job ended without a full delivery."""

    kind: Literal["job_failed"] = "job_failed"
    error: str
    """Name of the error's class, such as ``InputError``."""
    message: str


class JobCancelled(_JobEvent):
    """The job was cancelled."""

    kind: Literal["job_cancelled"] = "job_cancelled"
    reason: str = ""


Event = Annotated[
    JobQueued
    | JobStarted
    | SourceRead
    | StageStarted
    | StageDone
    | JobProgress
    | JobNote
    | QaRetryStarted
    | QaRetryEnded
    | JobPostponed
    | JobDone
    | JobFailed
    | JobCancelled,
    Field(discriminator="kind"),
]

EVENT_TYPES = (
    JobQueued,
    JobStarted,
    SourceRead,
    StageStarted,
    StageDone,
    JobProgress,
    JobNote,
    QaRetryStarted,
    QaRetryEnded,
    JobPostponed,
    JobDone,
    JobFailed,
    JobCancelled,
)
"""Every class of ``Event``, for isinstance checks and for documentation."""


STAGE_WORDS = {
    "ingest": "Reading",
    "analyse": "Listening",
    "separate": "Separating",
    "restore": "Restoring",
    "transcribe": "Writing down the notes",
    "mix": "Mixing",
    "master": "Mastering",
    "qa": "Checking",
    "export": "Writing report",
    "deliver": "Delivering",
}
"""What each stage does, in a word for people."""


@cache
def _adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Event)


def event_from_json(text: str | bytes) -> Event:
    """The event that ``model_dump_json`` wrote; pydantic's ValidationError where it is none."""
    return _adapter().validate_json(text)


class Subscription:
    """One listener's events, in order. Use as a context manager or ``close`` it.

    It holds at most ``capacity`` events. When a slow listener lets it fill up, the oldest progress goes
    first, since a newer one says more, then the oldest event of all; ``missed`` counts what was dropped.
    """

    def __init__(self, bus: EventBus, capacity: int) -> None:
        self._bus = bus
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self.missed = 0

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event, waiting for it; None after ``timeout_s`` or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._is_closed, timeout_s)
            return self._events.popleft() if self._events else None

    def __iter__(self) -> Iterator[Event]:
        while (event := self.get()) is not None:
            yield event

    def close(self) -> None:
        """Take no more events; those that wait can still be read."""
        self._bus.drop(self)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def put(self, event: Event) -> None:
        """Called by the bus: append, and make room if there is none."""
        with self._changed:
            if self._is_closed:
                return
            self._events.append(event)
            if len(self._events) > self._capacity:
                self._drop_one()
            self._changed.notify()

    def _drop_one(self) -> None:
        self.missed += 1
        for place, event in enumerate(self._events):
            if isinstance(event, JobProgress):
                del self._events[place]
                return
        self._events.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class EventBus:
    """Hands every event to every subscription. ``publish`` never waits for a listener.

    A publisher that waited could hold the lock that its listener needs, and both would stand still; so events
    go through bounded queues, and a listener that falls behind loses, not the job.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def publish(self, event: Event) -> None:
        """Queue ``event`` for every listener and return at once; callable from any thread."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(self, capacity: int = 1000) -> Subscription:
        """A new listener, which gets every event from now on."""
        subscription = Subscription(self, capacity)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        """Forget a listener; what ``Subscription.close`` calls."""
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
