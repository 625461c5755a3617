"""The folder door: what is watched, opened and closed in order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bridge.config import Config, WatchedFolder
from bridge.errors import ConfigError
from bridge.service import DoorState, Service
from bridge.service.listing import rules_of
from bridge.service.places import innermost
from presets import PresetError
from presets import target as target_of
from watcher.book import Book
from watcher.folder import FolderState, FolderWatch, Unfinished
from watcher.mounts import Attend, attend
from watcher.outcomes import Outcomes
from watcher.patience import PATIENCE_S
from watcher.words import counted

CLOSE_S = 3.0
"""The longest that closing waits for threads; one that hangs on a dead disk can do nothing any more."""

NAMES = 3
NAME_LETTERS = 120
"""How many songs that cannot be taken the door's words name, and how much they say of each."""

log = logging.getLogger(__name__)


class WatchFrontend:
    """Watches the folders of the settings; registered as "watch" in ``bridge.frontends``.

    ``attend`` and ``patience_s`` are for tests: how to listen for changes, and how long a song that is not
    whole waits for its note.
    """

    def __init__(self, *, attend: Attend = attend, patience_s: float = PATIENCE_S) -> None:
        self._attend, self._patience_s = attend, patience_s
        self._folders: dict[Path, FolderWatch] = {}
        self._refused: list[FolderState] = []
        self._threads: list[FolderWatch | Outcomes] = []
        self._service: Service | None = None
        self._book: Book | None = None
        self._telling = threading.Lock()

    def start(self, service: Service) -> None:
        """Begin to watch; songs that lie there already are looked at, too."""
        self._service, self._book = service, Book(service)
        outcomes = Outcomes(service, self._book, self._folder_of)
        self._threads.append(outcomes)
        for watched in self._usable(service.config):
            self._book.load(watched.folder)
            self._folders[watched.folder] = self._watch(watched, service, self._book, outcomes)
            where = watched.project_folder or "the folder of each song"
            words = "Watching %s (recipe %s, into %s)"
            log.info(words, watched.folder, watched.recipe, where, extra={"action": "folder_watched"})
        outcomes.start()
        if not self._folders:
            words = "No folder is watched yet. Add one: stembridge watch add DIR"
            log.info(words, extra={"action": "no_folder"})
        for folder in self._folders.values():
            self._threads.append(folder)
            folder.start()
        self._tell()

    def stop(self) -> None:
        """Stop watching. When this returns, nothing of this door takes effect any more."""
        if self._book is not None:
            self._book.close()
        for thread in self._threads:
            thread.stop()
        until_s = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        self._threads.clear()

    def _usable(self, config: Config) -> Iterator[WatchedFolder]:
        """The folders of the settings, each once; one with a mistake keeps no other from being watched."""
        seen: set[Path] = set()
        for watched in config.watch.folders:
            if watched.folder in seen:
                continue
            seen.add(watched.folder)
            try:
                _expect_known_words(watched, config)
            except ConfigError as error:
                log.error("%s is not watched: %s", watched.folder, error, extra={"action": "folder_refused"})
                self._refused.append(FolderState(watched.folder, f"not watched: {error}"))
            else:
                yield watched

    def _watch(self, watched: WatchedFolder, service: Service, book: Book, outcomes: Outcomes) -> FolderWatch:
        return FolderWatch(
            watched,
            rules_of(watched, service.config),
            book,
            service,
            tell=self._tell,
            catch_up=outcomes.catch_up,
            look_again=self._look_again,
            attend=self._attend,
            patience_s=self._patience_s,
        )

    def _folder_of(self, path: Path) -> FolderWatch | None:
        folder = innermost(path, self._folders)
        return self._folders[folder] if folder else None

    def _look_again(self, path: Path) -> None:
        if folder := self._folder_of(path):
            folder.look_again(path)

    def _tell(self) -> None:
        assert self._service is not None
        with self._telling:
            states = [*(folder.state for folder in self._folders.values()), *self._refused]
            self._service.tell_state(door_state(states))


def door_state(folders: Iterable[FolderState]) -> DoorState:
    """How the door does, in words and with a line for each folder.

    A folder that nobody has looked through yet counts as a song that waits: who works everything off must
    not end before it is known what lies there.
    """
    states = list(folders)
    return DoorState(
        name="watch",
        is_open=True,
        words="; ".join(_words(states)),
        waiting=sum(state.waiting + state.is_starting for state in states),
        facts={"folders": [{**state._asdict(), "path": str(state.path)} for state in states]},
    )


def _words(states: Sequence[FolderState]) -> Iterator[str]:
    trouble = [state for state in states if state.is_away or state.how.startswith("not watched")]
    watched = (
        f"watching {counted(len(states) - len(trouble), 'folder')}" if states else "no folder is watched"
    )
    waiting = sum(state.waiting for state in states)
    yield watched + (f", {counted(waiting, 'song')} just arriving" if waiting else "")
    if starting := sum(state.is_starting for state in states):
        yield f"looking through {counted(starting, 'folder')}"
    if unfinished := [song for state in states for song in state.unfinished]:
        more = sum(state.unfinished_count for state in states) - len(unfinished[:NAMES])
        names = ", ".join(map(_named, unfinished[:NAMES]))
        yield f"not taken yet: {names}" + (f" and {counted(more, 'other')}" if more else "")
    yield from (f"{state.path}: {state.how}" for state in trouble)


def _named(song: Unfinished) -> str:
    text = f"{song.name} ({song.why}"
    return (text if len(text) < NAME_LETTERS else f"{text[: NAME_LETTERS - 2]}\N{HORIZONTAL ELLIPSIS}") + ")"


def _expect_known_words(watched: WatchedFolder, config: Config) -> None:
    config.recipe(watched.recipe)
    try:
        for name in watched.targets:
            target_of(name)
    except PresetError as cause:
        raise ConfigError(str(cause)) from cause
