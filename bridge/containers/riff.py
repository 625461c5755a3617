"""WAV, RF64, BW64 and AIFF as chunks.

Sources: RIFF/WAVE (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0"), RF64 (EBU Tech
3306), BW64 (ITU-R BS.2088), AIFF and AIFF-C (Apple, 1991).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bridge.containers import words
from bridge.containers.bytesource import ByteSource

UNKNOWN_SIZE = 0xFFFFFFFF
OPEN_SIZES = frozenset({UNKNOWN_SIZE, 0x7FFFFFFF, 0x7FFFF000})
"""What FFmpeg, SoX and others write for the size when they write into a pipe and cannot know it."""
SLIP_S = 0.01
"""A header may miscount by this much; writers exist that count a pad byte or the header itself."""
_SLIP_BYTES = 64
"""The same for the size of all, where it fits that of the sound: then the two do not miscount by chance."""
_MOST_CHUNKS = 100_000
_PLAIN_CODINGS = frozenset(
    {b"NONE", b"twos", b"sowt", b"in24", b"in32", b"fl32", b"FL32", b"fl64", b"FL64", b"raw "}
)


@dataclass(frozen=True)
class Chunk:
    """A chunk: its name, and where its body lies if the file is whole."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where its body ends."""
        return self.start + self.size


def is_wave(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is a WAV, RF64 or BW64."""
    return head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"


def is_aiff(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is an AIFF or AIFC."""
    return head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")


def chunks(source: ByteSource, order: str) -> Iterator[Chunk]:
    """The chunks after the form's head, also one that runs past the end; ``order`` is "<" or ">"."""
    start = 12
    for _ in range(_MOST_CHUNKS):
        head = source.at(start, 8)
        if len(head) < 8:
            return
        name, size = struct.unpack(order + "4sI", head)
        yield Chunk(name, start + 8, size)
        start += 8 + size
        # the pad byte is zero and no name begins so: writers that leave it out are read all the same
        start += size % 2 and source.at(start, 1) == b"\0"


def is_followed_by_chunk(source: ByteSource, chunk: Chunk) -> bool:
    """Whether after a chunk comes the end or another one, not samples that nobody counted."""
    name = source.at(chunk.end, 8)[:4]
    return not name or (len(name) == 4 and name.isascii() and name.decode("ascii").isprintable())


def extended(number: bytes) -> int:
    """An 80-bit IEEE 754 extended number, as AIFF writes its rate, to the nearest integer."""
    exponent, mantissa = struct.unpack(">HQ", number)
    shift = (exponent & 0x7FFF) - 16383 - 63
    if not -64 <= shift <= 0:
        return 0
    return int((mantissa + (1 << -shift >> 1)) >> -shift)


def lacking_wave(source: ByteSource) -> str:
    """What a WAV, RF64 or BW64 promises and the file does not hold."""
    form_end, slip = _form_end(source, "little"), 0.0
    long_data_bytes = None
    last = Chunk(b"", 12, 0)
    for last in chunks(source, "<"):
        body = source.at(last.start, min(last.size, 16))
        if last.name == b"ds64" and len(body) == 16:
            long_form_bytes, long_data_bytes = struct.unpack("<QQ", body)
            form_end = long_form_bytes + 8
        elif last.name == b"fmt " and len(body) == 16:
            slip = SLIP_S * struct.unpack("<I", body[8:12])[0]
        elif last.name == b"data":
            return _lacking_samples(source, last, form_end, long_data_bytes, slip)
    return _without_samples(source, last, form_end)


def _lacking_samples(
    source: ByteSource, data: Chunk, form_end: int, long_data_bytes: int | None, slip: float
) -> str:
    if data.size in OPEN_SIZES and (data.size == UNKNOWN_SIZE or data.end > source.size):
        return "" if long_data_bytes is None else _short(source, data.start + long_data_bytes, form_end, slip)
    if data.size == 0 and not is_followed_by_chunk(source, data):
        return words.NEVER_FINISHED
    return _short(source, data.end, form_end, slip)


def lacking_aiff(source: ByteSource) -> str:
    """What an AIFF or AIFC promises and the file does not hold."""
    common, samples = b"", None
    last = Chunk(b"", 12, 0)
    for last in chunks(source, ">"):
        if last.name == b"COMM":
            common = source.at(last.start, min(last.size, 22))
        elif last.name == b"SSND":
            samples = last
    form_end = _form_end(source, "big")
    if samples is None or len(common) < 18:
        return _without_samples(source, last, form_end)
    frames, byte_rate, sound_bytes = _sound(common)
    if frames == 0 and not is_followed_by_chunk(source, samples):
        return words.NEVER_FINISHED
    sound_end = samples.start + 8 + source.number(samples.start, 4) + sound_bytes
    samples_end = 0 if samples.size in OPEN_SIZES else samples.end
    return _short(source, max(sound_end, samples_end), form_end, SLIP_S * byte_rate)


def _sound(common: bytes) -> tuple[int, int, int]:
    """Frames, bytes a second and bytes in all, the latter 0 where samples are compressed."""
    channels, frames, bits = struct.unpack(">HIH", common[:8])
    if (common[18:22] or b"NONE") not in _PLAIN_CODINGS:
        return frames, 0, 0
    frame_bytes = channels * ((bits + 7) // 8)
    return frames, frame_bytes * extended(common[8:18]), frames * frame_bytes


def _form_end(source: ByteSource, order: Literal["little", "big"]) -> int:
    """Where all ends by the size in the form's head; 0 where it leaves that open."""
    size = int.from_bytes(source.at(4, 4), order)
    return 0 if size in OPEN_SIZES else size + 8


def _short(source: ByteSource, sound_end: int, form_end: int, slip: float) -> str:
    """Whether the file ends before its sound, or its form, by more than headers miscount."""
    lacks_form = form_end >= sound_end and form_end - source.size > _SLIP_BYTES
    lacks_sound = sound_end - source.size > max(_SLIP_BYTES, slip)
    return words.too_short(max(sound_end, form_end), source.size) if lacks_form or lacks_sound else ""


def _without_samples(source: ByteSource, last: Chunk, form_end: int) -> str:
    """A file without sound may be whole all the same, if nothing was cut away."""
    end = max(last.end, form_end)
    if end > source.size:
        return words.too_short(end, source.size)
    return words.without("its sound") if last.end + last.size % 2 < source.size else ""
