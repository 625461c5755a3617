"""Files that were seen: what the service knows of a file across restarts, without reading it again."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bridge.values import Value


class SeenFile(Value):
    """A file as it was when it was looked at, and what came of it."""

    path: Path
    size_bytes: int
    modified_ns: int
    inode: int
    sha256: str
    job_id: str = ""
    """The job that it became; "" where it became none."""
    refused: str = ""
    """Why it became none, for people."""


class FileLedger(Protocol):
    """Remembers files by path; everything that a method changed is durable when it returns."""

    def seen(self, path: Path) -> SeenFile | None:
        """The file as it was last time; None where it was never seen."""
        ...

    def seen_under(self, folder: Path) -> tuple[SeenFile, ...]:
        """All files that were seen in a folder and below."""
        ...

    def remember(self, file: SeenFile) -> None:
        """Note a file, in place of what was noted of its path."""
        ...

    def forget(self, path: Path) -> None:
        """Note nothing of a path any more."""
        ...
