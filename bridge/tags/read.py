"""Tags read from every format that a generator exports.

Whatever a tag holds, the song goes on: what cannot be read is left out.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.tags.chunks import body, chunks, is_id3, is_info, is_wave
from bridge.tags.cover import Cover
from bridge.tags.text import tags_of
from bridge.values import Tags, Value

_MOST_ID3_BYTES = 64_000_000
_FRONT_COVER = 3
_SIGNED = ("c2pa", "")
"""Stands among the pairs for a C2PA manifest."""


class FoundTags(Value):
    """What a file says about its song."""

    tags: Tags = Tags()
    cover: Cover | None = None
    has_content_credentials: bool = False
    """Whether the file carries a C2PA manifest: a signed statement of its origin, for its own bytes alone."""


def read_tags(path: Path) -> FoundTags:
    """Tags and cover of a file of any format; empty where it has none or holds nonsense. Never raises."""
    try:
        return _found(_sources(path))
    except Exception:  # mutagen parses strangers' bytes and raises whatever they break; a song needs no tags
        return FoundTags()


def _found(sources: list[Any]) -> FoundTags:
    pairs: list[tuple[str, str]] = []
    pictures: list[tuple[int, bytes]] = []
    for source in sources:
        pairs += _kept(_pairs, source)
        pictures += _kept(_pictures, source)
    ordered = sorted(pictures, key=lambda picture: picture[0] != _FRONT_COVER)
    cover = next((cover for _, data in ordered if (cover := Cover.of(data))), None)
    return FoundTags(tags=tags_of(pairs), cover=cover, has_content_credentials=_SIGNED in pairs)


def _kept(parse: Any, source: Any) -> list[Any]:
    """What a parser yields until something breaks it."""
    kept: list[Any] = []
    try:
        kept.extend(parse(source))
    except Exception:  # as above: what came before the broken frame counts
        return kept
    return kept


def _sources(path: Path) -> list[Any]:
    """The tags of a file as mutagen's objects, or as pairs."""
    with path.open("rb") as file:
        head = file.read(12)
        if is_wave(head):
            return _wave_sources(file)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return [_webm_pairs(path)]
    if head[:3] == b"ID3" and _id3_bytes(head) > _MOST_ID3_BYTES:
        return []
    import mutagen

    found = mutagen.File(path)
    return [] if found is None else [found.tags or {}, *getattr(found, "pictures", [])]


def _id3_bytes(head: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))


def _wave_sources(file: Any) -> list[Any]:
    from mutagen.id3 import ID3

    sources: list[Any] = []
    for chunk in chunks(file):
        if is_id3(chunk):
            sources += _kept(lambda data: [ID3(io.BytesIO(data))], body(file, chunk))
        elif is_info(file, chunk):
            sources.append(list(_info_pairs(body(file, chunk)[4:])))
        elif chunk.name == b"C2PA":
            sources.append([_SIGNED])
    return sorted(sources, key=lambda source: isinstance(source, list))  # ID3 says more than INFO


def _info_pairs(data: bytes) -> Iterator[tuple[str, str]]:
    """The texts of a LIST of INFO: UTF-8 as newer programs write it, or Windows' Western letters."""
    start = 0
    while start + 8 <= len(data):
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        text = data[start + 8 : start + 8 + size].split(b"\0")[0]
        yield name.decode("latin-1"), _decoded(text)
        start += 8 + size + size % 2


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("cp1252", errors="replace")


def _webm_pairs(path: Path) -> list[tuple[str, str]]:
    """WebM, which mutagen does not know, by FFmpeg's libraries."""
    import av

    with av.open(str(path.absolute()), options={"format_whitelist": "matroska,webm"}) as container:
        return [(key, value) for key, value in container.metadata.items()]


def _pairs(source: Any) -> Iterator[tuple[str, str]]:
    from mutagen.id3 import ID3

    if isinstance(source, ID3):
        yield from _id3_pairs(source)
    elif hasattr(source, "items"):  # Vorbis' comments, a list as well, and iTunes' atoms
        for key, values in source.items():
            for value in values if isinstance(values, list) else [values]:
                yield from _text_pair(str(key), value)
    elif isinstance(source, list):
        yield from source


def _text_pair(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, bytes) and key.startswith("----"):
        yield key, _decoded(bytes(value))
    elif isinstance(value, str):
        yield key, value


def _id3_pairs(tags: Any) -> Iterator[tuple[str, str]]:
    for frame in tags.values():
        name = str(frame.FrameID)
        if name == "GEOB" and "c2pa" in frame.mime.lower():
            yield _SIGNED
        elif hasattr(frame, "url"):
            yield name, str(frame.url)
        elif hasattr(frame, "text"):
            key = f"{name}:{frame.desc}" if hasattr(frame, "desc") else name
            texts = frame.text if isinstance(frame.text, list) else [frame.text]
            yield from ((key, str(text)) for text in texts)


def _pictures(source: Any) -> Iterator[tuple[int, bytes]]:
    """Kind and bytes of pictures: APIC frames, FLAC's pictures, Vorbis' blocks, iTunes' covers."""
    from mutagen.flac import Picture
    from mutagen.id3 import ID3

    if isinstance(source, ID3):
        yield from ((frame.type, frame.data) for frame in source.getall("APIC"))
    elif isinstance(source, Picture):
        yield source.type, source.data
    elif hasattr(source, "get"):
        yield from ((_FRONT_COVER, bytes(data)) for data in source.get("covr", []))
        for text in source.get("metadata_block_picture", []):
            picture = Picture(base64.b64decode(text))
            yield picture.type, picture.data
