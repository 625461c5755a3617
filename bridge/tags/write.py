"""Tags written into delivered WAVs: an ID3 chunk for DAWs and players, RIFF INFO for Explorer and Finder.

The chunks go behind the samples. First they are appended, then the size in the header is raised: whatever
happens in between, the file is a whole WAV with every sample in its place.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

from bridge.errors import AudioError
from bridge.tags.chunks import LONG_SIZE, Chunk, chunks, is_id3, is_info, is_wave, pack
from bridge.tags.cover import Cover
from bridge.tags.text import clean
from bridge.values import Tags

_INFO_BYTES = 4_000
"""Longest text in INFO: some readers take it into a buffer of fixed size; ID3 holds the whole."""


def write_tags(path: Path, tags: Tags, cover: Cover | None = None) -> None:
    """Put the tags and the cover into a WAV or RF64; older tags in it are replaced, samples never touched.

    Fields that are empty are left out. Raises AudioError where the file is no WAV or the disk does not take
    it; the file is then as it was.
    """
    try:
        with path.open("rb+") as file:
            if not is_wave(file.read(12)):
                raise AudioError(f"{path.name} is no WAV; tags are written into WAV files only.")
            _replace_tail(path, file, _tag_chunks(tags, cover))
    except OSError as cause:
        raise AudioError(
            f"Tags could not be written into {path.name} ({cause.strerror or cause}). "
            "Check the free space and the permission."
        ) from cause


def _replace_tail(path: Path, file: BinaryIO, new: bytes) -> None:
    found = list(chunks(file))
    samples = next((chunk for chunk in found if chunk.name == b"data"), None)
    end = os.fstat(file.fileno()).st_size
    if samples is None or samples.start + samples.size > end:
        raise AudioError(
            f"{path.name} is incomplete: its samples end before its header says. Write it again."
        )
    kept = b"".join(
        pack(chunk.name, _whole(file, chunk))
        for chunk in found
        if chunk.start > samples.start and not (is_id3(chunk) or is_info(file, chunk))
    )
    pad = bytes(max(0, samples.end - end))
    _swap(path, file, min(samples.end, end), pad + kept + new)
    _hide([chunk for chunk in found if chunk.start < samples.start], file)


def _whole(file: BinaryIO, chunk: Chunk) -> bytes:
    file.seek(chunk.start)
    return file.read(chunk.size)


def _swap(path: Path, file: BinaryIO, start: int, tail: bytes) -> None:
    """Put ``tail`` from ``start`` on and tell the header; on an error everything is put back."""
    file.seek(start)
    old = file.read()
    try:
        file.seek(start)
        file.write(tail)
        file.truncate()
        file.flush()
        _set_size(path, file, start + len(tail) - 8)
    except BaseException:
        file.seek(start)
        file.write(old)
        file.truncate()
        raise


def _set_size(path: Path, file: BinaryIO, size: int) -> None:
    file.seek(0)
    if file.read(4) == b"RIFF":
        if size > LONG_SIZE:
            raise AudioError(f"{path.name} has no room for tags below the 4 GiB of a WAV; leave them out.")
        file.seek(4)
        file.write(struct.pack("<I", size))
    else:  # RF64 and BW64 keep the true size first in their ds64 chunk, which comes first
        file.seek(20)
        file.write(struct.pack("<Q", size))
    file.flush()


def _hide(before: list[Chunk], file: BinaryIO) -> None:
    """Old tags in front of the samples become padding, or two tags would contradict each other."""
    for chunk in before:
        if is_id3(chunk) or is_info(file, chunk):
            file.seek(chunk.start - 8)
            file.write(b"JUNK")


def _tag_chunks(tags: Tags, cover: Cover | None) -> bytes:
    info = _info(tags)
    id3 = _id3(tags, cover)
    return (pack(b"LIST", b"INFO" + info) if info else b"") + (pack(b"id3 ", id3) if id3 else b"")


def _info(tags: Tags) -> bytes:
    texts = {b"INAM": tags.title, b"IART": tags.artist, b"IPRD": tags.album, b"ICMT": tags.comment}
    cleaned = {name: clean(text, _INFO_BYTES, is_long=name == b"ICMT") for name, text in texts.items()}
    return b"".join(
        pack(name, text.encode()[:_INFO_BYTES].decode(errors="ignore").encode() + b"\0")
        for name, text in cleaned.items()
        if text
    )


def _id3(tags: Tags, cover: Cover | None) -> bytes:
    """An ID3v2.3 tag, the version that every program reads."""
    from mutagen.id3 import APIC, COMM, ID3, TALB, TIT2, TPE1, TXXX, USLT, WOAS

    tag = ID3()
    text = {
        name: clean(value, 100_000, is_long=name in ("comment", "lyrics"))
        for name, value in tags.model_dump().items()
    }
    frames = {
        "title": TIT2(encoding=3, text=[text["title"]]),
        "artist": TPE1(encoding=3, text=[text["artist"]]),
        "album": TALB(encoding=3, text=[text["album"]]),
        "comment": COMM(encoding=3, lang="eng", desc="", text=[text["comment"]]),
        "lyrics": USLT(encoding=3, lang="eng", desc="", text=text["lyrics"]),
        "generator": TXXX(encoding=3, desc="generator", text=[text["generator"]]),
        "generator_id": TXXX(encoding=3, desc="generator_id", text=[text["generator_id"]]),
        "url": WOAS(url=text["url"]),
    }
    for name, frame in frames.items():
        if text[name]:
            tag.add(frame)
    if cover is not None:
        tag.add(APIC(encoding=0, mime=cover.mime, type=3, desc="", data=cover.data))
    return _saved(tag) if len(tag) else b""


def _saved(tag: object) -> bytes:
    out = io.BytesIO()
    tag.save(out, v1=0, v2_version=3, padding=lambda _: 0)  # type: ignore[attr-defined]
    return out.getvalue()
