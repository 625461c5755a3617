"""Where the samples lie in a WAV, RF64, BW64 or AIFF file, and in which form.

The chunks are walked by ``bridge.containers.riff``; their forms are WAVEFORMATEXTENSIBLE (Microsoft) and the
Common Chunk of AIFF and AIFF-C (Apple, 1991).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bridge.audio.faults import incomplete, unreadable
from bridge.audio.fold import layout_of_mask
from bridge.containers import ByteSource
from bridge.containers.riff import (
    OPEN_SIZES,
    SLIP_S,
    UNKNOWN_SIZE,
    Chunk,
    chunks,
    extended,
    is_aiff,
    is_followed_by_chunk,
    is_wave,
)

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


def find_pcm(path: Path, file: BinaryIO) -> PcmPlace | None:
    """Where the samples lie; None where the file is of another kind or holds compressed samples.

    Raises AudioError where the file is of this kind but damaged or incomplete.
    """
    source = ByteSource(file)
    head = source.at(0, 12)
    if is_wave(head):
        return _find_wav(path, source)
    if is_aiff(head):
        return _find_aiff(path, source)
    return None


def _body(source: ByteSource, chunk: Chunk, most: int = 64) -> bytes:
    return source.at(chunk.start, min(chunk.size, most))


def _find_wav(path: Path, source: ByteSource) -> PcmPlace | None:
    form = b""
    long_size = None
    for chunk in chunks(source, "<"):
        if chunk.name == b"ds64" and len(body := _body(source, chunk)) >= 16:
            long_size = struct.unpack("<Q", body[8:16])[0]
        elif chunk.name == b"fmt " and not form:
            form = _body(source, chunk)
        elif chunk.name == b"data" and form:
            return _wav_place(path, source, form, chunk, long_size)
    raise unreadable(path, f"a WAV without {'samples' if form else 'a format'}: its data chunk is missing")


def _wav_place(
    path: Path, source: ByteSource, form: bytes, data: Chunk, long_size: int | None
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
    return _with_frames(path, source, place, _wav_bytes(path, source, data, long_size))


def _wav_bytes(path: Path, source: ByteSource, data: Chunk, long_size: int | None) -> int | None:
    """Bytes of samples that the header promises; None where it leaves that open, as streaming writers do."""
    if data.size in OPEN_SIZES and (data.size == UNKNOWN_SIZE or data.end > source.size):
        return long_size
    if data.size == 0 and not is_followed_by_chunk(source, data):
        raise unreadable(path, "its header was never finished: is it still being written?")
    return data.size


def _find_aiff(path: Path, source: ByteSource) -> PcmPlace | None:
    common = b""
    samples = None
    for chunk in chunks(source, ">"):
        if chunk.name == b"COMM":
            common = _body(source, chunk)
        elif chunk.name == b"SSND":
            samples = chunk
    if len(common) < 18 or samples is None:
        raise unreadable(path, "an AIFF without a COMM or a SSND chunk")
    return _aiff_place(path, source, common, samples)


def _aiff_place(path: Path, source: ByteSource, common: bytes, samples: Chunk) -> PcmPlace | None:
    channels, frames, bits = struct.unpack(">HIH", common[:8])
    coding = common[18:22] or b"NONE"
    rate_hz = extended(common[8:18])
    _expect_format(path, rate_hz, channels)
    kind = _AIFC_FLOATS.get(coding)
    if coding in _AIFC_INTEGERS:
        kind = _AIFF_KINDS.get((bits + 7) // 8)
    if kind is None:
        return None
    skipped = struct.unpack(">I", (_body(source, samples, 4) + bytes(4))[:4])[0]
    place = PcmPlace(
        container="aiff", kind=kind, is_big_endian=coding != b"sowt", rate_hz=rate_hz, channels=channels,
        frames=0, offset=samples.start + 8 + skipped,
    )  # fmt: skip
    return _with_frames(path, source, place, frames * place.frame_bytes)


def _with_frames(path: Path, source: ByteSource, place: PcmPlace, promised: int | None) -> PcmPlace:
    there = max(0, source.size - place.offset)
    found = min(there, there if promised is None else promised) // place.frame_bytes
    wanted = found if promised is None else promised // place.frame_bytes
    if (wanted - found) / place.rate_hz > SLIP_S:
        raise incomplete(path, found / place.rate_hz, wanted / place.rate_hz)
    return replace(place, frames=found)


def _expect_format(path: Path, rate_hz: int, channels: int) -> None:
    if not (0 < rate_hz < 2**31) or not (0 < channels <= 256):
        raise unreadable(path, f"its header states {channels} channels at {rate_hz} Hz")
