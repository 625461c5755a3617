"""MP3 and ADTS (AAC without a container), frame by frame.

Sources: ISO/IEC 11172-3 section 2.4.2.3 and 13818-3 (headers and lengths of frames), 13818-7 section 6.2
(ADTS), Xing/Info header and LAME tag (gabriel.mp3-tech.org/mp3infotag), VBRI (Fraunhofer IIS).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bridge.containers import words
from bridge.containers.bytesource import ByteSource, open_bytes
from bridge.containers.chain import HEAD_BYTES, FrameBytes, first_frame, walk
from bridge.containers.tagging import leading_bytes

_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBPS = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By version (3 is MPEG-1, less are MPEG-2 and 2.5) and layer bits (3 is layer I, 1 layer III)."""
_SLIP_FRAMES = 1
"""Encoders differ in whether the frame with the header counts itself."""
_INFO_BYTES = 4_096


def _frame_frames(version: int, layer: int) -> int:
    """Samples of each channel in a frame."""
    if layer == 3:
        return 384
    return 576 if layer == 1 and version != 3 else 1152


def mp3_frame_bytes(head: bytes) -> int:
    """Bytes of the frame of MPEG audio with this header; 0 where it is none, or has a free bit rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 3
    bit_rate = head[2] >> 4
    if version == 1 or layer == 0 or rate == 3 or bit_rate in (0, 15):
        return 0
    slot_bytes = 4 if layer == 3 else 1
    bits = _KBPS[max(2, version), layer][bit_rate - 1] * 1000 * _frame_frames(version, layer) // 8
    return (bits // slot_bytes // _RATES_HZ[version][rate] + (head[2] >> 1 & 1)) * slot_bytes


def adts_frame_bytes(head: bytes) -> int:
    """Bytes of the ADTS frame with this header; 0 where it is none."""
    if len(head) < HEAD_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= HEAD_BYTES else 0


def _like(head: bytes, frame_bytes: FrameBytes) -> FrameBytes:
    """Frames of the same version, layer and rate as the one with this head: what else fits is chance."""
    first, rate_mask = head[1] & 0xFE, 0x0C if frame_bytes is mp3_frame_bytes else 0x3C
    rate = head[2] & rate_mask

    def alike(other: bytes) -> int:
        if len(other) < 3 or other[0] != 0xFF or other[1] & 0xFE != first or other[2] & rate_mask != rate:
            return 0
        return frame_bytes(other)

    return alike


@dataclass(frozen=True, kw_only=True)
class Mp3Header:
    """What the first frame of an MP3 says about all of them."""

    coded_frames: int
    """Frames of MPEG audio that follow it; 0 where it does not say."""
    size_bytes: int
    """Bytes from its own start to the last frame's end; 0 where it does not say."""
    delay_frames: int = 0
    """Frames of sound that the encoder put before and after the song."""


def mp3_frames(path: Path) -> int | None:
    """Frames of audio by the Xing or Info header, encoder delay and padding cut; None without one."""
    with open_bytes(path) as source:
        start = first_frame(source, leading_bytes(source), mp3_frame_bytes)
        frame = b"" if start is None else source.at(start, _INFO_BYTES)
    header = _xing(frame)
    if header is None or not header.coded_frames:
        return None
    return max(0, header.coded_frames * _frame_frames(frame[1] >> 3 & 3, 1) - header.delay_frames)


def _xing(frame: bytes) -> Mp3Header | None:
    """The Xing or Info header in a frame of layer III."""
    if not frame or frame[1] >> 1 & 3 != 1:
        return None
    version, is_mono = frame[1] >> 3 & 3, frame[3] >> 6 == 3
    side_bytes = ((17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)) + 4
    tag = frame[side_bytes:]
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 160:
        return None
    has_frames, has_bytes = tag[7] & 1, tag[7] >> 1 & 1
    return Mp3Header(
        coded_frames=int.from_bytes(tag[8:12], "big") if has_frames else 0,
        size_bytes=int.from_bytes(tag[8 + 4 * has_frames :][:4], "big") if has_bytes else 0,
        delay_frames=_lame_cut(tag),
    )


def _lame_cut(tag: bytes) -> int:
    """Encoder delay and padding together, 0 where the tag does not state them."""
    flags = tag[7]
    lame = 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    if tag[lame : lame + 4] not in (b"LAME", b"Lavf", b"Lavc"):
        return 0
    both = int.from_bytes(tag[lame + 21 : lame + 24], "big")
    return (both >> 12) + (both & 0xFFF)


def _vbri(frame: bytes) -> Mp3Header | None:
    """The header of Fraunhofer's encoder, which lies 32 bytes behind the frame's own."""
    tag = frame[36:]
    if tag[:4] != b"VBRI" or len(tag) < 26:
        return None
    return Mp3Header(
        coded_frames=int.from_bytes(tag[14:18], "big"), size_bytes=int.from_bytes(tag[10:14], "big")
    )


def lacking(source: ByteSource, start: int) -> str:
    """What frames of MPEG audio or ADTS from about ``start`` on promise and the file does not hold."""
    found = [
        (first, kind)
        for kind in (mp3_frame_bytes, adts_frame_bytes)
        if (first := first_frame(source, start, kind)) is not None
    ]
    if found:
        # the one that begins first: within the sound of one kind a mark of the other occurs by chance
        return _lacking_from(source, *min(found, key=lambda pair: pair[0]))
    is_tag_alone = start > 0 and source.size - start < _INFO_BYTES
    return words.without("its sound") if is_tag_alone else ""


def _lacking_from(source: ByteSource, first: int, kind: FrameBytes) -> str:
    chain = walk(source, first, _like(source.at(first, HEAD_BYTES), kind))
    frame = source.at(first, _INFO_BYTES)
    header = _xing(frame) or _vbri(frame) if kind is mp3_frame_bytes else None
    if header is None or not chain.is_told:
        return chain.lacking
    if header.coded_frames:
        return _too_few(frame, header.coded_frames, chain.frames - 1) or chain.lacking
    short = header.size_bytes > chain.end - first + len(frame) // 8
    return words.too_short(first + header.size_bytes, source.size) if short else chain.lacking


def _too_few(frame: bytes, promised: int, found: int) -> str:
    if promised - found <= _SLIP_FRAMES:
        return ""
    version, layer, rate = frame[1] >> 3 & 3, frame[1] >> 1 & 3, frame[2] >> 2 & 3
    frame_s = _frame_frames(version, layer) / _RATES_HZ[version][rate]
    return words.too_few_seconds(promised * frame_s, max(0, found) * frame_s)
