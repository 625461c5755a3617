"""One watched folder: a thread that sees what lies in it, waits until it is quiet, and makes jobs of it.

A file's way, in the order of the methods: ``_see`` (it is there, and not what was dealt with) -> settling ->
``_hand_over`` (it was quiet) -> inspector -> ``_judge`` (it is what was inspected) -> ``_take`` (a job).
Everything that touches the folder's disk is done in this thread, so that a network share that hangs holds up
no other folder, and only this thread changes what is waiting, so that there is no lock for it.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bridge.config import WatchedFolder
from bridge.errors import InputError, LimitError, SourceChangedError, StageError, StembridgeError
from bridge.jobs import Inspected
from bridge.service import Service
from bridge.values import JobState
from presets import PresetError
from watcher.book import Book, DoorClosed
from watcher.inspector import Inspector
from watcher.marks import Mark, look, look_inside
from watcher.mounts import Attend, Attention, attend, disk_of
from watcher.naming import request_for
from watcher.notes import note_of, remove_note, write_note
from watcher.scanner import Listing, Rules, scan, song_names
from watcher.settling import Settling

PATIENCE_S = 600.0
"""How long a file that is not whole may stay unchanged before a note says what is missing."""

LOOK_EVERY_S = 0.05
"""Changes are gathered this long before they are looked at: a file that is written tells of every block."""

LOOK_SHARE = 0.1
"""The most of its time that the thread spends on looking, however large the folder."""

TELL_EVERY_S = 0.5
TROUBLE_S = 5.0
"""How long to wait when something failed that may pass, such as a locked database."""

LOCKED_TRIES = 10
"""How often a file that another program keeps to itself is tried before a note says so (some minutes)."""

INSPECTIONS = 3
"""How often a file may bring its inspector down before it is given up."""

log = logging.getLogger(__name__)


class FolderState(NamedTuple):
    """How a watched folder does, for people."""

    path: Path
    how: str
    """"events", "polling every 5 s (why)", "away"."""
    waiting: int = 0
    """Songs that are seen and not yet taken."""
    last_taken: str = ""

    @property
    def is_away(self) -> bool:
        """Whether the folder is not there."""
        return self.how == AWAY


AWAY = "away"


class _Unripe(NamedTuple):
    mark: Mark
    until_s: float


class FolderWatch:
    """Watches one folder from ``start`` to ``stop``. Public methods may be called from any thread.

    Args:
        watched: the folder and what is made of its songs.
        rules: what is looked at in it.
        book: what is known of files.
        service: makes the jobs.
        tell: called when ``state`` has changed.
        catch_up: called when the folder is there, or there again: brings the notes that could not be left.
        attend: starts to listen for changes; OSError where there is no hearing, then the folder is polled.
        clock: seconds of a clock that nobody sets.
        patience_s: how long a file that is not whole waits for a note.
    """

    def __init__(
        self,
        watched: WatchedFolder,
        rules: Rules,
        book: Book,
        service: Service,
        *,
        tell: Callable[[], None],
        catch_up: Callable[[], None],
        attend: Attend = attend,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.root = watched.folder
        self.state = FolderState(self.root, how="starting")
        self._singles: dict[Path, frozenset[str]] = {}
        self._watched, self._rules = watched, replace(rules, singles=self._singles)
        self._book, self._service = book, service
        self._tell_others, self._catch_up, self._attend = tell, catch_up, attend
        self._clock, self._patience_s = clock, patience_s
        self._settings = service.config.watch

        self._settling = Settling(self._settings.quiet_s)
        self._inspecting: dict[Path, Mark] = {}
        self._unripe: dict[Path, _Unripe] = {}
        self._troubles: Counter[Path] = Counter()

        self._identity: tuple[int, int] | None = None
        self._has_arrived = False
        self._attention: Attention | None = None
        self._deafness = ""
        self._uncovered = 0
        self._dirty: set[Path] = set()
        self._arrived: set[Path] = set()
        self._touched: set[Path] = set()
        self._next_scan_s = self._next_look_s = self._next_tell_s = self._attend_again_s = float("-inf")
        self._last_taken = ""

        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._is_stopped = False
        self._inspector = Inspector(service, self._answer, self.root.name)
        self._thread = threading.Thread(target=self._run, name=f"watch {self.root.name}", daemon=True)

    def start(self) -> None:
        """Begin to watch; returns at once."""
        self._inspector.start()
        self._thread.start()

    def stop(self) -> None:
        """Ask the threads to end; ``join`` waits for it."""
        self._is_stopped = True
        self._inspector.stop()
        self._inbox.put(_nothing)

    def join(self, timeout_s: float) -> None:
        """Wait for the threads' end; one that hangs on a dead disk is left behind, its hands tied."""
        until_s = time.monotonic() + timeout_s
        self._thread.join(timeout_s)
        self._inspector.join(max(0.0, until_s - time.monotonic()))

    def look_again(self, path: Path) -> None:
        """See a file anew that was forgotten."""
        self._inbox.put(partial(self._dirty.add, path.parent))

    def note(self, source: Path, why: str) -> None:
        """Leave a note beside a song that has just failed."""
        self._inbox.put(partial(self._note_failure, source, why))

    def note_late(self, source: Path, why: str, *, may_try: bool) -> None:
        """The same for a song that failed while nobody watched.

        If nobody was told, it has one more try: perhaps the folder was away when its job looked for it.
        """
        self._inbox.put(partial(self._note_late, source, why, may_try))

    def clear_note(self, source: Path) -> None:
        """Take the note away of a song that succeeded."""
        self._inbox.put(partial(remove_note, source))

    def _hear(self, path: str, is_content: bool) -> None:
        """Told by the system, in a thread of its own."""
        self._inbox.put(partial(self._heard, Path(path), is_content))

    def _answer(self, path: Path, mark: Mark, found: Inspected | Exception) -> None:
        """Told by the inspector, in its thread."""
        self._inbox.put(partial(self._judge, path, mark, found))

    # From here on everything runs in the folder's own thread

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._guarded_turn()
        finally:
            self._stop_hearing()

    def _guarded_turn(self) -> None:
        try:
            self._turn()
        except DoorClosed:
            self._is_stopped = True
        except Exception as error:
            known = isinstance(error, StembridgeError | OSError)
            log.error(
                "Watching %s was disturbed and goes on in %g s: %s",
                self.root,
                TROUBLE_S,
                error,
                exc_info=None if known else error,
                extra={"action": "watch_disturbed"},
            )
            self._begin_again(self._clock() + TROUBLE_S)

    def _begin_again(self, when_s: float) -> None:
        """Drop what is in hand: a scan finds all of it again."""
        self._inspecting.clear()
        self._next_scan_s = when_s

    def _turn(self) -> None:
        self._read_messages()
        if self._is_stopped:
            return
        now_s = self._clock()
        if now_s >= self._next_scan_s:
            self._scan_all()
        elif self._has_changes:
            self._look_at_changes()
        if self._identity is not None:
            self._hand_over()
        self._tell()

    def _read_messages(self) -> None:
        """Wait for the first message or the next deadline; then take all that have come."""
        message = self._next_message(max(0.0, self._next_deadline_s() - self._clock()))
        while message is not None and not self._is_stopped:
            message()
            message = self._next_message(0.0)

    def _next_message(self, timeout_s: float) -> Callable[[], None] | None:
        try:
            return self._inbox.get(timeout=timeout_s) if timeout_s > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return None

    def _next_deadline_s(self) -> float:
        deadlines = [self._next_scan_s]
        if self._identity is not None:
            deadlines += [] if self._settling.next_due_s is None else [self._settling.next_due_s]
            deadlines += [
                unripe.until_s for path, unripe in self._unripe.items() if path not in self._inspecting
            ]
        if self._has_changes:
            deadlines.append(self._next_look_s)
        if self._state() != self.state:
            deadlines.append(self._next_tell_s)
        return min(deadlines)

    # Looking

    def _heard(self, path: Path, is_content: bool) -> None:
        if not self._has_changes:
            self._next_look_s = max(self._next_look_s, self._clock() + LOOK_EVERY_S)
        if is_content and path in self._settling:
            self._touched.add(path)
            return
        self._dirty.add(path.parent)
        if not is_content:
            self._arrived.add(path)

    @property
    def _has_changes(self) -> bool:
        return bool(self._dirty or self._arrived or self._touched)

    def _scan_all(self) -> None:
        began_s = self._clock()
        if not self._is_there() or not self._scan_root():
            self._leave()
            self._next_scan_s = self._clock() + self._settings.poll_s
            return
        cost_s = self._clock() - began_s
        pause_s = self._settings.poll_s if self._attention is None else self._settings.rescan_s
        self._next_scan_s = self._clock() + max(pause_s, cost_s / LOOK_SHARE)

    def _is_there(self) -> bool:
        """Whether the folder is there; one that came back, or another in its place, is listened to anew."""
        identity = _identity(self.root)
        if identity is None:
            return False
        if identity != self._identity:
            self._stop_hearing()
            self._attend_again_s = float("-inf")
            self._rules = replace(self._rules, has_inodes=disk_of(self.root).has_inodes)
            self._has_arrived = True
            self._catch_up()
        self._identity = identity
        self._listen()
        return True

    def _listen(self) -> None:
        """Hear of changes from now on; begun before the scan, so that nothing falls between the two."""
        if self._attention is not None and self._attention.is_alive:
            return
        self._stop_hearing()
        if self._clock() < self._attend_again_s:
            return
        self._attend_again_s = self._clock() + self._settings.rescan_s
        try:
            self._attention = self._attend(self.root, self._hear)
        except OSError as error:
            self._poll_because(error.strerror or str(error))
        else:
            self._deafness = ""

    def _poll_because(self, why: str) -> None:
        if self._deafness != why:
            log.warning(
                "%s is looked through every %g s: %s",
                self.root,
                self._settings.poll_s,
                why,
                extra={"action": "watch_polling"},
            )
        self._deafness = why

    def _stop_hearing(self) -> None:
        attention, self._attention = self._attention, None
        if attention is not None:
            attention.close()

    def _scan_root(self) -> bool:
        self._dirty.clear()
        self._arrived.clear()
        self._touched.clear()
        try:
            listing = scan(self.root, self._rules)
        except OSError:
            return False
        if _identity(self.root) != self._identity:
            return False  # it went, or was unmounted, under the scan: its silence says nothing
        self._take_in(listing)
        self._expect_covered(listing.folders)
        if self._has_arrived:
            self._drop_stale_notes(listing.noted)
        self._has_arrived = False
        return True

    def _drop_stale_notes(self, noted: list[Path]) -> None:
        """Take away the notes of songs that succeeded while nobody watched."""
        for source in noted:
            if self._book.is_done(source):
                remove_note(source)

    def _expect_covered(self, folders: int) -> None:
        """Poll if the system tells of fewer folders than there are, at two scans in a row."""
        covers = self._attention is None or self._attention.covers(folders)
        self._uncovered = 0 if covers else self._uncovered + 1
        if self._uncovered >= 2:
            self._stop_hearing()
            self._attend_again_s = self._clock() + 10 * self._settings.rescan_s
            self._poll_because("the system does not tell of all sub-folders: fs.inotify.max_user_watches")

    def _leave(self) -> None:
        """The folder is away. What is known of its files stays known; it is looked for from time to time."""
        if self._identity is not None or not self.state.is_away:
            log.warning("%s is away; waiting for it", self.root, extra={"action": "folder_away"})
        self._identity = None
        self._stop_hearing()
        self._settling.drop_all()
        self._inspecting.clear()
        self._unripe.clear()

    def _look_at_changes(self) -> None:
        began_s = self._clock()
        if began_s < self._next_look_s or self._identity is None:
            return
        touched, self._touched = self._touched, set()
        dirty, self._dirty = self._dirty, set()
        arrived, self._arrived = self._arrived, set()
        for path in touched:
            self._see_one(path)
        for folder in dirty:
            self._look_at_folder(folder)
        for path in arrived:
            self._look_at_folder(path, is_deep=True)
        ended_s = self._clock()
        self._next_look_s = ended_s + max(LOOK_EVERY_S, (ended_s - began_s) / LOOK_SHARE)

    def _look_at_folder(self, folder: Path, *, is_deep: bool = False) -> None:
        """List a folder of which something was heard; one that has just come is listed to its depth."""
        if not folder.is_dir() or not self._rules.may_hold_songs(folder):
            return
        try:
            self._take_in(scan(folder, self._rules, is_deep=is_deep))
        except FileNotFoundError:
            pass
        except OSError as error:
            log.warning("%s cannot be listed: %s", folder, error, extra={"action": "folder_unlisted"})

    def _see_one(self, path: Path) -> None:
        mark = look(path, has_inodes=self._rules.has_inodes)
        if mark is None:
            self._drop(path)
        else:
            self._see(path, mark)

    def _take_in(self, listing: Listing) -> None:
        """See what was found; let go of what is not there any more."""
        for path, mark in listing.found:
            self._see(path, mark)
        found, listed = {path for path, _ in listing.found}, set(listing.listed)
        for path in self._in_hand() - found:
            if path in listed or (path.parent in listed and not path.is_dir()):
                self._drop(path)
        for source in listing.orphans:
            remove_note(source)

    def _in_hand(self) -> set[Path]:
        return {*self._settling, *self._inspecting, *self._unripe}

    def _drop(self, path: Path) -> None:
        self._settling.drop(path)
        self._unripe.pop(path, None)
        self._inspecting.pop(path, None)
        self._troubles.pop(path, None)

    def _see(self, path: Path, mark: Mark) -> None:
        """A song is there: nothing new, or it begins to settle, and what it was before is over."""
        known = self._book.known(path)
        if known is not None and mark.is_same(known.mark):
            self._drop(path)
            return
        for other in (self._inspecting.get(path), self._unripe[path].mark if path in self._unripe else None):
            if other is not None and mark.is_same(other):
                return
        if known is not None and not mark.is_like(known.mark):
            self._changed(path)
        self._inspecting.pop(path, None)
        self._unripe.pop(path, None)
        self._settling.see(path, mark, self._clock())

    def _changed(self, path: Path) -> None:
        for equal in self._book.changed(path):
            self._dirty.add(equal.parent)

    # Taking

    def _hand_over(self) -> None:
        """Give what was quiet to the inspector, if it still looks the same."""
        now_s = self._clock()
        for path, unripe in list(self._unripe.items()):
            if unripe.until_s <= now_s and path not in self._inspecting:
                self._inspect(path, unripe.mark)
        for folder in {path.parent for path in self._settling.due(now_s)}:
            if not self._rules.is_inbox(folder):
                self._look_at_folder(folder)  # stems that came later make a set of those that came first
        for path, mark in self._settling.take_due(now_s):
            fresh = self._readable(path, mark)
            if fresh is not None and fresh.is_same(mark):
                self._inspect(path, mark)
            elif fresh is not None:
                self._see(path, fresh)

    def _inspect(self, path: Path, mark: Mark) -> None:
        self._inspecting[path] = mark
        self._inspector.inspect(path, mark)

    def _readable(self, path: Path, mark: Mark) -> Mark | None:
        """How a song looks now; None where it is gone, or may not be read: then it is tried again."""
        try:
            return self._fresh(path)
        except PermissionError:
            # on Windows that means, most often, that another program writes it still
            self._troubles[path] += 1
            self._settling.hold(path, mark, self._clock() + TROUBLE_S * min(12, self._troubles[path]))
            if os.name == "posix" or self._troubles[path] >= LOCKED_TRIES:
                self._leave_note(path, f"{path.name} cannot be opened. Mend its permission.")
            return None

    def _fresh(self, path: Path) -> Mark | None:
        """How a song looks now, asked of the file itself; None where it is gone or no set any more."""
        if not path.is_dir():
            return look_inside(path, has_inodes=self._rules.has_inodes)
        try:
            return dict(scan(path, self._rules, is_deep=False).found).get(path)
        except OSError:
            return None

    def _judge(self, path: Path, mark: Mark, found: Inspected | Exception) -> None:
        """What was inspected counts only if the file is still the same."""
        if self._inspecting.get(path) != mark:
            return
        del self._inspecting[path]
        fresh = self._readable(path, mark)
        if fresh is None:
            self._unripe.pop(path, None)
        elif not fresh.is_same(mark) or isinstance(found, SourceChangedError):
            self._unripe.pop(path, None)
            self._settling.hold(path, fresh, self._clock() + self._settings.quiet_s)
        elif isinstance(found, Exception):
            self._on_trouble(path, mark, found)
        elif path.is_dir() and not found.is_stem_set:
            self._split(path)
        elif not found.is_whole:
            self._wait_for_rest(path, mark, found)
        else:
            self._take(path, mark, found)

    def _split(self, folder: Path) -> None:
        """The files of a folder are no stems of one song: each is a song."""
        self._drop(folder)
        self._singles[folder] = song_names(folder, self._rules)
        self._look_at_folder(folder)

    def _wait_for_rest(self, path: Path, mark: Mark, found: Inspected) -> None:
        unripe = self._unripe.get(path)
        if unripe is None:
            self._unripe[path] = _Unripe(mark, self._clock() + self._patience_s)
        elif unripe.until_s <= self._clock():
            self._refuse(path, mark, found.sha256, f"{path.name} is not whole: {found.missing}")

    def _take(self, path: Path, mark: Mark, found: Inspected) -> None:
        if self._book.is_same_content(path, mark, found.sha256):
            self._drop(path)
            return
        self._changed(path)
        for member in self._book.inside(path) if path.is_dir() else ():
            self._changed(member)  # it was taken alone, before the other stems came
        try:
            request = request_for(path, self._watched, self._service.config)
            submitted = self._book.take(request, mark, found.sha256)
        except (StembridgeError, PresetError) as error:
            self._on_trouble(path, mark, error)
            return
        self._drop(path)
        job, what = submitted.job, "was taken" if submitted.is_new else "is known already"
        log.info(
            "%s %s (recipe %s)", path, what, request.recipe, extra={"action": "file_taken", "job": job.id}
        )
        if submitted.is_new:
            self._last_taken = path.name
        if job.state is JobState.SUCCESS:
            remove_note(path)

    def _on_trouble(self, path: Path, mark: Mark, error: Exception) -> None:
        """Refuse what can never be taken, or ends every inspector; try the rest again."""
        self._troubles[path] += 1
        is_its_fault = isinstance(error, StageError | LimitError) and self._troubles[path] >= INSPECTIONS
        if isinstance(error, InputError) or is_its_fault:
            self._refuse(path, mark, "", str(error))
            return
        log.warning("%s has to wait: %s", path, error, extra={"action": "file_waits"})
        self._unripe.pop(path, None)
        self._settling.hold(path, mark, self._clock() + TROUBLE_S * min(12, self._troubles[path]))

    def _refuse(self, path: Path, mark: Mark, sha256: str, why: str) -> None:
        self._book.refuse(path, mark, sha256, why)
        self._drop(path)
        log.warning("%s was not taken: %s", path, why, extra={"action": "file_refused"})
        self._leave_note(path, why)

    def _note_failure(self, source: Path, why: str) -> None:
        """A song that failed because it was not there has its turn when it comes back."""
        if os.path.lexists(source):
            write_note(source, why)
        else:
            self._book.forget(source)

    def _note_late(self, source: Path, why: str, may_try: bool) -> None:
        if may_try and os.path.lexists(source) and not os.path.lexists(note_of(source)):
            self._book.forget(source)
            self._dirty.add(source.parent)
        else:
            self._leave_note(source, why)

    def _leave_note(self, source: Path, why: str) -> None:
        if os.path.lexists(source):
            write_note(source, why)

    # Telling

    def _state(self) -> FolderState:
        return FolderState(self.root, self._how(), len(self._in_hand()), self._last_taken)

    def _how(self) -> str:
        if self._identity is None:
            return AWAY
        if self._attention is not None:
            return "events"
        return f"polling every {self._settings.poll_s:g} s ({self._deafness})"

    def _tell(self) -> None:
        state, now_s = self._state(), self._clock()
        if state == self.state or now_s < self._next_tell_s:
            return
        self.state = state
        self._next_tell_s = now_s + TELL_EVERY_S
        self._tell_others()


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder it is, among all; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if folder.is_dir() else None


def _nothing() -> None:
    """What wakes the thread."""
