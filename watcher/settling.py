"""When a file is quiet: it has to look the same for a while before it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bridge.service.marks import Mark


class Quiet(NamedTuple):
    """A file that has looked the same for long enough."""

    path: Path
    mark: Mark


class Settling:
    """Files that wait to be quiet. Knows neither clock nor disk: told what was seen, and when.

    A file waits from the moment when it was first seen with the mark that it has now, however old its time of
    change is: a download keeps the time of its original, and grows all the same.
    """

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._waiting: dict[Path, tuple[Mark, float]] = {}

    def see(self, path: Path, mark: Mark, now_s: float) -> None:
        """Note how a file looks; a mark other than the last one starts its wait anew."""
        waiting = self._waiting.get(path)
        if waiting is None or not mark.is_same(waiting[0]):
            self.hold(path, mark, now_s + self._quiet_s)

    def hold(self, path: Path, mark: Mark, until_s: float) -> None:
        """Let a file wait until then, if it looks the same all the while."""
        self._waiting[path] = (mark, until_s)

    def drop(self, path: Path) -> None:
        """Let a file go that is not there, or not wanted, any more."""
        self._waiting.pop(path, None)

    def drop_all(self) -> None:
        """Let all files go."""
        self._waiting.clear()

    def take_due(self, now_s: float) -> list[Quiet]:
        """The files whose wait is over, in the order in which it ended; they wait no more."""
        due = sorted(
            (until_s, path, mark) for path, (mark, until_s) in self._waiting.items() if until_s <= now_s
        )
        for _, path, _ in due:
            del self._waiting[path]
        return [Quiet(path, mark) for _, path, mark in due]

    def due(self, now_s: float) -> list[Path]:
        """The files whose wait is over."""
        return [path for path, (_, until_s) in self._waiting.items() if until_s <= now_s]

    @property
    def next_due_s(self) -> float | None:
        """When the next wait is over; None where nothing waits."""
        return min((until_s for _, until_s in self._waiting.values()), default=None)

    def __iter__(self) -> Iterator[Path]:
        return iter(self._waiting)

    def __contains__(self, path: object) -> bool:
        return path in self._waiting
