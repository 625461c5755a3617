"""What is no song, by name and place: unfinished downloads, what systems and syncing leave, our output."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePath

from bridge.naming import parse_name
from bridge.stemset import role_of
from bridge.values import AUDIO_SUFFIXES

SONG_SUFFIXES = AUDIO_SUFFIXES | {".zip"}

PARTIAL_SUFFIXES = frozenset({
    ".crdownload", ".part", ".partial", ".download", ".opdownload", ".tmp", ".temp", ".filepart", ".aria2",
    ".!ut", ".!qb", ".!sync", ".bc!", ".dtapart", ".downloading", ".unfinished", ".ytdl",
})  # fmt: skip
"""What browsers and download tools put behind a name until the file is whole."""

INNER_PARTIAL_SUFFIXES = frozenset({".tmp", ".temp", ".partial", ".crdownload", ".filepart"})
"""The same before the last suffix: "Song.temp.mp3"."""

NOTE_SUFFIX = ".stembridge.txt"
PARTIAL_NOTE_SUFFIX = ".stembridge.tmp"
MANIFEST = "manifest.json"
MANIFEST_MARK = "stembridge/manifest/"
LIVE_PROJECT_INFO = "Ableton Project Info"

_PREFIXES = (".", "~$", "~syncthing~")
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_SYSTEM_FOLDERS = frozenset({
    "__macosx", "$recycle.bin", "system volume information", "lost+found", "@eadir", "#recycle", "#snapshot",
    "ableton project info",
})  # fmt: skip
_PACKAGES = (".download", ".crdownload", ".part", ".partial", ".tmp", ".logicx", ".band", ".app")
"""Folders that are one thing: Safari keeps a download in "Song.mp3.download/", Logic a project."""
_LIVE_FOLDERS = frozenset({"samples", "backup", "ableton project info"})
_NUMBER = re.compile(r"^\d{1,2}(?:\s*[._-]\s*|\s+)(?=\D)")


def is_song_name(name: str) -> bool:
    """Whether a file of that name may be a song."""
    base, dot, last = name.lower().rpartition(".")
    if not dot or "." + last not in SONG_SUFFIXES or _is_systems(name):
        return False
    return "." + base.rpartition(".")[2] not in INNER_PARTIAL_SUFFIXES


def kept_free(names: Iterable[str]) -> set[str]:
    """The names under which what is downloaded into a folder will be put when it is whole.

    Firefox puts an empty "Song.mp3" beside "Song.mp3.part": it is no song while the second is there.
    """
    parts = (name.rpartition(".") for name in names)
    return {base for base, dot, last in parts if dot + last.lower() in PARTIAL_SUFFIXES}


def is_open_folder(name: str, *, delivery_folder: str, is_in_live_project: bool = False) -> bool:
    """Whether songs may lie in a folder of that name.

    The samples of a Live project are none: "Collect All and Save" copies delivered stems there.
    """
    small = name.casefold()
    if _is_systems(name) or small in _SYSTEM_FOLDERS or small.endswith(_PACKAGES):
        return False
    if is_in_live_project and small in _LIVE_FOLDERS:
        return False
    return small != delivery_folder.casefold()


def _is_systems(name: str) -> bool:
    small = name.casefold()
    return small.startswith(_PREFIXES) or small in _SYSTEM_FILES or small.endswith(".icloud")


def is_delivery(folder: str | Path) -> bool:
    """Whether a folder holds a manifest of ours, so that everything below it is our own output."""
    manifest = Path(folder, MANIFEST)
    try:
        if not manifest.is_file():
            return False
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and str(content.get("format", "")).startswith(MANIFEST_MARK)


def leads_to_delivery(link: str) -> bool:
    """Whether a link ends in a delivery, wherever that lies."""
    return any(is_delivery(folder) for folder in Path(os.path.realpath(link)).parents)


def is_likely_stem_set(names: Collection[str]) -> bool:
    """Whether the audio files of a folder look like the stems of one song; a worker then knows for sure."""
    stems = sum(map(_is_likely_stem, names))
    return stems >= 2 and len(names) - stems <= max(1, stems // 2)


def _is_likely_stem(name: str) -> bool:
    if PurePath(name).suffix.lower() not in AUDIO_SUFFIXES:
        return False
    text = _NUMBER.sub("", PurePath(name).stem.strip())
    parts = re.split(r"\s+-\s+|_|-", text)
    return bool(role_of(text) or parse_name(name).stem or (len(parts) > 1 and role_of(parts[-1])))
