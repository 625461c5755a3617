"""FLAC: whether its last frame reaches the length that STREAMINFO states (RFC 9639)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bridge.containers import holes, words
from bridge.containers.bytesource import ByteSource
from bridge.containers.tagging import is_tag

_MOST_BLOCKS = 100_000
_MOST_CANDIDATES = 4_096
_MOST_TRIALS = 4
_STREAMINFO_BYTES = 34
_HEADER_BYTES = 17
_BLOCK_SIZES = {1: 192, **{n: 576 << n - 2 for n in range(2, 6)}, **{n: 256 << n - 8 for n in range(8, 16)}}


def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << bits - 1, (1 << bits) - 1
    table = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
        table.append(value)
    return tuple(table)


_CRC8 = _crc_table(0x07, 8)
_CRC16 = _crc_table(0x8005, 16)


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """What STREAMINFO states."""

    block_frames: int
    """Frames of every block but the last, where blocks have a fixed size."""
    most_block_frames: int
    most_frame_bytes: int
    rate_hz: int
    frames: int
    """Length of the song; 0 where it was not known when the header was written."""

    @classmethod
    def parse(cls, body: bytes) -> StreamInfo:
        """From the block's 34 bytes."""
        packed = int.from_bytes(body[10:18], "big")
        most_frames = int.from_bytes(body[2:4], "big")
        channels, bits = (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
        return cls(
            block_frames=int.from_bytes(body[:2], "big"),
            most_block_frames=most_frames,
            # a coder that saves nothing writes the samples as they are, those of a side channel a bit wider
            most_frame_bytes=most_frames * channels * (bits + 1) // 8 + 64,
            rate_hz=packed >> 44,
            frames=packed & 0xF_FFFF_FFFF,
        )


def flac_frames(streaminfo: bytes) -> int | None:
    """The length that a FLAC's STREAMINFO states; None where it was not known."""
    return StreamInfo.parse(streaminfo).frames or None if len(streaminfo) >= 18 else None


def lacking(source: ByteSource, start: int) -> str:
    """What a FLAC whose mark lies at ``start`` promises and the file does not hold."""
    place, info = start + 4, None
    for _ in range(_MOST_BLOCKS):
        head = source.at(place, 4)
        if len(head) < 4:
            return words.too_short(place + 4, source.size)
        size = int.from_bytes(head[1:], "big")
        if head[0] & 127 == 0 and info is None:
            info = StreamInfo.parse(source.at(place + 4, min(size, _STREAMINFO_BYTES)))
        place += 4 + size
        if place > source.size:
            return words.too_short(place, source.size)
        if head[0] & 128:
            break
    if info is None:
        return ""
    return _lacking_end(source, place, info) or holes.lacking_between(
        source, place, source.size - _tail_bytes(source)
    )


def _lacking_end(source: ByteSource, start: int, info: StreamInfo) -> str:
    window_start = max(start, source.size - 2 * info.most_frame_bytes - _tail_bytes(source))
    tail = source.at(window_start, source.size - window_start)
    found = list(islice(_frames_backwards(tail, info), _MOST_TRIALS))
    if any(end >= info.frames and _ends_whole(tail[place:]) for place, end in found):
        return ""
    return _words(source, info, max((end for _, end in found), default=0), start)


def _tail_bytes(source: ByteSource) -> int:
    """Bytes of the tags at the end that other formats use and that FLAC files carry now and then."""
    footer = source.at(source.size - 32, 32)
    if footer[:8] == b"APETAGEX":
        return min(1 << 22, 32 + int.from_bytes(footer[12:16], "little"))
    return 128


def _words(source: ByteSource, info: StreamInfo, reached: int, start: int) -> str:
    if not info.frames:
        return words.CUT_FRAME if source.size > start else ""
    if reached >= info.frames:
        return words.CUT_FRAME
    if reached:
        return words.too_few_seconds(info.frames / max(1, info.rate_hz), reached / max(1, info.rate_hz))
    return words.without("its last frame")


def _frames_backwards(data: bytes, info: StreamInfo) -> Iterator[tuple[int, int]]:
    """Places of frames, last first, each with the frame of the song at which it ends."""
    place = len(data)
    for _ in range(_MOST_CANDIDATES):
        place = data.rfind(b"\xff", 0, place)
        if place < 0:
            return
        end_frame = _end_frame(data[place : place + _HEADER_BYTES], info)
        if end_frame is not None:
            yield place, end_frame


def _end_frame(head: bytes, info: StreamInfo) -> int | None:
    """The frame of the song at which the FLAC frame with this header ends; None where it is no header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[2] & 15 == 15 or head[3] & 1 or head[3] >> 4 > 10:
        return None
    number, place = _coded_number(head, 4)
    size_code, rate_code = head[2] >> 4, head[2] & 15
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    size = _BLOCK_SIZES.get(size_code) or int.from_bytes(head[place : place + size_bytes], "big") + 1
    place += size_bytes + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number is None or size_code == 0 or place >= len(head) or _crc(_CRC8, 8, head[:place]) != head[place]:
        return None
    return size + (number if head[1] & 1 else number * (info.block_frames or info.most_block_frames))


def _coded_number(head: bytes, place: int) -> tuple[int | None, int]:
    """A number coded like a letter of UTF-8, of up to seven bytes, and where the next field begins."""
    first = head[place]
    ones = 8 - (first ^ 255).bit_length()
    if ones in (1, 8):
        return None, place
    number = first & (127 >> ones)
    for byte in head[place + 1 : place + max(1, ones)]:
        if byte >> 6 != 2:
            return None, place
        number = number << 6 | byte & 63
    return number, place + max(1, ones)


def _crc(table: tuple[int, ...], bits: int, data: bytes) -> int:
    value, mask = 0, (1 << bits) - 1
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> bits - 8 ^ byte]
    return value


def _ends_whole(data: bytes) -> bool:
    """Whether a frame that begins here ends at the end, or where zeros or a tag begin.

    A frame with its own checksum behind it has the checksum 0, and zeros that follow leave it so.
    """
    value = 0
    for place, byte in enumerate(data, 1):
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
        if value == 0 and is_tag(data[place : place + 12]):
            return True
    return value == 0 and len(data) > 8
