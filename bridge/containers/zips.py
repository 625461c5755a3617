"""Zip archives (PKWARE APPNOTE 6.3): whether the directory at the end is there and fits the files before."""

from __future__ import annotations

import struct

from bridge.containers import words
from bridge.containers.bytesource import ByteSource

MARK = b"PK\3\4"
_END_MARK, _END_BYTES, _MOST_COMMENT = b"PK\5\6", 22, 65_535
_LONG_MARK, _LONG_BYTES = b"PK\6\6", 56
_POINTER_MARK, _POINTER_BYTES = b"PK\6\7", 20
_ENTRY_MARK, _ENTRY_BYTES = b"PK\1\2", 46
_MOST_ENTRIES = 200_000
_DIRECTORY = "its directory at the end"


def lacking(source: ByteSource) -> str:
    """What an archive that begins with a file promises and does not hold."""
    window_start = max(0, source.size - _END_BYTES - _MOST_COMMENT)
    tail = source.at(window_start, source.size - window_start)
    place = tail.rfind(_END_MARK)
    if place < 0 or len(tail) - place < _END_BYTES:
        return words.without(_DIRECTORY)
    end = window_start + place
    size, offset, comment = struct.unpack("<IIH", tail[place + 12 : place + _END_BYTES])
    if end + _END_BYTES + comment > source.size:
        return words.too_short(end + _END_BYTES + comment, source.size)
    end, size, offset = _long(source, end, size, offset)
    if offset + size != end:  # another archive's end, which lies within this one
        return words.without(_DIRECTORY)
    return _lacking_files(source, offset, end)


def _long(source: ByteSource, end: int, size: int, offset: int) -> tuple[int, int, int]:
    """Where the directory ends, its bytes and its start, by the record of large archives if there is one."""
    pointer = source.at(end - _POINTER_BYTES, _POINTER_BYTES)
    if len(pointer) < _POINTER_BYTES or pointer[:4] != _POINTER_MARK:
        return end, size, offset
    place = struct.unpack("<Q", pointer[8:16])[0]
    record = source.at(place, _LONG_BYTES)
    if len(record) < _LONG_BYTES or record[:4] != _LONG_MARK:
        return end, size, offset
    size, offset = struct.unpack("<QQ", record[40:56])
    return place, size, offset


def _lacking_files(source: ByteSource, start: int, end: int) -> str:
    """What is wrong with the files that the directory names: each begins with its mark, before it."""
    first = start
    for _ in range(_MOST_ENTRIES):
        entry = source.at(start, _ENTRY_BYTES)
        if start >= end:
            return ""
        if len(entry) < _ENTRY_BYTES or entry[:4] != _ENTRY_MARK:
            return words.without(_DIRECTORY)
        size, _, names, extras, comment = struct.unpack("<IIHHH", entry[20:34])
        offset = int.from_bytes(entry[42:46], "little")
        if 0xFFFFFFFF not in (size, offset):
            if offset + size > first:
                return words.without(_DIRECTORY)
            if source.at(offset, 4) != MARK:
                return words.hollow(offset)
        start += _ENTRY_BYTES + names + extras + comment
    return ""
