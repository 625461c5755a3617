"""Whether a file is all there, as far as its format can say: by its bytes alone, nothing is decoded.

What is whole here may still be refused when it is decoded; what lacks something here never can be decoded to
its end. Most formats say it well. These cannot: WAV written into a pipe, MP4 in fragments, WebM of a live
recording, MP3 of a free bit rate, and MP3 or AAC without a header that end exactly between two frames.
"""

from __future__ import annotations

from pathlib import Path

from bridge.containers import (
    ByteSource,
    flac,
    matroska,
    mp4,
    mpeg,
    ogg,
    open_bytes,
    riff,
    tagging,
    words,
    zips,
)

_LEAST_BYTES = 44
"""A header alone has more in every format."""
_FRAME_SUFFIXES = frozenset({".mp3", ".aac"})
_HEAD_BYTES = 12


def missing(path: Path) -> str:
    """What is missing in the file, a sentence for people; "" where it is whole or its format cannot say.

    Reads a file of any content by blocks, at most twice through, and never decodes. Raises OSError where it
    cannot be opened or read.
    """
    with open_bytes(path) as source:
        return _missing(source, path.suffix.lower())


def _missing(source: ByteSource, suffix: str) -> str:
    if source.size < _LEAST_BYTES:
        return f"the file has {source.size} bytes, fewer than any song: {words.UNFINISHED}"
    if source.zeros_at(0) >= min(source.size, words.PREALLOCATED_BYTES):
        return words.hollow(0)
    start = tagging.leading_bytes(source)
    if start > source.size:
        return words.too_short(start, source.size)
    if start == source.size:
        return words.without("its sound")
    return _lacking(source, start, source.at(start, _HEAD_BYTES), suffix)


def _lacking(source: ByteSource, start: int, head: bytes, suffix: str) -> str:
    if head[:4] == b"fLaC":
        return flac.lacking(source, start)
    if start == 0 and (found := _by_mark(source, head)) is not None:
        return found
    is_frames = start or head[0] == 0xFF or suffix in _FRAME_SUFFIXES
    return mpeg.lacking(source, start) if is_frames else ""


def _by_mark(source: ByteSource, head: bytes) -> str | None:
    """By the mark that the file begins with; None where that is of no kind known here."""
    if riff.is_wave(head):
        return riff.lacking_wave(source)
    if riff.is_aiff(head):
        return riff.lacking_aiff(source)
    for mark, lacking in (
        (b"OggS", ogg.lacking),
        (zips.MARK, zips.lacking),
        (matroska.MARK, matroska.lacking),
    ):
        if head.startswith(mark):
            return lacking(source)
    return mp4.lacking(source) if mp4.is_mp4(head) else None
