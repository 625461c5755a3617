"""Hashes: what names content."""

from __future__ import annotations

import hashlib
from pathlib import Path


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_source(source: Path) -> str:
    """SHA-256, hexadecimal, of a file's bytes, or of the names and bytes of all files in a folder."""
    return _hash_folder(source) if source.is_dir() else hash_file(source)


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256(b"folder")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        digest.update(bytes.fromhex(hash_file(path)))
    return digest.hexdigest()
