"""Finds the newest song in the watched folders that is finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from bridge.config import Config, WatchedFolder
from bridge.errors import InputError
from bridge.jobs import SeenFile
from bridge.service import Service
from bridge.service.listing import Found, rules_of, scan
from bridge.service.marks import Mark, look

MAX_LOOKED_INTO: Final = 8
"""Newest songs whose content is looked at, before it is said that there is no whole one."""
_NS_PER_S: Final = 1e9


class Whole(NamedTuple):
    """A finished song, or a folder of the stems of one, and its content's hash."""

    path: Path
    sha256: str


def newest_song(service: Service, clock: Callable[[], float] = time.time) -> Whole | None:
    """The newest whole song that did not change for the quiet time; None where there is none.

    Songs are what the folder door takes for songs. One that still grows is passed over, as is one that is cut
    off, and a folder whose files look like stems and are not those of one song.
    """
    config, now_s = service.config, clock()
    listed = {found for folder in config.watch.folders for found in _songs_in(folder, config)}
    newest_first = sorted(listed, key=lambda found: (found.mark.modified_ns, found.path), reverse=True)
    quiet = (found for found in newest_first if not 0 <= now_s - _modified_s(found) < config.watch.quiet_s)
    for path, mark in islice(quiet, MAX_LOOKED_INTO):
        sha256 = _sha256_if_whole(service, path, mark)
        if sha256:
            return Whole(path, sha256)
    return None


def known_sha256(service: Service, path: Path) -> str:
    """The hash of a file that was seen before and is as it was; "" where it has to be read."""
    mark = look(path)
    seen = _seen_as_it_is(service, path, mark) if mark else None
    return seen.sha256 if seen else ""


def _songs_in(folder: WatchedFolder, config: Config) -> list[Found]:
    try:
        return scan(folder.folder, rules_of(folder, config)).found
    except OSError:  # away, as a disk that is not plugged in
        return []


def _modified_s(found: Found) -> float:
    return found.mark.modified_ns / _NS_PER_S


def _sha256_if_whole(service: Service, path: Path, mark: Mark) -> str:
    seen = _seen_as_it_is(service, path, mark)
    if seen is not None and (seen.refused or seen.sha256):
        return "" if seen.refused else seen.sha256
    try:
        inspected = service.inspect(path)
    except InputError:
        return ""
    return inspected.sha256 if inspected.is_whole else ""


def _seen_as_it_is(service: Service, path: Path, mark: Mark) -> SeenFile | None:
    """What the ledger knows of a song, unless it changed since."""
    seen = service.files.seen(path)
    if seen is None:
        return None
    return seen if mark.is_same(Mark(seen.size_bytes, seen.modified_ns, seen.inode)) else None
