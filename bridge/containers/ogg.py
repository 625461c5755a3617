"""Ogg, page by page (RFC 3533): whether every stream has its end and the last page is all there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.containers import holes, words
from bridge.containers.bytesource import ByteSource, open_bytes

_HEAD_BYTES = 27
_MOST_PAGES = 2_000_000
_MOST_STREAMS = 1_000
_MOST_SKIPPED_BYTES = 1 << 20
_END = 4
"""The flag of a stream's last page."""


@dataclass(frozen=True)
class _Page:
    start: int
    size: int
    stream: bytes
    is_end: bool


def is_ogg_whole(path: Path) -> bool:
    """Whether all pages of an Ogg file are there and every stream in it has its end."""
    with open_bytes(path) as source:
        return not lacking(source)


def lacking(source: ByteSource) -> str:
    """What an Ogg file promises and does not hold."""
    has_ended: dict[bytes, bool] = {}
    place = skipped = 0
    last: _Page | None = None
    for _ in range(_MOST_PAGES):
        page = _page(source, place)
        if page is not None:
            if page.start + page.size > source.size:
                return words.too_short(page.start + page.size, source.size)
            has_ended[page.stream] = page.is_end
            place, last = page.start + page.size, page
            if len(has_ended) > _MOST_STREAMS:
                return ""
            continue
        zeros = source.zeros_at(place)
        if zeros >= words.PREALLOCATED_BYTES:
            return words.hollow(place)
        found = source.find(b"OggS\0", place + 1, place + _MOST_SKIPPED_BYTES)
        skipped += found - place
        if found < 0 or skipped > _MOST_SKIPPED_BYTES:
            break
        place = found
    return _lacking_end(source, place, last, has_ended)


def _page(source: ByteSource, start: int) -> _Page | None:
    """The page at ``start``, also one that is cut; None where there is none."""
    head = source.at(start, _HEAD_BYTES + 255)
    if head[:5] != b"OggS\0":
        return None
    if len(head) < _HEAD_BYTES:
        return _Page(start, _HEAD_BYTES, b"", False)
    laces = head[_HEAD_BYTES : _HEAD_BYTES + head[26]]
    return _Page(start, _HEAD_BYTES + head[26] + sum(laces), head[14:18], bool(head[5] & _END))


def _lacking_end(source: ByteSource, place: int, last: _Page | None, has_ended: dict[bytes, bool]) -> str:
    rest = source.at(place, 5)
    is_cut_mark = 0 < len(rest) < 5 and b"OggS\0".startswith(rest)
    if last is None or is_cut_mark or not all(has_ended.values()):
        return words.without("the mark of the stream's end")
    if not _is_sound(source, last):
        return words.hollow(last.start)
    return holes.lacking_between(source, 0, source.size)


def _is_sound(source: ByteSource, page: _Page) -> bool:
    """Whether the page's checksum fits: the last one of a file whose room was reserved may be half there."""
    data = bytearray(source.at(page.start, page.size))
    stated = int.from_bytes(data[22:26], "little")
    data[22:26] = bytes(4)
    return _crc(data) == stated


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
        table.append(value)
    return tuple(table)


_CRC32 = _crc_table()


def _crc(data: bytearray) -> int:
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _CRC32[value >> 24 ^ byte]
    return value
