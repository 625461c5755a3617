"""What a file looks like from outside: the mark by which a change is seen without reading it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HIDDEN_ON_WINDOWS = 0x2  # FILE_ATTRIBUTE_HIDDEN


class Mark(NamedTuple):
    """Size, time of change and inode of a file; of a folder of stems, what those of its files come to."""

    size_bytes: int
    modified_ns: int
    inode: int
    """0 where the disk gives a file now this number, now that."""

    def is_same(self, other: Mark) -> bool:
        """Whether nothing has changed between the two."""
        return self.is_like(other) and (self.inode == other.inode or not (self.inode and other.inode))

    def is_like(self, other: Mark) -> bool:
        """Whether size and time are equal: a copy that kept its time, or the same file after a new mount."""
        return self[:2] == other[:2]


def look(path: str | Path, *, has_inodes: bool = True) -> Mark | None:
    """The mark of a file, links followed; None where there is no regular file that can be seen."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path for each of 10,000 files is slow
    except (OSError, ValueError):
        return None
    # Windows keeps stale sizes in a folder's entries, so the file itself is asked, never the entry
    is_hidden = getattr(found, "st_file_attributes", 0) & HIDDEN_ON_WINDOWS
    return None if is_hidden else mark_of(found, has_inodes=has_inodes)


def look_inside(path: Path, *, has_inodes: bool = True) -> Mark | None:
    """As ``look``, by opening the file: what a network share tells of a file that is open is fresh.

    Raises PermissionError where it may not be read: by us, or by anybody while another writes it.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return mark_of(os.fstat(file.fileno()), has_inodes=has_inodes)
    except PermissionError:
        raise
    except (OSError, ValueError):
        return None


def mark_of(found: os.stat_result, *, has_inodes: bool = True) -> Mark | None:
    """The mark that a stat result gives; None for what is no regular file."""
    if not stat.S_ISREG(found.st_mode):
        return None
    return Mark(found.st_size, found.st_mtime_ns, found.st_ino if has_inodes else 0)


def joined(files: Iterable[tuple[str, Mark]]) -> Mark:
    """One mark for the files of a folder, which differs when any of them is changed, renamed or replaced."""
    files = sorted(files)
    digest = hashlib.sha256(repr(files).encode("utf-8", "surrogateescape")).digest()
    return Mark(
        sum(mark.size_bytes for _, mark in files),
        max((mark.modified_ns for _, mark in files), default=0),
        int.from_bytes(digest[:7], "big"),
    )
