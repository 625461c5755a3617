"""Files that are one frame after another, each stating its own length: MP3 and ADTS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.containers import words
from bridge.containers.bytesource import ByteSource
from bridge.containers.tagging import is_tag, tag_bytes

FrameBytes = Callable[[bytes], int]
"""Bytes of the frame that begins with this head of ``HEAD_BYTES``; 0 where none does."""

HEAD_BYTES = 7
_MOST_FRAMES = 20_000_000
_MOST_SKIPPED_BYTES = 1 << 20
_SEARCH_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Chain:
    """What a walk from frame to frame found."""

    frames: int
    end: int
    """Where the last frame that is all there ends."""
    lacking: str = ""
    """What broke the chain, for people; "" where it reached the end, or ran into what is no frame."""
    is_told: bool = True
    """False where it ran into what nobody can tell."""


def first_frame(source: ByteSource, start: int, frame_bytes: FrameBytes) -> int | None:
    """The first frame within 64 KiB that another one, a tag or the end follows; None without one."""
    end = min(source.size, start + _SEARCH_BYTES)
    while (start := source.find(b"\xff", start, end)) >= 0:
        if (length := frame_bytes(source.at(start, HEAD_BYTES))) and _is_followed(
            source, start + length, frame_bytes
        ):
            return start
        start += 1
    return None


def _is_followed(source: ByteSource, place: int, frame_bytes: FrameBytes) -> bool:
    head = source.at(place, HEAD_BYTES)
    return len(head) < HEAD_BYTES or bool(frame_bytes(head)) or is_tag(source.at(place, 12)) or not any(head)


def walk(source: ByteSource, start: int, frame_bytes: FrameBytes) -> Chain:
    """Go from frame to frame, over tags and a little of what is neither, to the end or to where it breaks."""
    place = end = start
    skipped = 0
    for frames in range(_MOST_FRAMES):
        while place < source.size and not (length := frame_bytes(source.at(place, HEAD_BYTES))):
            jump = _jump(source, place, frame_bytes)
            if isinstance(jump, str):
                return Chain(frames=frames, end=end, lacking=jump)
            skipped += jump if not is_tag(source.at(place, 12)) else 0
            place += jump
            if skipped > _MOST_SKIPPED_BYTES:
                return Chain(frames=frames, end=end, is_told=False)
        if place >= source.size:
            lacking = words.too_short(place, source.size) if place > source.size else ""
            return Chain(frames=frames, end=end, lacking=lacking)
        if place + length > source.size:
            return Chain(frames=frames, end=end, lacking=_cut_frame(place + length - source.size))
        place = end = place + length
    return Chain(frames=_MOST_FRAMES, end=end, is_told=False)


def _jump(source: ByteSource, place: int, frame_bytes: FrameBytes) -> int | str:
    """Bytes to the next frame, tag or end; what is missing where there is none because it was not written."""
    if length := tag_bytes(source, place):
        return length
    if is_tag(source.at(place, 12)):
        return source.size - place  # its length is not stated at its head
    if zeros := source.zeros_at(place):
        return zeros if zeros < words.PREALLOCATED_BYTES else words.hollow(place)
    rest = source.at(place, HEAD_BYTES)
    if len(rest) < HEAD_BYTES and rest[0] == 0xFF:
        return _cut_frame(HEAD_BYTES - len(rest))
    found = first_frame(source, place + 1, frame_bytes)
    return min(_SEARCH_BYTES, source.size - place) if found is None else found - place


def _cut_frame(missing_bytes: int) -> str:
    return f"its last frame lacks at least {missing_bytes:,} bytes: {words.UNFINISHED}"
