"""Stretches of zeros in sound that is coded: room that was reserved and never filled."""

from __future__ import annotations

from bridge.containers import words
from bridge.containers.bytesource import ByteSource

_HOLE_BYTES = 32_768


def lacking_between(source: ByteSource, start: int, end: int) -> str:
    """What is missing where zeros fill 64 KiB of ``start`` to ``end``, and often where they fill half of it.

    No coder of sound writes so many, but a program that fills a file out of order leaves them.
    """
    for place in range(start, min(end, source.size) - _HOLE_BYTES + 1, _HOLE_BYTES):
        if not source.at(place, _HOLE_BYTES).strip(b"\0"):
            return words.hollow(place)
    return ""
