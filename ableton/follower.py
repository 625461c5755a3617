"""What a client hears, and how it follows events without a gap. As ``device/script/follower.js``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ableton.addresses import SENT
from ableton.contract import PREFIX
from ableton.messages import Atom, Message

MAX_EARLY: Final = 1000
"""Events kept that came before others that are still missing."""


class Heard(NamedTuple):
    """A message from the service, with its arguments by name."""

    name: str
    values: Mapping[str, Atom]
    rows: tuple[tuple[Atom, ...], ...] = ()

    @classmethod
    def of(cls, message: Message) -> Heard | None:
        """The message as the table describes it; None for one that it does not describe."""
        entry = SENT.get(message.address.removeprefix(PREFIX))
        if entry is None or not entry.describes(message):
            return None
        names = [argument.name for argument in entry.fields]
        values = dict(zip(names, message.arguments, strict=False))
        return cls(entry.name, values, tuple(entry.rows_of(message)))


class Follower:
    """Brings events into their order: what is new is told once, and a gap is noticed.

    What comes too early is kept until the rest is there.
    """

    def __init__(self, tell: Callable[[Heard], None]) -> None:
        self._tell = tell
        self.epoch = ""
        self.number = -1
        self._last = -1
        self._early: dict[int, Heard] = {}

    @property
    def missed(self) -> int | None:
        """From which number to ask again; None where nothing that is known of is missing."""
        return self.number if self._last > self.number else None

    def start(self, epoch: str, number: int) -> None:
        """Everything up to ``number`` is known, by a subscription or by the state."""
        self.epoch, self.number = epoch, number
        self._last = number
        self._early.clear()

    def notice(self, last: int) -> None:
        """Events up to this number were told to somebody."""
        self._last = max(self._last, last)

    def take(self, heard: Heard) -> None:
        """An event, a beat or the end of what was asked again."""
        if heard.values["epoch"] != self.epoch:
            return
        if heard.name == "beat":
            self.notice(int(heard.values["last"]))
        elif heard.name == "events_told":
            self._end_of_retold(heard)
        else:
            self._take_event(heard)

    def _take_event(self, heard: Heard) -> None:
        self._early[int(heard.values["number"])] = heard
        self.notice(int(heard.values["number"]))
        if len(self._early) > MAX_EARLY:  # the lowest are those that close the gap
            del self._early[max(self._early)]
        self._tell_ready()

    def _tell_ready(self) -> None:
        """Tell what waits for nothing any more."""
        for number in sorted(self._early):
            if int(self._early[number].values["after"]) <= self.number < number:
                self.number = number
                self._tell(self._early[number])
        self._early = {number: early for number, early in self._early.items() if number > self.number}

    def _end_of_retold(self, heard: Heard) -> None:
        if int(heard.values["told"]) <= self.number:
            self.number = max(self.number, int(heard.values["upto"]))
        self._tell_ready()
        self.notice(int(heard.values["last"]))


class Recap:
    """Gathers the parts of a ``resync``, of which each may be lost, come twice or in any order."""

    def __init__(self) -> None:
        self._key = self._done = ("", -1)
        self._parts: dict[int, Heard] = {}

    def take(self, heard: Heard) -> Heard | None:
        """A part; the whole, once, when the last of its parts is there."""
        key = (str(heard.values["epoch"]), int(heard.values["last"]))
        if key == self._done:
            return None
        if key != self._key:
            self._key, self._parts = key, {}
        self._parts[int(heard.values["part"])] = heard
        if len(self._parts) < int(heard.values["parts"]):
            return None
        self._done = key
        rows = [row for part in sorted(self._parts) for row in self._parts[part].rows]
        return heard._replace(rows=tuple(rows))
