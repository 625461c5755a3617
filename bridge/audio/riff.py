"""Where the samples lie in a WAV, RF64, BW64 or AIFF file, and in which form.

Sources: RIFF/WAVE (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" and
WAVEFORMATEXTENSIBLE), RF64 (EBU Tech 3306), BW64 (ITU-R BS.2088), AIFF and AIFF-C (Apple, 1991).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bridge.audio.faults import incomplete, unreadable
from bridge.audio.fold import layout_of_mask

UNKNOWN_SIZE = 0xFFFFFFFF
_OPEN_SIZES = frozenset({UNKNOWN_SIZE, 0x7FFFFFFF, 0x7FFFF000})
"""What FFmpeg, SoX and others write for the size when they write into a pipe and cannot know it."""
SLIP_S = 0.01
"""A header may miscount by this much; writers exist that count a pad byte or the header itself."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WAV_KINDS = {
    (_PCM, 1): "uint8",
    (_PCM, 2): "int16",
    (_PCM, 3): "int24",
    (_PCM, 4): "int32",
    (_FLOAT, 4): "float32",
    (_FLOAT, 8): "float64",
}
_AIFF_KINDS = {1: "int8", 2: "int16", 3: "int24", 4: "int32"}
_AIFC_FLOATS = {b"fl32": "float32", b"FL32": "float32", b"fl64": "float64", b"FL64": "float64"}
_AIFC_INTEGERS = frozenset({b"NONE", b"twos", b"sowt", b"in24", b"in32"})


@dataclass(frozen=True, kw_only=True)
class PcmPlace:
    """Samples in a file: interleaved frames from ``offset`` on."""

    container: str
    kind: str
    """uint8, int8, int16, int24, int32, float32 or float64."""
    is_big_endian: bool
    rate_hz: int
    channels: int
    frames: int
    offset: int
    layout: str = ""

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel."""
        return int("".join(filter(str.isdigit, self.kind))) // 8

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.sample_bytes * self.channels


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int
    size: int


def find_pcm(path: Path, file: BinaryIO) -> PcmPlace | None:
    """Where the samples lie; None where the file is of another kind or holds compressed samples.

    Raises AudioError where the file is of this kind but damaged or incomplete.
    """
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _find_wav(path, file)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _find_aiff(path, file)
    return None


def _chunks(file: BinaryIO, order: str) -> Iterator[_Chunk]:
    """The chunks after the form's head, also those that run past the end of the file."""
    end = _size(file)
    start = 12
    while start + 8 <= end:
        file.seek(start)
        name, size = struct.unpack(order + "4sI", file.read(8))
        yield _Chunk(name, start + 8, size)
        start += 8 + size
        if size % 2:
            file.seek(start)
            # the pad byte is zero and no name begins so: writers that leave it out are read all the same
            start += file.read(1) == b"\0"


def _body(file: BinaryIO, chunk: _Chunk, most: int = 64) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, most))


def _find_wav(path: Path, file: BinaryIO) -> PcmPlace | None:
    form = b""
    long_size = None
    for chunk in _chunks(file, "<"):
        if chunk.name == b"ds64" and len(body := _body(file, chunk)) >= 16:
            long_size = struct.unpack("<Q", body[8:16])[0]
        elif chunk.name == b"fmt " and not form:
            form = _body(file, chunk)
        elif chunk.name == b"data" and form:
            return _wav_place(path, file, form, chunk, long_size)
    raise unreadable(path, f"a WAV without {'samples' if form else 'a format'}: its data chunk is missing")


