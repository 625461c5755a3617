"""Finds the newest song in the watched folders that is finished."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bridge.config import WatchedFolder
from bridge.errors import InputError
from bridge.jobs import SeenFile
from bridge.service import Service
from bridge.values import AUDIO_SUFFIXES

SONG_SUFFIXES: Final = AUDIO_SUFFIXES | {".zip"}
"""What Suno, Udio and hosts export; anything else in a folder is none of ours."""
MAX_LOOKED_INTO: Final = 8
"""Newest files whose content is looked at, before it is said that there is no whole one."""


class Found(NamedTuple):
    """A finished song, or a folder of the stems of one, and its content's hash."""

    path: Path
    sha256: str


class _Candidate(NamedTuple):
    modified_s: float
    path: Path


def newest_song(service: Service, clock: Callable[[], float] = time.time) -> Found | None:
    """The newest whole song that did not change for the quiet time; None where there is none.

    A file that still grows is passed over, as is one that is cut off or no song.
    """
    config = service.config
    now_s = clock()
    candidates = {
        candidate
        for folder in config.watch.folders
        for candidate in _candidates(folder, config.delivery.folder)
        if not 0 <= now_s - candidate.modified_s < config.watch.quiet_s
    }
    for candidate in sorted(candidates, reverse=True)[:MAX_LOOKED_INTO]:
        song = _song_of(service, candidate.path)
        sha256 = _sha256_if_whole(service, song)
        if sha256:
            return Found(song, sha256)
    return None


def known_sha256(service: Service, path: Path) -> str:
    """The hash of a file that was seen before and is as it was; "" where it has to be read."""
    seen = _seen_as_it_is(service, path)
    return seen.sha256 if seen else ""


def _song_of(service: Service, path: Path) -> Path:
    """The file, or its folder where that was taken as the stems of one song."""
    folder = service.files.seen(path.parent)
    return path.parent if folder is not None and folder.sha256 else path


def _sha256_if_whole(service: Service, path: Path) -> str:
    seen = _seen_as_it_is(service, path)
    if seen is not None:
        return "" if seen.refused else seen.sha256
    try:
        inspected = service.inspect(path)
    except InputError:
        return ""
    return inspected.sha256 if inspected.is_whole else ""


def _seen_as_it_is(service: Service, path: Path) -> SeenFile | None:
    """What the ledger knows of a file, unless it changed since. Of folders it cannot tell."""
    try:
        now = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(now.st_mode):
        return None
    seen = service.files.seen(path)
    if seen is None or not seen.sha256:
        return None
    was = (seen.size_bytes, seen.modified_ns, seen.inode)
    return seen if was == (now.st_size, now.st_mtime_ns, now.st_ino) else None


def _candidates(folder: WatchedFolder, delivery_name: str) -> Iterator[_Candidate]:
    for place, folders, names in os.walk(folder.folder):
        folders[:] = [name for name in folders if _is_open(name, delivery_name)]
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in SONG_SUFFIXES and not name.startswith("."):
                modified_s = _modified_s(path)
                if modified_s is not None:
                    yield _Candidate(modified_s, path)


def _is_open(folder_name: str, delivery_name: str) -> bool:
    """Whether songs may lie there: not in our own deliveries, nor in what is hidden."""
    return folder_name.casefold() != delivery_name.casefold() and not folder_name.startswith(".")


def _modified_s(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:  # gone since it was listed
        return None
