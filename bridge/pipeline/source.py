"""The song as it was when the work on it began, and whether it still is that song."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bridge.errors import SourceChangedError
from bridge.hashes import files_of, hash_source


class SourceMark(NamedTuple):
    """What a source was: its content, and the size and time of its file or files."""

    path: Path
    sha256: str
    files: dict[str, tuple[int, int]]
    """By path inside the folder, "." for a file: bytes, and when it was written, in nanoseconds."""


def mark_of(source: Path) -> SourceMark:
    """The source as it is now; its files are looked at before they are read, so that no change is missed."""
    files = _files(source)
    return SourceMark(source, hash_source(source), files)


def expect_unchanged(mark: SourceMark) -> None:
    """Let a source pass that is the same song still, or gone: what was read of it is whole.

    Raises:
        SourceChangedError: it holds something else now, so what was made is not of this song.
    """
    try:
        files = _files(mark.path)
        is_same = files == mark.files or (
            _sizes(files) == _sizes(mark.files) and hash_source(mark.path) == mark.sha256
        )
    except OSError:
        return
    if not is_same:
        raise SourceChangedError(
            f"{mark.path.name} changed while it was worked on, so what was made of it was not delivered. "
            "Once it is written for good, process it again; in a watched folder that happens by itself."
        )


def _files(source: Path) -> dict[str, tuple[int, int]]:
    if not source.is_dir():
        return {".": _state(source)}
    return {str(path.relative_to(source)): _state(path) for path in files_of(source)}


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _sizes(files: dict[str, tuple[int, int]]) -> dict[str, int]:
    return {name: size for name, (size, _) in files.items()}
