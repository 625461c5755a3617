"""Whether a watched folder is there, and how its changes are heard."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from bridge.config import Watch
from watcher.mounts import Attend, Attention, Hear

log = logging.getLogger(__name__)

AWAY = "away"


class Presence:
    """Looks for one folder, and listens to it while it is there. Used by one thread.

    A folder is known by device and inode: an unmounted one may leave an empty folder in its place, and what
    comes back is listened to anew, since a listener stays with the folder that it was given.
    """

    def __init__(
        self, root: Path, settings: Watch, attend: Attend, hear: Hear, clock: Callable[[], float]
    ) -> None:
        self._root, self._settings = root, settings
        self._attend, self._hear, self._clock = attend, hear, clock
        self._identity: tuple[int, int] | None = None
        self._attention: Attention | None = None
        self._attend_again_s = float("-inf")
        self._deafness = ""
        self._uncovered = 0
        self._was_told = False

    @property
    def is_there(self) -> bool:
        """Whether the folder was there at the last look."""
        return self._identity is not None

    @property
    def how(self) -> str:
        """How the folder is watched, for people: "events", "polling every 5 s (why)", "away"."""
        if not self.is_there:
            return AWAY
        return (
            "events" if self._attention else f"polling every {self._settings.poll_s:g} s ({self._deafness})"
        )

    @property
    def pause_s(self) -> float:
        """Seconds to the next scan."""
        return self._settings.rescan_s if self._attention else self._settings.poll_s

    def look(self) -> bool:
        """Look whether the folder is there, and listen to it; true where it has just come.

        Listening begins before the caller scans the folder, so that nothing falls between the two.
        """
        identity = _identity(self._root)
        has_come = identity not in (None, self._identity)
        if has_come or identity is None:
            self.close()
            self._attend_again_s = float("-inf")
        self._identity = identity
        if identity is None:
            self._tell_away()
        else:
            self._tell_back()
            self._listen()
        return has_come

    def is_unchanged(self) -> bool:
        """Whether the same folder is there still: if it went under a scan, its silence says nothing."""
        return self.is_there and _identity(self._root) == self._identity

    def has_changed(self) -> bool:
        """Whether a folder that was there at the last look went or is another, or its listener has ended."""
        if not self.is_there:
            return False
        is_deaf = self._attention is not None and not self._attention.is_alive
        return is_deaf or not self.is_unchanged()

    def leave(self) -> None:
        """Take the folder for away until the next look."""
        self.close()
        self._identity = None
        self._tell_away()

    def expect_covered(self, folders: int) -> None:
        """Poll if the system tells of fewer folders than there are, at two scans in a row."""
        covers = self._attention is None or self._attention.covers(folders)
        self._uncovered = 0 if covers else self._uncovered + 1
        if self._uncovered >= 2:
            self.close()
            self._attend_again_s = self._clock() + 10 * self._settings.rescan_s
            self._poll_because("the system does not tell of all sub-folders: fs.inotify.max_user_watches")

    def close(self) -> None:
        """Listen no more."""
        attention, self._attention = self._attention, None
        self._uncovered = 0
        if attention is not None:
            attention.close()

    def _listen(self) -> None:
        if self._attention is not None and self._attention.is_alive:
            return
        self.close()
        if self._clock() < self._attend_again_s:
            return
        try:
            self._attention = self._attend(self._root, self._hear)
        except OSError as error:
            self._attend_again_s = self._clock() + self._settings.rescan_s
            self._poll_because(error.strerror or str(error))
        else:
            self._deafness = ""

    def _poll_because(self, why: str) -> None:
        if self._deafness != why:
            words, pause_s = "%s is looked through every %g s: %s", self._settings.poll_s
            log.warning(words, self._root, pause_s, why, extra={"action": "watch_polling"})
        self._deafness = why

    def _tell_back(self) -> None:
        if self._was_told:
            log.info("%s is there", self._root, extra={"action": "folder_back"})
        self._was_told = False

    def _tell_away(self) -> None:
        if not self._was_told:
            log.warning("%s is away; waiting for it", self._root, extra={"action": "folder_away"})
        self._was_told = True


def _identity(folder: Path) -> tuple[int, int] | None:
    """Which folder it is, among all; None where there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if folder.is_dir() else None
