"""Looks at a stranger's file in a worker process: what it is, and whether it is whole."""

from __future__ import annotations

from pathlib import Path

from bridge.values import Value


class Inspected(Value):
    """A file, or a folder of stems, as it was found."""

    path: Path
    size_bytes: int
    modified_ns: int
    inode: int
    sha256: str
    is_whole: bool
    """False where its container says that something is missing."""
    missing: str = ""
    """What is missing, for people."""
    is_stem_set: bool = False
