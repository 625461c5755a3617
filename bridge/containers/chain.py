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
_MOST_FRAMES = 5_000_000
"""A day of sound."""
_MOST_TAGS = 100_000
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
    """The first frame within 64 KiB that another one, a tag or the end follows; None without one.

    At ``start`` itself it may also run past the end of the file.
    """
    place, end = start, min(source.size, start + _SEARCH_BYTES)
    while (place := source.find(b"\xff", place, end)) >= 0:
        length = frame_bytes(source.at(place, HEAD_BYTES))
        is_cut = place == start and place + length > source.size - HEAD_BYTES
        if length and (is_cut or _is_followed(source, place + length, frame_bytes)):
            return place
        place += 1
    return None


def _is_followed(source: ByteSource, place: int, frame_bytes: FrameBytes) -> bool:
    head = source.at(place, HEAD_BYTES)
    return place == source.size or bool(
        head and (frame_bytes(head) or is_tag(source.at(place, 12)) or not any(head))
    )


def walk(source: ByteSource, start: int, frame_bytes: FrameBytes) -> Chain:
    """Go from frame to frame, over tags and a little of what is neither, to the end or to where it breaks."""
    place = end = start
    frames = tags = skipped_bytes = 0
    while place < source.size:
        if length := frame_bytes(source.at(place, HEAD_BYTES)):
            if place + length > source.size:
                return Chain(frames=frames, end=end, lacking=words.CUT_FRAME)
            frames += 1
            end = place + length
        elif length := tag_bytes(source, place):
            tags += 1
        else:
            jump = _jump(source, place, frame_bytes)
            if isinstance(jump, str):
                return Chain(frames=frames, end=end, lacking=jump)
            skipped_bytes += (length := jump)
        place += length
        if frames > _MOST_FRAMES or tags > _MOST_TAGS or skipped_bytes > _MOST_SKIPPED_BYTES:
            return Chain(frames=frames, end=end, is_told=False)
    lacking = words.too_short(place, source.size) if place > source.size else ""
    return Chain(frames=frames, end=end, lacking=lacking)


def _jump(source: ByteSource, place: int, frame_bytes: FrameBytes) -> int | str:
    """Bytes to the next frame or the end; what is missing where there is none because it was not written."""
    if is_tag(source.at(place, 12)):
        return source.size - place  # a tag that does not state its length at its head
    if zeros := source.zeros_at(place):
        return zeros if zeros < words.PREALLOCATED_BYTES else words.hollow(place)
    rest = source.at(place, HEAD_BYTES)
    if len(rest) < HEAD_BYTES and rest[0] == 0xFF:
        return words.CUT_FRAME
    if (found := first_frame(source, place, frame_bytes)) is not None:
        return found - place
    hole = source.find(bytes(words.PREALLOCATED_BYTES), place, place + _SEARCH_BYTES)
    return min(_SEARCH_BYTES, source.size - place) if hole < 0 else words.hollow(hole)
