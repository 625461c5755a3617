"""True lengths of coded files, read from their own headers where FFmpeg's libraries only estimate.

Sources: Xing/Info header and LAME tag (gabriel.mp3-tech.org/mp3infotag), ISO/IEC 14496-12 (mdhd, elst),
RFC 3533 (Ogg pages), RFC 7845 (Opus pre-skip), RFC 9639 (FLAC STREAMINFO), Apple's ALAC magic cookie.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MP3_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_OGG_TAIL = 2 * 65_307
"""Two pages of the greatest size: the last one begins in there."""


def mp3_frames(path: Path) -> int | None:
    """Frames of audio by the Xing or Info header, encoder delay and padding cut; None without one."""
    with path.open("rb") as file:
        file.seek(_id3_bytes(file))
        head = file.read(4096)
    start = _first_mp3_header(head)
    return None if start is None else _xing_frames(head[start:])


def _id3_bytes(file: BinaryIO) -> int:
    """Bytes of the ID3v2 tags, of any number, at the start."""
    position = 0
    while True:
        file.seek(position)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            return position
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        position += 10 + size + (10 if head[5] & 0x10 else 0)


def _first_mp3_header(data: bytes) -> int | None:
    for start in range(len(data) - 4):
        has_sync = data[start] == 0xFF and data[start + 1] & 0xE0 == 0xE0
        if has_sync and data[start + 1] >> 1 & 3 == 1 and data[start + 2] >> 2 & 3 != 3:
            return start
    return None


def _xing_frames(data: bytes) -> int | None:
    version, is_mono = data[1] >> 3 & 3, data[3] >> 6 == 3
    if version not in _MP3_RATES_HZ:
        return None
    side_bytes = ((17 if is_mono else 32) if version == 3 else (9 if is_mono else 17)) + 4
    tag = data[side_bytes:]
    if tag[:4] not in (b"Xing", b"Info") or len(tag) < 160 or not tag[7] & 1:
        return None
    coded = int(struct.unpack(">I", tag[8:12])[0]) * (1152 if version == 3 else 576)
    return max(0, coded - _lame_cut(tag))


def _lame_cut(tag: bytes) -> int:
    """Encoder delay and padding together, 0 where the tag does not state them."""
    flags = tag[7]
    lame = 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    if tag[lame : lame + 4] not in (b"LAME", b"Lavf", b"Lavc"):
        return 0
    both = int.from_bytes(tag[lame + 21 : lame + 24], "big")
    return (both >> 12) + (both & 0xFFF)


@dataclass(frozen=True)
class _Box:
    name: bytes
    start: int
    end: int


def mp4_frames(path: Path, rate_hz: int) -> int | None:
    """Frames of the first sound track after its edit list; None where the headers do not tell.

    The edit list counts in ticks of the movie, often milliseconds; the track's own clock is exact, so where
    both agree within a tick the latter is taken.
    """
    try:
        with path.open("rb") as file:
            return _mp4_frames(file, path.stat().st_size, rate_hz)
    except (struct.error, IndexError):
        return None


def _mp4_frames(file: BinaryIO, size: int, rate_hz: int) -> int | None:
    movie = next((box for box in _boxes(file, 0, size) if box.name == b"moov"), None)
    if movie is None:
        return None
    header = _inside(file, movie, b"mvhd")
    for track in _boxes(file, movie.start, movie.end):
        media = _inside(file, track, b"mdia") if track.name == b"trak" else None
        if header and media and _body(file, _inside(file, media, b"hdlr"))[8:12] == b"soun":
            movie_hz, _ = _clock(_body(file, header))
            return _track_frames(file, track, media, movie_hz, rate_hz)
    return None


def _track_frames(file: BinaryIO, track: _Box, media: _Box, movie_hz: int, rate_hz: int) -> int | None:
    track_hz, ticks = _clock(_body(file, _inside(file, media, b"mdhd")))
    if not ticks or not track_hz or not movie_hz:
        return None
    edits = _inside(file, track, b"edts")
    segment, skipped = _edit(_body(file, edits and _inside(file, edits, b"elst")))
    left = ticks - skipped
    kept = segment * track_hz / movie_hz
    if segment and not 0 <= left - kept <= track_hz / movie_hz:
        left = min(left, round(kept))
    return max(0, round(left * rate_hz / track_hz))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    while start + 8 <= end:
        file.seek(start)
        size, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", file.read(8))[0], 16
        size = size or end - start
        if size < head:
            return
        yield _Box(name, start + head, min(end, start + size))
        start += size


def _inside(file: BinaryIO, box: _Box, name: bytes) -> _Box | None:
    return next((inner for inner in _boxes(file, box.start, box.end) if inner.name == name), None)


def _body(file: BinaryIO, box: _Box | None) -> bytes:
    if box is None:
        return b""
    file.seek(box.start)
    return file.read(min(box.end - box.start, 256))


def _clock(header: bytes) -> tuple[int, int]:
    """Ticks a second and ticks in all, of an mvhd or mdhd."""
    rate, ticks = (
        struct.unpack(">IQ", header[20:32]) if header[:1] == b"\1" else struct.unpack(">II", header[12:20])
    )
    return int(rate), int(ticks)


def _edit(body: bytes) -> tuple[int, int]:
    """Ticks kept and ticks skipped by an edit list with one sounding entry; (0, 0) for any other."""
    form = ">Qq4x" if body[:1] == b"\1" else ">Ii4x"
    entries = list(struct.iter_unpack(form, body[8 : 8 + _entries(body) * struct.calcsize(form)]))
    sounding = [(int(kept), int(skipped)) for kept, skipped in entries if skipped >= 0]
    return sounding[0] if len(sounding) == 1 else (0, 0)


def _entries(body: bytes) -> int:
    return int(struct.unpack(">I", body[4:8])[0]) if len(body) >= 8 else 0


def is_ogg_whole(path: Path) -> bool:
    """Whether the last page of an Ogg file is all there and marked as the end of its stream."""
    with path.open("rb") as file:
        size = path.stat().st_size
        file.seek(max(0, size - _OGG_TAIL))
        tail = file.read()
    start = tail.rfind(b"OggS\0")
    page = tail[start:]
    if start < 0 or len(page) < 27:
        return False
    laces = page[27 : 27 + page[26]]
    return bool(page[5] & 4) and len(laces) == page[26] and len(page) >= 27 + len(laces) + sum(laces)


def opus_pre_skip(extradata: bytes) -> int:
    """Frames at 48 kHz that an Opus stream begins with and that are not sounded."""
    return int(struct.unpack("<H", extradata[10:12])[0]) if extradata[:8] == b"OpusHead" else 0


def flac_frames(streaminfo: bytes) -> int | None:
    """The length that a FLAC's STREAMINFO states (36 bits from bit 108 on); None where it was not known."""
    if len(streaminfo) < 18:
        return None
    return (streaminfo[13] & 15) << 32 | int.from_bytes(streaminfo[14:18], "big") or None


def lossless_bits(codec: str, extradata: bytes, decoded_bits: int) -> int:
    """Bits of a sample that went into a lossless coder; it may decode into a wider one."""
    if codec == "flac" and len(extradata) >= 14:
        return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    if codec == "alac" and len(extradata) >= 18:
        return extradata[17]
    return decoded_bits
