"""One watched folder: a thread that hears and sees what happens in it.

Everything that touches the folder's disk is done in this thread, so that a network share that hangs holds up
no other folder. What is waiting belongs to it alone; others send it messages.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bridge.config import WatchedFolder
from bridge.errors import StembridgeError, StorageError
from bridge.jobs import Inspected
from bridge.service import Service
from bridge.service.listing import Rules
from bridge.service.marks import Mark
from watcher import intake
from watcher.book import Book, DoorClosed
from watcher.inspector import Inspector
from watcher.intake import Intake
from watcher.mounts import Attend, attend, disk_of
from watcher.notes import readable, remove_note
from watcher.patience import PATIENCE_S
from watcher.presence import AWAY, Presence

LOOK_EVERY_S = 0.05
"""Changes are gathered this long before they are looked at: a file that is written tells of every block."""

LOOK_SHARE = 0.1
"""The most of its time that the thread spends on looking, however large the folder."""

TELL_EVERY_S = 0.5

STARTING = "starting"

NAMES = 20
"""How many songs that cannot be taken are named."""

log = logging.getLogger(__name__)


class Unfinished(NamedTuple):
    """A song that cannot be taken as it is."""

    name: str
    """Its path inside the watched folder."""
    why: str


class FolderState(NamedTuple):
    """How a watched folder does, for people."""

    path: Path
    how: str
    """"starting" until it has been looked through, "events", "polling every 5 s (why)", "away"."""
    waiting: int = 0
    """Songs that are settling or inspected, so that they may be jobs soon."""
    last_taken: str = ""
    unfinished: tuple[Unfinished, ...] = ()
    """Songs that cannot be taken as they are, at most ``NAMES``."""
    unfinished_count: int = 0

    @property
    def is_starting(self) -> bool:
        """Whether nobody knows yet what lies in it."""
        return self.how == STARTING

    @property
    def is_away(self) -> bool:
        """Whether the folder is not there."""
        return self.how == AWAY


class FolderWatch:
    """Watches one folder from ``start`` to ``stop``. Public methods may be called from any thread.

    Args:
        watched: the folder and what is made of its songs.
        rules: what is looked at in it.
        book: what is known of files.
        service: makes the jobs.
        tell: called when ``state`` has changed.
        catch_up: called when the folder is there, or there again: brings the notes that could not be left.
        look_again: has a file seen that was forgotten, in whichever folder it lies.
        attend: starts to listen for changes; OSError where there is no hearing, then the folder is polled.
        clock: seconds of a clock that nobody sets.
        patience_s: how long at most a file that is not whole waits for a note.
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
        look_again: Callable[[Path], None],
        attend: Attend = attend,
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.root = watched.folder
        self.state = FolderState(self.root, how=STARTING)
        self._book = book
        self._tell_others, self._catch_up, self._clock = tell, catch_up, clock
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._is_stopped = False
        self._inspector = Inspector(service, self._answer, self.root.name)
        self._thread = threading.Thread(target=self._run, name=f"watch {self.root.name}", daemon=True)
        self._presence = Presence(self.root, service.config.watch, attend, self._hear, clock)
        self._intake = Intake(
            watched,
            rules,
            book,
            service,
            inspect=self._inspector.inspect,
            look_again=look_again,
            clock=clock,
            patience_s=patience_s,
        )
        self._changed: set[Path] = set()
        self._is_new = True
        self._late: list[Callable[[], None]] = []
        self._check_every_s = service.config.watch.poll_s
        self._next_scan_s = self._next_look_s = self._next_check_s = self._next_tell_s = float("-inf")

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
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._inspector.join(max(0.0, until_s - time.monotonic()))

    def look_again(self, path: Path) -> None:
        """See a file anew that was forgotten."""
        self._inbox.put(partial(self._note_change, path))

    def note(self, source: Path, why: str) -> None:
        """Leave a note beside a song that has just failed."""
        self._inbox.put(partial(self._intake.on_failure, source, why))

    def note_late(self, source: Path, why: str, *, may_try: bool) -> None:
        """The same for a song that failed while nobody watched."""
        self._inbox.put(partial(self._note_late, source, why, may_try))

    def clear_note(self, source: Path) -> None:
        """Take the note away of a song that succeeded."""
        self._inbox.put(partial(remove_note, source))

    def _hear(self, path: str) -> None:
        """Told by the system, in a thread of its own."""
        self._inbox.put(partial(self._note_change, Path(path)))

    def _answer(self, path: Path, mark: Mark, found: Inspected | Exception) -> None:
        """Told by the inspector, in its thread."""
        self._inbox.put(partial(self._intake.judge, path, mark, found))

    # From here on everything runs in the folder's own thread

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._guarded_turn()
        finally:
            self._presence.close()

    def _guarded_turn(self) -> None:
        try:
            self._turn()
        except DoorClosed:
            self._is_stopped = True
        except Exception as error:
            self._begin_again(error)

    def _begin_again(self, error: Exception) -> None:
        """Drop what is in hand: a scan finds all of it again."""
        is_known = isinstance(error, StembridgeError | OSError)
        words, wait_s = "Watching %s was disturbed and goes on in %g s: %s", intake.TROUBLE_S
        log.error(
            words,
            self.root,
            wait_s,
            error,
            exc_info=None if is_known else error,
            extra={"action": "watch_disturbed"},
        )
        self._intake.restart_inspections()
        self._next_scan_s = self._clock() + wait_s

    def _turn(self) -> None:
        self._read_messages()
        if self._is_stopped:
            return
        self._check()
        now_s = self._clock()
        if now_s >= self._next_scan_s:
            self._scan()
        elif self._changed and now_s >= self._next_look_s:
            self._look()
        if self._presence.is_there:
            self._intake.hand_over()
        self._tell()

    def _read_messages(self) -> None:
        """Wait for the first message or the next deadline; then take all that have come."""
        message = self._next_message(max(0.0, self._next_deadline_s() - self._clock()))
        while message is not None and not self._is_stopped:
            self._act_on(message)
            message = self._next_message(0.0)

    def _act_on(self, message: Callable[[], None]) -> None:
        try:
            message()
        except StorageError:
            self._late.append(message)  # it comes again with the next scan
            raise

    def _next_message(self, timeout_s: float) -> Callable[[], None] | None:
        try:
            return self._inbox.get(timeout=timeout_s) if timeout_s > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return None

    def _next_deadline_s(self) -> float:
        deadlines = [self._next_scan_s]
        if self._presence.is_there:
            deadlines.append(self._next_check_s)
            if self._intake.next_due_s is not None:
                deadlines.append(self._intake.next_due_s)
        if self._changed:
            deadlines.append(self._next_look_s)
        if self._state() != self.state:
            deadlines.append(self._next_tell_s)
        return min(deadlines)

    def _note_late(self, source: Path, why: str, may_try: bool) -> None:
        if self._presence.is_there:  # else it is told of again when the folder is back
            self._intake.on_old_failure(source, why, may_try=may_try)

    def _note_change(self, path: Path) -> None:
        if not self._changed:
            self._next_look_s = max(self._next_look_s, self._clock() + LOOK_EVERY_S)
        self._changed.add(path)
        if path == self.root:
            self._next_check_s = float("-inf")

    def _check(self) -> None:
        """Look whether the folder itself went or is another: not every system tells of that."""
        now_s = self._clock()
        if now_s >= self._next_check_s:
            self._next_check_s = now_s + self._check_every_s
            if self._presence.has_changed():
                self._next_scan_s = now_s

    def _look(self) -> None:
        """See what has become of everything that was heard of."""
        began_s = self._clock()
        paths, self._changed = self._changed, set()
        if self._presence.is_there:
            self._intake.look_at_paths(paths)
        ended_s = self._clock()
        self._next_look_s = ended_s + max(LOOK_EVERY_S, (ended_s - began_s) / LOOK_SHARE)

    def _scan(self) -> None:
        """Look through the whole folder: for what lies there from before, and for what was not heard of."""
        began_s = self._clock()
        self._is_new |= self._presence.look()
        if not self._presence.is_there or not self._scan_root():
            self._intake.drop_all()
            self._is_new = False  # it is when it comes
        ended_s = self._clock()
        self._next_scan_s = ended_s + max(self._presence.pause_s, (ended_s - began_s) / LOOK_SHARE)

    def _scan_root(self) -> bool:
        """Scan; false where the folder went meanwhile: what is known of its files stays known."""
        if self._is_new:
            self._intake.use_inodes(disk_of(self.root).has_inodes)
            self._catch_up()
        self._changed.clear()
        try:
            listing = self._intake.scan_all()
        except OSError:
            self._presence.leave()
            return False
        if not self._presence.is_unchanged():
            self._presence.leave()
            return False
        self._book.save()
        late, self._late = self._late, []
        for message in late:
            self._inbox.put(message)
        self._intake.take_in(listing)
        self._presence.expect_covered(listing.folders)
        if self._is_new:
            self._intake.drop_stale_notes(listing.noted)
        self._is_new = False
        return True

    def _state(self) -> FolderState:
        unfinished = self._intake.unfinished
        return FolderState(
            self.root,
            STARTING if self._is_new else self._presence.how,
            len(self._intake.waiting),
            self._intake.last_taken,
            tuple(self._unfinished(path, why) for path, why in islice(unfinished.items(), NAMES)),
            len(unfinished),
        )

    def _unfinished(self, path: Path, why: str) -> Unfinished:
        return Unfinished(readable(str(path.relative_to(self.root))), readable(why))

    def _tell(self) -> None:
        state, now_s = self._state(), self._clock()
        if state == self.state or now_s < self._next_tell_s:
            return
        self.state = state
        self._next_tell_s = now_s + TELL_EVERY_S
        self._tell_others()


def _nothing() -> None:
    """What wakes the thread."""
