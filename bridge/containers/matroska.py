"""Matroska and WebM as elements (RFC 9559, EBML: RFC 8794): whether the segment is all there."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.containers import holes, words
from bridge.containers.bytesource import ByteSource

MARK = b"\x1a\x45\xdf\xa3"
_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_MOST_ELEMENTS = 500_000


@dataclass(frozen=True)
class _Element:
    name: int
    start: int
    end: int | None
    """None where its size was left open, as live recordings do."""


def _element(source: ByteSource, place: int) -> _Element | None:
    head = source.at(place, 12)
    name_bytes = _coded_bytes(head[:1])
    size_bytes = _coded_bytes(head[name_bytes : name_bytes + 1])
    if not 1 <= name_bytes <= 4 or not 1 <= size_bytes <= 8 or len(head) < name_bytes + size_bytes:
        return None
    start = place + name_bytes + size_bytes
    coded = int.from_bytes(head[name_bytes : name_bytes + size_bytes], "big")
    size = coded & (1 << 7 * size_bytes) - 1
    is_open = size == (1 << 7 * size_bytes) - 1
    return _Element(int.from_bytes(head[:name_bytes], "big"), start, None if is_open else start + size)


def _coded_bytes(first: bytes) -> int:
    """Bytes of the number that begins so: as many as its first byte has leading zeros, and one."""
    return 9 - first[0].bit_length() if first else 9


def lacking(source: ByteSource) -> str:
    """What a Matroska file promises and does not hold; a segment of open size does not tell."""
    place = 0
    for _ in range(_MOST_ELEMENTS):
        element = _element(source, place)
        if element is None:
            return words.without("its sound") if place < source.size else ""
        if element.end is None:
            return ""
        if element.end > source.size:
            return words.too_short(element.end, source.size)
        if element.name == _SEGMENT:
            return _hollow_within(source, element.start, element.end)
        place = element.end
    return ""


def _hollow_within(source: ByteSource, start: int, end: int) -> str:
    """Zeros where an element of the segment is due, or within its clusters."""
    first, last = end, start
    for _ in range(_MOST_ELEMENTS):
        element = _element(source, start) if start < end else None
        if element is None or element.end is None:
            break
        if element.name == _CLUSTER:
            first, last = min(first, start), element.end
        start = element.end
    if start < end and not any(source.at(start, 16)):
        return words.hollow(start)
    return holes.lacking_between(source, first, last)
