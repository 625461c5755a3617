"""Looks at a stranger's file in a worker process: what it is, and whether it is whole."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bridge.errors import InputError, SourceChangedError
from bridge.events import Event
from bridge.hashes import files_of
from bridge.jobs.fingerprint import hash_source
from bridge.stemset import expect_source, find_stem_set
from bridge.values import Value
from bridge.wholeness import missing


class Inspected(Value):
    """A file, or a folder of stems, as it was found."""

    path: Path
    size_bytes: int
    """Of a folder, that of all files in it."""
    modified_ns: int
    """Of a folder, that of its newest file."""
    inode: int
    sha256: str
    """What names its content, as ``hash_source`` gives it; "" where it is not whole."""
    is_whole: bool
    """False where its container says that something is missing."""
    missing: str = ""
    """What is missing, for people."""


def inspect(path: Path, report: Callable[[Event], None]) -> Inspected:
    """What the file or folder of stems is, and whether it is whole.

    Raises InputError where it is missing, cannot be read, is a pipe or a device, or is a folder or a zip
    without the stems of one song; SourceChangedError, which is one, where it changed while it was looked at,
    so that nothing else can be said of it. ``report`` is what every task gets; nothing is told here.
    """
    try:
        return _inspect(path)
    except OSError as cause:
        raise InputError(
            f"{path} cannot be read ({cause.strerror or cause}); wanted a song's file or a folder of its "
            "stems. Check the path, the disk and your permission."
        ) from cause


def _inspect(path: Path) -> Inspected:
    expect_source(path)
    before = _marks(path)
    try:
        found = _described(path, before)
    except (OSError, InputError):
        if path.exists():
            _expect_same(path, before)
        raise
    _expect_same(path, before)
    return found


def _described(path: Path, before: tuple[_Mark, ...]) -> Inspected:
    lacking = _lacking(path)
    sha256 = "" if lacking else _content(path)
    return Inspected(
        path=path,
        size_bytes=sum(mark.size_bytes for mark in before),
        modified_ns=max(mark.modified_ns for mark in before),
        inode=before[0].inode,
        sha256=sha256,
        is_whole=not lacking,
        missing=lacking,
    )


def _content(source: Path) -> str:
    """What names a whole song; InputError where a folder or a zip does not hold the stems of one."""
    find_stem_set(source)
    return hash_source(source)


class _Mark(NamedTuple):
    """What tells that a file, or what lies in a folder, is another one or was written to."""

    path: Path
    size_bytes: int
    modified_ns: int
    inode: int


def _marks(source: Path) -> tuple[_Mark, ...]:
    """The mark of a file, or those of a folder and of the files that make its content."""
    inside = files_of(source) if source.is_dir() else ()
    return (_mark(source), *(_mark(path) for path in inside))


def _mark(path: Path) -> _Mark:
    """That of a folder is the same whatever lies in it: a .DS_Store that comes or goes changes its time."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return _Mark(path, 0, 0, status.st_ino)
    return _Mark(path, status.st_size, status.st_mtime_ns, status.st_ino)


def _expect_same(source: Path, before: tuple[_Mark, ...]) -> None:
    if _marks(source) != before:
        raise SourceChangedError(
            f"{source} is still being written: it changed while it was looked at. Wait until it is whole."
        )


def _lacking(source: Path) -> str:
    """What is missing in the file, or in the first audio file of the folder that is not whole."""
    if not source.is_dir():
        return missing(source)
    stems = find_stem_set(source)
    members = () if stems is None else (*(stem.member for stem in stems.stems), *stems.left_out)
    for member in members:
        if lacking := missing(source / member):
            return f"{PurePosixPath(member).name}: {lacking}"
    return ""
