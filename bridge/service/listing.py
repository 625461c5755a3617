"""Lists what is in a watched folder: songs, folders of stems, notes that have lost their song."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bridge.config import Config, WatchedFolder
from bridge.service.marks import Mark, joined, look
from bridge.service.songs import (
    LIVE_PROJECT_INFO,
    MANIFEST,
    NOTE_SUFFIX,
    PARTIAL_NOTE_SUFFIX,
    PARTIAL_SUFFIXES,
    is_delivery,
    is_likely_stem_set,
    is_open_folder,
    is_song_name,
    kept_free,
    leads_to_delivery,
)


class Found(NamedTuple):
    """A song, or a folder of stems that is one."""

    path: Path
    mark: Mark


@dataclass
class Listing:
    """What was found in a folder and below."""

    found: list[Found] = field(default_factory=list)
    listed: list[Path] = field(default_factory=list)
    """Folders whose content is known now: what is not ``found`` directly in them is not there."""
    noted: list[Path] = field(default_factory=list)
    """Sources that have a note."""
    orphans: list[Path] = field(default_factory=list)
    """Sources that have a note and are gone."""
    partials: list[Path] = field(default_factory=list)
    """Notes that were never finished."""
    folders: int = 0


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What is looked at in one watched folder."""

    root: Path
    delivery_folder: str
    inboxes: Collection[str] = ()
    """Small names of folders that gather songs, so that they are no stem set: the recipes'."""
    nested: Collection[str] = ()
    """Paths of watched folders inside this one, which are somebody else's."""
    has_inodes: bool = True

    def may_hold_songs(self, folder: Path) -> bool:
        """Whether a folder below the root is one whose songs are taken, by all that is around it."""
        if not folder.is_relative_to(self.root):
            return False
        around = [folder, *folder.parents]
        inside = around[: around.index(self.root)]
        return not any(self._is_closed(one) for one in inside) and not is_delivery(self.root)

    def _is_closed(self, folder: Path) -> bool:
        is_in_project = (folder.parent / LIVE_PROJECT_INFO).is_dir()
        is_open = self.opens(folder.name, is_in_live_project=is_in_project)
        return not is_open or str(folder) in self.nested or folder.is_symlink() or is_delivery(folder)

    def opens(self, name: str, *, is_in_live_project: bool) -> bool:
        """Whether songs may lie in a folder of that name."""
        return is_open_folder(
            name, delivery_folder=self.delivery_folder, is_in_live_project=is_in_live_project
        )

    def may_be_stem_set(self, folder: Path, songs: Collection[str]) -> bool:
        """Whether songs of that names in a folder may be the stems of one."""
        return not self.is_inbox(folder) and is_likely_stem_set(songs)

    def is_inbox(self, folder: Path) -> bool:
        """Whether a folder gathers songs, so that it is never one itself."""
        return folder == self.root or folder.name.casefold() in self.inboxes


def rules_of(watched: WatchedFolder, config: Config) -> Rules:
    """What is looked at in a watched folder, by the settings."""
    others = (other.folder for other in config.watch.folders if other.folder != watched.folder)
    return Rules(
        root=watched.folder,
        delivery_folder=config.delivery.folder,
        inboxes=frozenset(name.casefold() for name in config.recipes),
        nested=frozenset(str(other) for other in others if other.is_relative_to(watched.folder)),
    )


def scan(folder: Path, rules: Rules, *, is_deep: bool = True) -> Listing:
    """List a folder, and those below it. OSError where the folder itself cannot be listed.

    Links to files are songs like others; links to folders are not followed. A folder below that cannot be
    listed is left out, and nothing is concluded from its silence.
    """
    listing = Listing()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            below = list(_list_one(here, rules, listing))
        except OSError:
            if here == folder:
                raise
            continue
        if is_deep:
            waiting.extend(below)
    return listing


def _list_one(folder: Path, rules: Rules, listing: Listing) -> Iterator[Path]:
    """Note what is directly in one folder; gives the folders in it that are to be listed."""
    files, links, folders = _entries(folder)
    listing.folders += 1
    if MANIFEST in files and is_delivery(folder):
        return
    listing.listed.append(folder)
    names = files | links | folders
    listing.found += _songs_in(folder, _marks(folder, files, links, names, rules), rules)
    for name in (name.removesuffix(NOTE_SUFFIX) for name in files if name.endswith(NOTE_SUFFIX)):
        (listing.noted if name in names else listing.orphans).append(folder / name)
    listing.partials += [
        folder / name for name in files if name.startswith(".") and name.endswith(PARTIAL_NOTE_SUFFIX)
    ]
    is_live_project = LIVE_PROJECT_INFO in folders
    for name in folders:
        path = folder / name
        if str(path) not in rules.nested and rules.opens(name, is_in_live_project=is_live_project):
            yield path


def song_at(path: Path, rules: Rules) -> Mark | None:
    """The mark of one song; None where there is none, or one that is still downloaded."""
    if not is_song_name(path.name) or any(os.path.lexists(f"{path}{suffix}") for suffix in PARTIAL_SUFFIXES):
        return None
    mark = look(path, has_inodes=rules.has_inodes)
    return None if mark is not None and path.is_symlink() and leads_to_delivery(str(path)) else mark


def _marks(folder: Path, files: set[str], links: set[str], names: set[str], rules: Rules) -> dict[str, Mark]:
    marks, free = {}, kept_free(names)
    for name in files | links:
        if not is_song_name(name) or name in free:
            continue
        path = os.path.join(folder, name)  # noqa: PTH118 - a Path for each of 10,000 files is slow
        mark = look(path, has_inodes=rules.has_inodes)
        if mark is not None and not (name in links and leads_to_delivery(path)):
            marks[name] = mark
    return marks


def _songs_in(folder: Path, marks: dict[str, Mark], rules: Rules) -> list[Found]:
    if rules.may_be_stem_set(folder, marks.keys()):
        return [Found(folder, joined(marks.items()))]
    return [Found(folder / name, mark) for name, mark in marks.items()]


def _entries(folder: Path) -> tuple[set[str], set[str], set[str]]:
    """Names of files, of links and of folders; a junction of Windows is a link to a folder."""
    files, links, folders = set[str](), set[str](), set[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            is_link = entry.is_symlink() or _is_junction(entry)
            is_folder = not is_link and entry.is_dir(follow_symlinks=False)
            (links if is_link else folders if is_folder else files).add(entry.name)
    return files, links, folders


def _is_junction(entry: os.DirEntry[str]) -> bool:
    if sys.platform != "win32":
        return False
    return entry.stat(follow_symlinks=False).st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
