"""Tags that are put before and after the sound of MP3, AAC and FLAC: ID3v1, ID3v2, APE, Lyrics3."""

from __future__ import annotations

from bridge.containers.bytesource import ByteSource

_MOST_TAGS = 1_000
_MARKS = (b"TAG", b"ID3", b"3DI", b"APETAGEX", b"LYRICSBEGIN")


def leading_bytes(source: ByteSource) -> int:
    """Bytes of the ID3v2 tags, of any number, at the start; past the end where they are cut."""
    position = 0
    for _ in range(_MOST_TAGS):
        head = source.at(position, 10)
        if head[:3] != b"ID3":
            break
        position += id3_bytes(head)
    return position


def id3_bytes(head: bytes) -> int:
    """Bytes of the ID3v2 tag with this head of 10 bytes."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5:6] and head[5] & 0x10 else 0)


def is_tag(head: bytes) -> bool:
    """Whether a tag begins with these bytes."""
    return head.startswith(_MARKS)


def tag_bytes(source: ByteSource, place: int) -> int:
    """Bytes of the tag that begins at ``place``; 0 where none does, or its length is not stated there."""
    head = source.at(place, 32)
    if head[:3] == b"TAG":
        return 128
    if head[:3] == b"ID3":
        return id3_bytes(head)
    if head[:8] == b"APETAGEX" and len(head) >= 24:
        has_header = head[23] & 0x20  # APEv2: bit 29 of the flags says that this is the header
        return 32 + (int.from_bytes(head[12:16], "little") if has_header else 0)
    return 0
