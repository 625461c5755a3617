"""A file's bytes by their place, read in small blocks: past the end there is nothing, and no error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_BLOCK_BYTES = 16_384
_SEARCH_BYTES = 65_536


class ByteSource:
    """Bytes of an open file, from anywhere; ``size`` is the one that it had when this was made."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._block = b""
        self._block_start = 0
        self.size = file.seek(0, os.SEEK_END)

    def at(self, start: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``start`` on; fewer at the end, none past it."""
        if start < 0 or start >= self.size or count <= 0:
            return b""
        offset = start - self._block_start
        if not 0 <= offset <= len(self._block) - count:
            self._load(start, count)
            offset = 0
        return self._block[offset : offset + count]

    def number(self, start: int, count: int) -> int:
        """The big-endian number at ``start``; bytes past the end count as none."""
        return int.from_bytes(self.at(start, count), "big")

    def find(self, wanted: bytes, start: int, end: int) -> int:
        """The first place of ``wanted`` that begins in ``start`` up to ``end``; -1 where it does not."""
        while start < end:
            data = self.at(start, min(_SEARCH_BYTES, end - start) + len(wanted) - 1)
            if (place := data.find(wanted)) >= 0:
                return start + place
            if len(data) < len(wanted):
                return -1
            start += len(data) - len(wanted) + 1
        return -1

    def zeros_at(self, start: int) -> int:
        """How many zero bytes follow one another from ``start`` on."""
        place = start
        while data := self.at(place, _SEARCH_BYTES):
            rest = data.lstrip(b"\0")
            place += len(data) - len(rest)
            if rest:
                break
        return place - start

    def _load(self, start: int, count: int) -> None:
        self._file.seek(start)
        self._block_start = start
        self._block = self._file.read(max(count, min(_BLOCK_BYTES, self.size - start)))


@contextmanager
def open_bytes(path: Path) -> Iterator[ByteSource]:
    """The bytes of the file at ``path``; OSError where it cannot be opened."""
    with path.open("rb") as file:
        yield ByteSource(file)
