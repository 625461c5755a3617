"""Chunks of a WAV or RF64 file, seen as places for tags."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LONG_SIZE = 0xFFFF_FFFF
_MOST_BYTES = 32_000_000
"""No honest tag is larger; larger ones are not read."""


@dataclass(frozen=True)
class Chunk:
    """A chunk: its name and where its body lies."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.start + self.size + self.size % 2


def is_wave(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is a WAV, RF64 or BW64."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """The chunks of the file, in order; the last may promise more than there is."""
    end = os.fstat(file.fileno()).st_size
    start = 12
    long_size = 0
    while start + 8 <= end:
        file.seek(start)
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"ds64" and size >= 16:
            long_size = struct.unpack("<8xQ", file.read(16))[0]
        if size == LONG_SIZE and name == b"data":
            size = long_size or max(0, end - start - 8)
        chunk = Chunk(name, start + 8, size)
        yield chunk
        start = chunk.end


def body(file: BinaryIO, chunk: Chunk) -> bytes:
    """The bytes in a chunk; none where it is too large for a tag."""
    if chunk.size > _MOST_BYTES:
        return b""
    file.seek(chunk.start)
    return file.read(chunk.size)


def is_id3(chunk: Chunk) -> bool:
    """Whether the chunk holds an ID3 tag; writers spell its name both ways."""
    return chunk.name in (b"id3 ", b"ID3 ")


def is_info(file: BinaryIO, chunk: Chunk) -> bool:
    """Whether the chunk is a LIST of INFO."""
    return chunk.name == b"LIST" and body(file, Chunk(chunk.name, chunk.start, min(4, chunk.size))) == b"INFO"


def pack(name: bytes, content: bytes) -> bytes:
    """A chunk with its pad byte."""
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)
