"""The .vstpreset container, bytes both ways, with no plug-in loaded.

Layout (Steinberg VST 3 SDK, "Preset Format"; all numbers little-endian):

    0   'VST3'      4  i32 version 1      8  class id, 32 hex digits in ASCII     40  i64 offset of the list
    48  chunks      list: 'List', i32 count, then count x {id[4], i64 offset, i64 size}

Hosts have been seen to accept damaged files and to crash on others, so the parser takes only what a writer
following the layout makes: chunks that fill the room between header and list without gap or overlap, the list
at the very end.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from presets.errors import PresetError
from presets.values import PresetValue

HEADER_BYTES: Final = 48
KNOWN_CHUNKS: Final = ("Comp", "Cont", "Prog", "Info")
"""Component state, controller state, program data, meta information."""
MOST_BYTES: Final = 64 << 20
"""Effects keep kilobytes, those with samples of rooms some megabytes."""
_MAGIC: Final = b"VST3"
_LIST_MAGIC: Final = b"List"
_VERSION: Final = 1
_LIST_HEAD: Final = struct.Struct("<4si")
_ENTRY: Final = struct.Struct("<4sqq")
_HEAD: Final = struct.Struct("<4si32sq")

ClassId = Annotated[str, Field(pattern="^[0-9A-F]{32}$")]


class Chunk(PresetValue):
    """One part of a preset."""

    id: str
    data: bytes

    @model_validator(mode="after")
    def _id_is_known(self) -> Self:
        if self.id not in KNOWN_CHUNKS:
            raise ValueError(f"a chunk id out of {', '.join(KNOWN_CHUNKS)}")
        return self


class VstPreset(PresetValue):
    """A preset: whose it is, and its chunks in file order, one of them ``Comp``."""

    class_id: ClassId
    """32 upper-case hex digits, as the plug-in's own files carry them."""
    chunks: tuple[Chunk, ...]

    @model_validator(mode="after")
    def _chunks_are_distinct(self) -> Self:
        ids = [chunk.id for chunk in self.chunks]
        if len(set(ids)) != len(ids) or "Comp" not in ids:
            raise ValueError("one chunk of each id, Comp among them")
        return self

    @classmethod
    def of_state(cls, class_id: str, state: bytes) -> Self:
        """A preset that holds a component state and an empty controller state."""
        return cls(class_id=class_id, chunks=(Chunk(id="Comp", data=state), Chunk(id="Cont", data=b"")))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The preset in a file; ``PresetError`` for one that cannot be read, is too large or not sound."""
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as cause:
            raise PresetError(
                f"{path} cannot be read ({cause.strerror}); wanted a .vstpreset file."
            ) from cause
        if len(data) > MOST_BYTES:
            raise PresetError(
                f"{path.name} has more than {MOST_BYTES >> 20} MiB; wanted a preset of an effect, "
                "which takes far less."
            )
        return cls.from_bytes(data, path.name)

    def chunk(self, chunk_id: str) -> bytes:
        """The data of that chunk; ``PresetError`` where there is none."""
        for chunk in self.chunks:
            if chunk.id == chunk_id:
                return chunk.data
        raise PresetError(f"The preset has no {chunk_id!r} chunk; it has {[c.id for c in self.chunks]}.")

    def for_windows(self) -> Self:
        """The same preset under the class id that the plug-in has on Windows."""
        return self.evolve(class_id=windows_class_id(self.class_id))

    def to_bytes(self) -> bytes:
        """The whole file."""
        body = b"".join(chunk.data for chunk in self.chunks)
        head = _HEAD.pack(_MAGIC, _VERSION, self.class_id.encode("ascii"), HEADER_BYTES + len(body))
        return head + body + _LIST_HEAD.pack(_LIST_MAGIC, len(self.chunks)) + self._entries()

    def _entries(self) -> bytes:
        entries, offset = [], HEADER_BYTES
        for chunk in self.chunks:
            entries.append(_ENTRY.pack(chunk.id.encode("ascii"), offset, len(chunk.data)))
            offset += len(chunk.data)
        return b"".join(entries)

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "preset") -> Self:
        """The preset in ``data``; ``PresetError``, naming ``source``, for anything but a sound file."""
        class_id, list_offset = _read_header(data, source)
        entries = _read_list(data, list_offset, source)
        _check_tiling(entries, list_offset, source)
        chunks = tuple(Chunk(id=name, data=data[start : start + size]) for name, start, size in entries)
        return cls(class_id=class_id, chunks=chunks)


def windows_class_id(class_id: str) -> str:
    """The class id as Windows builds write it: the first three GUID fields in the other byte order.

    It holds for plug-ins that build their id from four 32-bit words with the SDK's macro, such as all made
    with DPF; it is its own inverse.

    >>> windows_class_id("2046504473616C633250435A00000000")
    '445046206173636C3250435A00000000'
    """
    raw = bytes.fromhex(class_id)
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]).hex().upper()


def _refuse(source: str, found: str, wanted: str) -> PresetError:
    return PresetError(f"{source}: found {found}, wanted {wanted}. Save or copy the preset again.")


def _read_header(data: bytes, source: str) -> tuple[str, int]:
    if len(data) < HEADER_BYTES:
        raise _refuse(source, f"{len(data)} bytes", f"a header of {HEADER_BYTES}")
    magic, version, raw_id, list_offset = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise _refuse(source, f"{magic!r} at the start", f"{_MAGIC!r}, the mark of a .vstpreset")
    if version != _VERSION:
        raise _refuse(source, f"format version {version}", f"version {_VERSION}")
    return _checked_class_id(raw_id, source), _checked_list_offset(list_offset, len(data), source)


def _checked_class_id(raw: bytes, source: str) -> str:
    if all(digit in b"0123456789ABCDEF" for digit in raw):
        return raw.decode("ascii")
    raise _refuse(source, f"class id {raw!r}", "32 upper-case hex digits")


def _checked_list_offset(offset: int, length: int, source: str) -> int:
    if HEADER_BYTES <= offset <= length - _LIST_HEAD.size:
        return offset
    wanted = f"{HEADER_BYTES} to {length - _LIST_HEAD.size} in a file of {length} bytes"
    raise _refuse(source, f"the chunk list at byte {offset}", wanted)


def _read_list(data: bytes, offset: int, source: str) -> list[tuple[str, int, int]]:
    magic, count = _LIST_HEAD.unpack_from(data, offset)
    if magic != _LIST_MAGIC:
        raise _refuse(source, f"{magic!r} at byte {offset}", f"{_LIST_MAGIC!r}")
    if not 1 <= count <= len(KNOWN_CHUNKS):
        raise _refuse(source, f"a list of {count} chunks", f"1 to {len(KNOWN_CHUNKS)}")
    found, wanted = len(data) - offset - _LIST_HEAD.size, count * _ENTRY.size
    if found != wanted:
        raise _refuse(source, f"{found} bytes after the head of the list", f"{wanted} for {count} chunks")
    raw = [_ENTRY.unpack_from(data, offset + _LIST_HEAD.size + i * _ENTRY.size) for i in range(count)]
    return _checked_ids([(name.decode("latin-1"), start, size) for name, start, size in raw], source)


def _checked_ids(entries: list[tuple[str, int, int]], source: str) -> list[tuple[str, int, int]]:
    ids = [name for name, _, _ in entries]
    if len(set(ids)) != len(ids) or "Comp" not in ids or not set(ids) <= set(KNOWN_CHUNKS):
        raise _refuse(source, f"chunks {ids}", f"'Comp' and at most one more of each of {KNOWN_CHUNKS}")
    return entries


def _check_tiling(entries: list[tuple[str, int, int]], list_offset: int, source: str) -> None:
    """Each chunk starts where the one before ends, the last ends where the list starts."""
    expected = HEADER_BYTES
    for name, start, size in entries:
        if start != expected or not 0 <= size <= list_offset - start:
            wanted = f"byte {expected} and a size of 0 to {list_offset - expected}"
            raise _refuse(source, f"chunk {name!r} at byte {start} with {size} bytes", wanted)
        expected = start + size
    if expected != list_offset:
        raise _refuse(source, f"{list_offset - expected} bytes that belong to no chunk", "none")