def _wav_place(
    path: Path, file: BinaryIO, form: bytes, data: _Chunk, long_size: int | None
) -> PcmPlace | None:
    if len(form) < 16:
        raise unreadable(path, f"its fmt chunk has {len(form)} bytes instead of 16 or more")
    tag, channels, rate_hz, _, align, bits = struct.unpack("<HHIIHH", form[:16])
    mask = 0
    if tag == _EXTENSIBLE and len(form) >= 26:
        mask, tag = struct.unpack("<IH", form[20:26])
    _expect_format(path, rate_hz, channels)
    kind = _WAV_KINDS.get((tag, (align or channels * ((bits + 7) // 8)) // channels))
    if kind is None:
        return None
    place = PcmPlace(
        container="wav", kind=kind, is_big_endian=False, rate_hz=rate_hz, channels=channels, frames=0,
        offset=data.start, layout=layout_of_mask(mask, channels),
    )  # fmt: skip
    return _with_frames(path, file, place, _wav_bytes(path, file, data, long_size))


def _wav_bytes(path: Path, file: BinaryIO, data: _Chunk, long_size: int | None) -> int | None:
    """Bytes of samples that the header promises; None where it leaves that open, as streaming writers do."""
    if data.size in _OPEN_SIZES and (data.size == UNKNOWN_SIZE or data.start + data.size > _size(file)):
        return long_size
    if data.size == 0 and not _is_followed_by_chunk(file, data):
        raise unreadable(path, "its header was never finished: is it still being written?")
    return data.size


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _is_followed_by_chunk(file: BinaryIO, data: _Chunk) -> bool:
    """Whether after an empty data chunk comes the end or a chunk, not samples that nobody counted."""
    file.seek(data.start)
    name = file.read(8)[:4]
    return not name or (len(name) == 4 and name.isascii() and name.decode("ascii").isprintable())


def _find_aiff(path: Path, file: BinaryIO) -> PcmPlace | None:
    common = b""
    samples = None
    for chunk in _chunks(file, ">"):
        if chunk.name == b"COMM":
            common = _body(file, chunk)
        elif chunk.name == b"SSND":
            samples = chunk
    if len(common) < 18 or samples is None:
        raise unreadable(path, "an AIFF without a COMM or a SSND chunk")
    return _aiff_place(path, file, common, samples)


def _aiff_place(path: Path, file: BinaryIO, common: bytes, samples: _Chunk) -> PcmPlace | None:
    channels, frames, bits = struct.unpack(">HIH", common[:8])
    coding = common[18:22] or b"NONE"
    rate_hz = _extended(common[8:18])
    _expect_format(path, rate_hz, channels)
    kind = _AIFC_FLOATS.get(coding)
    if coding in _AIFC_INTEGERS:
        kind = _AIFF_KINDS.get((bits + 7) // 8)
    if kind is None:
        return None
    skipped = struct.unpack(">I", (_body(file, samples, 4) + bytes(4))[:4])[0]
    place = PcmPlace(
        container="aiff", kind=kind, is_big_endian=coding != b"sowt", rate_hz=rate_hz, channels=channels,
        frames=0, offset=samples.start + 8 + skipped,
    )  # fmt: skip
    return _with_frames(path, file, place, frames * place.frame_bytes)


def _with_frames(path: Path, file: BinaryIO, place: PcmPlace, promised: int | None) -> PcmPlace:
    there = max(0, _size(file) - place.offset)
    found = min(there, there if promised is None else promised) // place.frame_bytes
    wanted = found if promised is None else promised // place.frame_bytes
    if (wanted - found) / place.rate_hz > SLIP_S:
        raise incomplete(path, found / place.rate_hz, wanted / place.rate_hz)
    return replace(place, frames=found)


def _expect_format(path: Path, rate_hz: int, channels: int) -> None:
    if not (0 < rate_hz < 2**31) or not (0 < channels <= 256):
        raise unreadable(path, f"its header states {channels} channels at {rate_hz} Hz")


def _extended(number: bytes) -> int:
    """An 80-bit IEEE 754 extended number, as AIFF writes its rate, to the nearest integer."""
    exponent, mantissa = struct.unpack(">HQ", number)
    shift = (exponent & 0x7FFF) - 16383 - 63
    if not -64 <= shift <= 0:
        return 0
    return int((mantissa + (1 << -shift >> 1)) >> -shift)
