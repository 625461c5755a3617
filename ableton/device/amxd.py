"""Writes a frozen device: the patcher and every file it needs in one .amxd.

The container, as Max 8 and 9 write it: chunks of tag, u32 little-endian size and content. ``ampf`` holds the
kind of the device, ``meta`` 7 says that it is frozen, ``ptch`` holds ``mx@c``, the files one after another,
and the list ``dlst`` of them, whose sizes are big-endian and count their own header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

_FROZEN: Final = 7
_HEADER_BYTES: Final = 16
_DEVICE_FLAG: Final = 17
_FILE_FLAG: Final = 0
MADE_AT_S: Final = 3_800_000_000
"""A time that never changes, in seconds since 1904: two builds are the same, byte for byte."""


class File(NamedTuple):
    """A file inside a device."""

    name: str
    type: bytes
    """Four letters: b"JSON" or b"TEXT"."""
    data: bytes


def write_device(
    name: str, kind: bytes, document: Mapping[str, Any], dependencies: Sequence[File] = ()
) -> bytes:
    """The bytes of a frozen device: ``document`` is its patcher, ``dependencies`` the files that it loads.

    The same arguments give the same bytes, always.
    """
    patcher = json.dumps(document, indent="\t").encode() + b"\n\0"
    files = [File(f"{name}.amxd", b"JSON", patcher), *dependencies]
    return (
        _chunk(b"ampf", kind)
        + _chunk(b"meta", _FROZEN.to_bytes(4, "little"))
        + _chunk(b"ptch", _frozen(files))
    )


def _chunk(tag: bytes, content: bytes) -> bytes:
    return tag + len(content).to_bytes(4, "little") + content


def _frozen(files: Sequence[File]) -> bytes:
    data = b"".join(file.data for file in files)
    head = b"mx@c" + b"".join(
        number.to_bytes(4, "big") for number in (_HEADER_BYTES, 0, _HEADER_BYTES + len(data))
    )
    return head + data + _list(files)


def _list(files: Sequence[File]) -> bytes:
    entries, offset = b"", _HEADER_BYTES
    for number, file in enumerate(files):
        entries += _entry(file, offset, _FILE_FLAG if number else _DEVICE_FLAG)
        offset += len(file.data)
    return _field(b"dlst", entries)


def _entry(file: File, offset: int, flag: int) -> bytes:
    name = file.name.encode("ascii") + b"\0"
    fields = {
        b"type": file.type,
        b"fnam": name + b"\0" * (-len(name) % 4),
        b"sz32": len(file.data).to_bytes(4, "big"),
        b"of32": offset.to_bytes(4, "big"),
        b"vers": bytes(4),
        b"flag": flag.to_bytes(4, "big"),
        b"mdat": MADE_AT_S.to_bytes(4, "big"),
    }
    return _field(b"dire", b"".join(_field(tag, content) for tag, content in fields.items()))


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + (8 + len(content)).to_bytes(4, "big") + content
