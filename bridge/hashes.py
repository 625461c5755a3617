"""Hashes: what names content."""

from __future__ import annotations

import hashlib
from pathlib import Path

SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_source(source: Path) -> str:
    """SHA-256, hexadecimal, of a file's bytes, or of the names and bytes of all files in a folder."""
    return _hash_folder(source) if source.is_dir() else hash_file(source)


def files_of(folder: Path) -> list[Path]:
    """The files in a folder and below that somebody put there, sorted.

    What systems leave behind (.DS_Store, Thumbs.db) does not count: a look at a folder changes no song.
    """
    return sorted(path for path in folder.rglob("*") if path.is_file() and not _is_systems(path))


def _is_systems(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in SYSTEM_FILES


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256(b"folder")
    for path in files_of(folder):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        digest.update(bytes.fromhex(hash_file(path)))
    return digest.hexdigest()
