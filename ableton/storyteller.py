"""Tells subscribers what happens to jobs, as it happens and again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeVar

from ableton.addresses import FOLDER_BYTES, SENT
from ableton.messages import Atom, Message, encode
from ableton.routes import Route
from ableton.survival import survived
from ableton.titles import title_of
from bridge import events
from bridge.events import STAGE_WORDS
from bridge.service import Feed, NumberedEvent

PROGRESS_GAP_S: Final = 0.25
"""At most four times a second for each job."""
MAX_RETOLD: Final = 50
"""Events told again at once: few enough for a socket's buffer."""
MAX_JOBS: Final = 1000
"""Jobs of which it is known how far they are."""

_Known = TypeVar("_Known")


class Retold(NamedTuple):
    """Events for one client that missed them."""

    packets: tuple[bytes, ...]
    upto: int
    told: int
    """Number of the last one; -1 where there is none."""


class Storyteller:
    """Turns numbered events into messages, with one thread that sleeps until something happens.

    ``after`` in each message is the number of the one told before it: numbers have gaps, since not every
    event is told, and by ``after`` a client knows whether it missed one.
    """

    def __init__(
        self,
        feed: Feed,
        subscribers: Callable[[], Iterable[Route]],
        *,
        on_lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._subscribers = subscribers
        self._on_lost = on_lost
        self._clock = clock
        self._bell = feed.subscribe(1)
        self._heard = self.told = feed.last_number
        self._shares: OrderedDict[str, float] = OrderedDict()
        self._progress_s: OrderedDict[str, float] = OrderedDict()

    def run(self) -> None:
        """Tell until ``stop``."""
        for _ in self._bell:
            survived(self.tell_new, "An event could not be told")

    def stop(self) -> None:
        """End ``run``."""
        self._bell.close()

    def tell_new(self) -> None:
        """Tell everybody what happened since the last time."""
        new = self._feed.since(self._heard)
        if new is None:  # more happened at once than is kept
            self._heard = self.told = self._feed.last_number
            self._on_lost()
            return
        for numbered in _without_stale_progress(new):
            self._heard = numbered.number
            if self._is_to_tell(numbered.event):
                self._tell(numbered)
        self._heard = new[-1].number if new else self._heard

    def retell(self, number: int, epoch: str) -> Retold | None:
        """What came after ``number``, for one who missed it; None where that is no longer known."""
        missed = self._feed.since(number) if epoch == self._feed.epoch else None
        if missed is None:
            return None
        wanted = [n for n in _without_stale_progress(missed) if type(n.event) in _TOLD]
        upto = missed[-1].number if missed else number
        if len(wanted) > MAX_RETOLD:
            wanted = wanted[:MAX_RETOLD]
            upto = wanted[-1].number
        packets, after = [], number
        for numbered in wanted:
            packets.append(encode(self._message(numbered, after)))
            after = numbered.number
        return Retold(tuple(packets), upto, after if wanted else -1)

    def _is_to_tell(self, event: events.Event) -> bool:
        if not isinstance(event, events.JobProgress):
            return type(event) in _TOLD
        self._shares[event.job_id] = event.share
        _forget_oldest(self._shares)
        now_s = self._clock()
        if now_s - self._progress_s.get(event.job_id, -PROGRESS_GAP_S) < PROGRESS_GAP_S:
            return False
        self._progress_s[event.job_id] = now_s
        _forget_oldest(self._progress_s)
        return True

    def _tell(self, numbered: NumberedEvent) -> None:
        packet = encode(self._message(numbered, self.told))
        self.told = numbered.number
        for route in self._subscribers():
            route.send(packet)

    def _message(self, numbered: NumberedEvent, after: int) -> Message:
        event = numbered.event
        name, what = _TOLD[type(event)]
        rest = what(event, self._shares.get(event.job_id, 0.0))
        return SENT[name].message(numbered.number, self._feed.epoch, event.job_id, after, *rest)


def folder_text(folder: PurePath) -> str:
    """A folder as it fits into a message; "" where it does not, since a cut path names nothing."""
    text = str(folder)
    return text if len(text.encode("utf-8", "replace")) <= FOLDER_BYTES else ""


def _without_stale_progress(numbered: Iterable[NumberedEvent]) -> list[NumberedEvent]:
    """The events, but of each job's progress only the newest."""
    listed = list(numbered)
    newest = {n.event.job_id: n.number for n in listed if isinstance(n.event, events.JobProgress)}
    return [
        n for n in listed if not isinstance(n.event, events.JobProgress) or newest[n.event.job_id] == n.number
    ]


def _forget_oldest(known: OrderedDict[str, _Known]) -> None:
    if len(known) > MAX_JOBS:
        known.popitem(last=False)


def _words(stage: str) -> str:
    return STAGE_WORDS.get(stage, stage)


Rest = tuple[Atom, ...]


def _queued(event: events.JobQueued, _share: float) -> Rest:
    return (title_of(event.source), event.recipe)


def _started(event: events.JobStarted, _share: float) -> Rest:
    return (event.attempt,)


def _stage(event: events.StageStarted, share: float) -> Rest:
    return (event.stage, _words(event.stage), share)


def _progress(event: events.JobProgress, _share: float) -> Rest:
    remaining_s = -1.0 if event.remaining_s is None else event.remaining_s
    return (event.share, remaining_s, event.stage, _words(event.stage))


def _note(event: events.JobNote, _share: float) -> Rest:
    return (event.stage, event.text)


def _qa_retry(event: events.QaRetryStarted, _share: float) -> Rest:
    return ("qa", f"Rendering once more, corrected ({event.retry}): {'; '.join(event.reasons)}")


def _postponed(event: events.JobPostponed, _share: float) -> Rest:
    return (event.delay_s, event.reason)


def _done(event: events.JobDone, _share: float) -> Rest:
    delivery = event.delivery
    return (len(delivery.files), folder_text(delivery.folder), delivery.folder.name)


def _failed(event: events.JobFailed, _share: float) -> Rest:
    return (event.error, event.message)


def _cancelled(event: events.JobCancelled, _share: float) -> Rest:
    return (event.reason,)


_TOLD: Final[Mapping[type, tuple[str, Callable[[Any, float], Rest]]]] = {
    events.JobQueued: ("queued", _queued),
    events.JobStarted: ("started", _started),
    events.StageStarted: ("stage", _stage),
    events.JobProgress: ("progress", _progress),
    events.JobNote: ("note", _note),
    events.QaRetryStarted: ("note", _qa_retry),
    events.JobPostponed: ("postponed", _postponed),
    events.JobDone: ("done", _done),
    events.JobFailed: ("failed", _failed),
    events.JobCancelled: ("cancelled", _cancelled),
}
"""What is told of each event, and how. That a stage ended is not: the next one begins."""
