"""How a song in a watched folder becomes a job: seen, quiet, inspected, still the same, taken.

A song's way is the order of the methods: ``see`` (it is there, and not what was dealt with) -> settling ->
``hand_over`` (it was quiet) -> inspector -> ``judge`` (it is what was inspected) -> ``_take`` (a job).
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from bridge.config import WatchedFolder
from bridge.errors import InputError, LimitError, SourceChangedError, StageError, StembridgeError
from bridge.jobs import OPEN, Inspected, Submitted
from bridge.service import Service
from bridge.service.listing import Listing, Rules, scan, song_at
from bridge.service.marks import Mark, look_inside
from bridge.service.songs import kept_free
from bridge.values import JobState
from presets import PresetError
from watcher.book import Book
from watcher.naming import request_for
from watcher.notes import note_of, remove_note, remove_partial, write_note
from watcher.patience import PATIENCE_S, patience_s, unchanged_s
from watcher.settling import Settling

TROUBLE_S = 5.0
"""How long to wait when something failed that may pass, such as a locked database; longer each time."""

LONGEST_TROUBLES = 12

LOCKED_TRIES = 10
"""How often a file that another program keeps to itself is tried before a note says so (some minutes)."""

INSPECTIONS = 3
"""How often a file may bring its inspector down before it is given up."""

HAS_TRUE_NAMES = sys.platform == "linux"
"""Whether the system tells of a file by the name that its folder lists: others may change case, accents (NFD)
or length (8.3), and one file would be known by two names."""

log = logging.getLogger(__name__)


class _Unripe(NamedTuple):
    mark: Mark
    until_s: float
    missing: str


class Intake:
    """The songs of one folder that are on their way to be jobs. Used by one thread: there is no lock.

    Args:
        watched: the folder and what is made of its songs.
        rules: what is looked at in it.
        book: what is known of files.
        service: makes the jobs.
        inspect: has a file inspected; ``judge`` is to be called with what is found.
        look_again: has a file seen that was forgotten, perhaps in another folder.
        clock: seconds of a clock that nobody sets.
        wall_clock: seconds of the clock by which files are dated.
        patience_s: how long at most a file that is not whole waits for a note.
    """

    def __init__(
        self,
        watched: WatchedFolder,
        rules: Rules,
        book: Book,
        service: Service,
        *,
        inspect: Callable[[Path, Mark], None],
        look_again: Callable[[Path], None],
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._watched, self._rules = watched, rules
        self._book, self._service = book, service
        self._inspect_later, self._look_again = inspect, look_again
        self._clock, self._wall_clock, self._patience_s = clock, wall_clock, patience_s
        self._quiet_s = service.config.watch.quiet_s
        self._settling = Settling(self._quiet_s)
        self._inspecting: dict[Path, Mark] = {}
        self._unripe: dict[Path, _Unripe] = {}
        self._unreadable: dict[Path, Mark] = {}
        self._troubles: Counter[Path] = Counter()
        self._told: defaultdict[Path, set[str]] = defaultdict(set)
        self.last_taken = ""
        """Name of the song that was taken last."""

    @property
    def waiting(self) -> set[Path]:
        """Songs that are settling or inspected, so that they may be jobs soon."""
        return {*self._settling, *self._inspecting} - self._unreadable.keys()

    @property
    def unfinished(self) -> dict[Path, str]:
        """Songs that cannot be taken unless somebody does something, and what stands in their way."""
        unripe = {path: f"not whole: {one.missing}" for path, one in self._unripe.items()}
        return unripe | dict.fromkeys(self._unreadable, "cannot be opened")

    @property
    def next_due_s(self) -> float | None:
        """When ``hand_over`` has something to do; None where nothing waits for time."""
        unripe = (one.until_s for path, one in self._unripe.items() if path not in self._inspecting)
        settling = self._settling.next_due_s
        return min((*unripe, *(() if settling is None else (settling,))), default=None)

    def use_inodes(self, has_inodes: bool) -> None:
        """Trust the numbers that the folder's disk gives to files, or not."""
        self._rules = replace(self._rules, has_inodes=has_inodes)

    def drop_all(self) -> None:
        """Let go of everything; what is there is seen again by a scan."""
        self._settling.drop_all()
        self._inspecting.clear()
        self._unripe.clear()
        self._unreadable.clear()
        self._told.clear()

    def restart_inspections(self) -> None:
        """Wait for no answer of the inspector any more: one may have been lost."""
        self._inspecting.clear()

    # Seeing

    def scan_all(self) -> Listing:
        """List the whole folder. OSError where it cannot be listed."""
        return scan(self._watched.folder, self._rules)

    def look_at_paths(self, paths: Iterable[Path]) -> None:
        """See what has become of paths of which something was heard."""
        by_folder: defaultdict[Path, list[Path]] = defaultdict(list)
        for path in paths:
            by_folder[path.parent].append(path)
            if path.is_dir():
                self.look_at_folder(path, is_deep=True)
        for folder, inside in by_folder.items():
            if not (self._rules.is_inbox(folder) and HAS_TRUE_NAMES):
                self.look_at_folder(folder)
            elif self._rules.may_hold_songs(folder):
                for path in {concerned for heard in inside for concerned in _concerned(heard)}:
                    self._look_at_file(path)

    def look_at_folder(self, folder: Path, *, is_deep: bool = False) -> None:
        """List a folder, and perhaps those below it, if songs may lie there."""
        if not folder.is_dir() or not self._rules.may_hold_songs(folder):
            return
        try:
            self.take_in(scan(folder, self._rules, is_deep=is_deep))
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s cannot be listed: %s", folder, error, extra={"action": "folder_unlisted"})

    def _look_at_file(self, path: Path) -> None:
        """See one file of a folder that may hold 10,000, and in which no other file matters to it."""
        mark = song_at(path, self._rules)
        if mark is not None:
            self.see(path, mark)
            return
        if not path.is_dir():
            self._drop(path)
        if not os.path.lexists(path):
            remove_note(path)

    def take_in(self, listing: Listing) -> None:
        """See what was found; let go of what is not there any more."""
        for path, mark in listing.found:
            self.see(path, mark)
        found, listed = {path for path, _ in listing.found}, set(listing.listed)
        for path in {*self._settling, *self._inspecting, *self._unripe} - found:
            if path in listed or (path.parent in listed and not path.is_dir()):
                self._drop(path)
        for source in (*listing.orphans, *(listed - found)):
            remove_note(source)  # a folder that was listed is there, but no set of stems any more
        for partial in listing.partials:
            remove_partial(partial)  # this thread alone writes notes here, and it is not writing now

    def see(self, path: Path, mark: Mark) -> None:
        """A song is there: nothing new, or it begins to settle, and what it was before is over."""
        known = self._book.known(path)
        if known is not None and mark.is_same(known.mark):
            self._drop(path)
            return
        unripe = self._unripe.get(path)
        marks = (self._inspecting.get(path), self._unreadable.get(path), unripe.mark if unripe else None)
        for other in marks:
            if other is not None and mark.is_same(other):
                return
        if known is not None and not mark.is_like(known.mark):
            self._supersede(path)
        self._inspecting.pop(path, None)
        self._unripe.pop(path, None)
        self._unreadable.pop(path, None)
        self._settling.see(path, mark, self._clock())

    def _supersede(self, path: Path) -> None:
        for equal in self._book.changed(path):
            self._look_again(equal)

    def _drop(self, path: Path) -> None:
        self._settling.drop(path)
        self._inspecting.pop(path, None)
        self._unripe.pop(path, None)
        self._unreadable.pop(path, None)
        self._troubles.pop(path, None)
        self._told.pop(path, None)

    # Inspecting

    def hand_over(self) -> None:
        """Give what was quiet to the inspector, if it still looks the same."""
        now_s = self._clock()
        for path, unripe in list(self._unripe.items()):
            if unripe.until_s <= now_s and path not in self._inspecting:
                self._inspect(path, unripe.mark)
        self._look_around(self._settling.due(now_s))
        for path, mark in self._settling.take_due(now_s):
            fresh = self._readable(path, mark)
            if fresh is not None and fresh.is_same(mark):
                self._inspect(path, mark)
            elif fresh is not None:
                self.see(path, fresh)

    def _look_around(self, due: Iterable[Path]) -> None:
        """Drop what the files that came later make part of something else: a set of stems, a delivery."""
        by_folder: defaultdict[Path, list[Path]] = defaultdict(list)
        for path in due:
            by_folder[path.parent].append(path)
        for folder, inside in by_folder.items():
            if not self._rules.may_hold_songs(folder):
                for path in inside:
                    self._drop(path)
            elif not self._rules.is_inbox(folder):
                self.look_at_folder(folder)

    def _inspect(self, path: Path, mark: Mark) -> None:
        self._inspecting[path] = mark
        self._inspect_later(path, mark)

    def _readable(self, path: Path, mark: Mark) -> Mark | None:
        """How a song looks now; None where it is gone, or may not be read: then it is tried again."""
        try:
            fresh = self._fresh(path)
        except PermissionError:
            # on Windows that means, most often, that another program writes it still
            self._hold(path, mark)
            if os.name == "posix" or self._troubles[path] >= LOCKED_TRIES:
                self._tell_unreadable(path, mark)
            return None
        self._unreadable.pop(path, None)
        return fresh

    def _fresh(self, path: Path) -> Mark | None:
        """How a song looks now, asked of the file itself; None where it is gone or no set any more."""
        if not path.is_dir():
            return look_inside(path, has_inodes=self._rules.has_inodes)
        try:
            return dict(scan(path, self._rules, is_deep=False).found).get(path)
        except OSError:
            return None

    def _tell_unreadable(self, path: Path, mark: Mark) -> None:
        """Leave a note, once; the song is tried again all the same, but nobody need wait for it."""
        if path not in self._unreadable:
            self._unreadable[path] = mark
            why = f"{path.name} cannot be opened. Mend its permission."
            leave_note(path, why)
            self._tell_once(path, logging.WARNING, "file_unreadable", why)

    def _tell_once(self, path: Path, level: int, action: str, words: str) -> None:
        """Log what keeps a song back: once, however often it is looked at."""
        if action not in self._told[path]:
            self._told[path].add(action)
            log.log(level, "%s", words, extra={"action": action})

    def _hold(self, path: Path, mark: Mark) -> None:
        """Try a song again, later with each time."""
        self._troubles[path] += 1
        wait_s = TROUBLE_S * min(LONGEST_TROUBLES, self._troubles[path])
        self._unripe.pop(path, None)
        self._settling.hold(path, mark, self._clock() + wait_s)

    # Taking

    def judge(self, path: Path, mark: Mark, found: Inspected | Exception) -> None:
        """Act on what was inspected; it counts only if the song is still the same."""
        if self._inspecting.get(path) != mark:
            return
        del self._inspecting[path]
        fresh = self._readable(path, mark)
        if fresh is None:
            self._unripe.pop(path, None)
        elif not fresh.is_same(mark) or isinstance(found, SourceChangedError):
            self._unripe.pop(path, None)
            self._settling.hold(path, fresh, self._clock() + self._quiet_s)
        elif isinstance(found, Exception):
            self._on_trouble(path, mark, found)
        elif not found.is_whole:
            self._wait_for_rest(path, mark, found)
        else:
            self._take(path, mark, found)

    def _wait_for_rest(self, path: Path, mark: Mark, found: Inspected) -> None:
        unripe = self._unripe.get(path)
        until_s = unripe.until_s if unripe else self._clock() + self._patience_left_s(path, mark)
        if until_s <= self._clock():
            self._refuse(path, mark, found.sha256, f"{path.name} is not whole: {found.missing}")
            return
        self._unripe[path] = _Unripe(mark, until_s, found.missing)
        words = f"{path.name} is not whole yet: {found.missing}. It is taken when it is."
        self._tell_once(path, logging.INFO, "file_not_whole", words)

    def _patience_left_s(self, path: Path, mark: Mark) -> float:
        unchanged = unchanged_s(path, mark, self._wall_clock())
        return patience_s(mark.size_bytes, self._patience_s) - unchanged

    def _take(self, path: Path, mark: Mark, found: Inspected) -> None:
        if self._book.is_same_content(path, mark, found.sha256):
            self._drop(path)
            return
        self._supersede(path)
        for member in self._book.inside(path) if path.is_dir() else ():
            self._supersede(member)  # it was taken alone, before the other stems came
        try:
            request = request_for(path, self._watched, self._service.config)
            submitted = self._book.take(request, mark, found.sha256)
            if _is_thrown_away(submitted):
                submitted = self._book.take(request, mark, found.sha256, counting=OPEN)
        except (StembridgeError, PresetError) as error:
            self._on_trouble(path, mark, error)
            return
        self._drop(path)
        self._tell_taken(path, submitted)
        if submitted.job.state is JobState.SUCCESS:
            remove_note(path)

    def _tell_taken(self, path: Path, submitted: Submitted) -> None:
        about = {"action": "file_taken", "job": submitted.job.id}
        if submitted.is_new:
            self.last_taken = path.name
            log.debug("%s was taken", path, extra=about)  # that its job waits is told by the journal
            return
        job = submitted.job
        known = f"delivered to {job.delivery.folder}" if job.delivery else f"a job already ({job.state})"
        words = "%s: the same song is %s; nothing to do."
        log.info(words, path.name, known, extra=about)

    def _on_trouble(self, path: Path, mark: Mark, error: Exception) -> None:
        """Refuse what can never be taken, or ends every inspector; try the rest again."""
        is_its_fault = isinstance(error, StageError | LimitError) and self._troubles[path] + 1 >= INSPECTIONS
        if isinstance(error, InputError) or is_its_fault:
            self._refuse(path, mark, "", str(error))
            return
        self._tell_once(path, logging.WARNING, "file_waits", f"{path} has to wait: {error}")
        self._hold(path, mark)

    def _refuse(self, path: Path, mark: Mark, sha256: str, why: str) -> None:
        """Say why in a note, and let the song be; one that went away meanwhile is judged when it is back."""
        self._drop(path)
        if not leave_note(path, why) and not os.path.lexists(path):
            return
        self._book.refuse(path, mark, sha256, why)
        log.warning("%s was not taken: %s", path, why, extra={"action": "file_refused"})

    # After the job

    def on_failure(self, source: Path, why: str) -> None:
        """Leave a note beside a song that has just failed; one that was away has its turn when it is back."""
        if not leave_note(source, why) and not os.path.lexists(source):
            self._book.forget(source)

    def on_old_failure(self, source: Path, why: str, *, may_try: bool) -> None:
        """The same for a song that failed while nobody watched.

        If nobody was told, it has one more try: perhaps the folder was away when its job looked for it. One
        that is not there is forgotten: moved back, it would pass for known.
        """
        if not os.path.lexists(source):
            self._book.forget(source)
        elif may_try and not os.path.lexists(note_of(source)):
            self._book.forget(source)
            self._look_again(source)
        else:
            leave_note(source, why)

    def drop_stale_notes(self, noted: Iterable[Path]) -> None:
        """Take away the notes of songs that succeeded while nobody watched."""
        for source in noted:
            if self._book.is_done(source):
                remove_note(source)


def leave_note(source: Path, why: str) -> bool:
    """Put a note beside a song that is there; whether it is there now."""
    return os.path.lexists(source) and write_note(source, why)


def _concerned(path: Path) -> tuple[Path, ...]:
    """A file, and the song that is held back while it is there: "Song.wav" by "Song.wav.aria2"."""
    return (path, *(path.with_name(name) for name in kept_free([path.name]) if name))


def _is_thrown_away(submitted: Submitted) -> bool:
    """Whether a song counts as done whose delivery was removed since; not that of a project that is away."""
    job = submitted.job
    if submitted.is_new or job.delivery is None:
        return False
    return job.request.destination.is_dir() and not os.path.lexists(job.delivery.folder)
