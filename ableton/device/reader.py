"""Reads a Max for Live device, frozen or not, whoever wrote it; shares nothing with the writer."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bridge.errors import StembridgeError

KINDS: Final[Mapping[str, str]] = {
    "aaaa": "audio effect",
    "mmmm": "MIDI effect",
    "iiii": "instrument",
    "nagg": "MIDI generator",
    "natt": "MIDI transformation",
}
_CHUNK_HEAD: Final = struct.Struct("<4sI")
_FIELD_HEAD: Final = struct.Struct(">4sI")
_FROZEN_HEAD: Final = struct.Struct(">4sIII")
_MAIN_FLAG: Final = 16
"""The bit that the device's own patcher has, and no other file."""


class DeviceError(StembridgeError):
    """The file is no Max for Live device."""


class EmbeddedFile(NamedTuple):
    """A file that is frozen into a device."""

    name: str
    type: str
    flag: int
    data: bytes


class Device(NamedTuple):
    """What is in a .amxd."""

    kind: str
    """Four letters; ``KINDS`` says what they mean."""
    document: dict[str, Any]
    """The patcher as Max saves it, below the key "patcher"."""
    files: tuple[EmbeddedFile, ...]
    """What is frozen into it beside the patcher; empty where it is not frozen."""
    is_frozen: bool

    @property
    def patcher(self) -> dict[str, Any]:
        """The outermost patcher."""
        found: dict[str, Any] = self.document["patcher"]
        return found


def read_device(path: Path) -> Device:
    """What is in a .amxd file; DeviceError where it is none or not whole, OSError where it cannot be read."""
    try:
        return parse_device(path.read_bytes())
    except DeviceError as error:
        raise DeviceError(f"{path}: {error.message}") from error


def parse_device(data: bytes) -> Device:
    """What is in the bytes of a .amxd; DeviceError, in words, where they are none or not whole."""
    chunks = dict(_chunks(data))
    kind = _expect(chunks, "ampf").decode("latin-1")
    if kind not in KINDS:
        raise DeviceError(f"the device is of the kind {kind!r}; wanted one of {', '.join(KINDS)}")
    if "ciph" in chunks:
        raise DeviceError("the device is encrypted by its maker; nobody but Live can read it")
    body = _expect(chunks, "ptch")
    if not body.startswith(b"mx@c"):
        return Device(kind, _document(body), (), is_frozen=False)
    main, files = _thaw(body)
    return Device(kind, _document(main), files, is_frozen=True)


def _chunks(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(data):
        if at + _CHUNK_HEAD.size > len(data):
            raise DeviceError(f"a chunk begins at byte {at} and the file ends at {len(data)}; it is cut off")
        tag, size = _CHUNK_HEAD.unpack_from(data, at)
        at += _CHUNK_HEAD.size
        if at + size > len(data):
            raise DeviceError(f"chunk {tag!r} says {size} bytes and {len(data) - at} are left; it is cut off")
        yield tag.decode("latin-1"), data[at : at + size]
        at += size


def _expect(chunks: Mapping[str, bytes], tag: str) -> bytes:
    if tag not in chunks:
        found = ", ".join(map(repr, chunks)) or "none"
        raise DeviceError(f"there is no chunk {tag!r} (found: {found}); wanted a .amxd of Max for Live")
    return chunks[tag]


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.rstrip(b"\0\n").decode("utf-8"))
    except ValueError as cause:
        raise DeviceError(f"the patcher is no JSON ({cause})") from cause
    if not isinstance(found, dict) or not isinstance(found.get("patcher"), dict):
        raise DeviceError("the JSON holds no patcher")
    return found


def _thaw(body: bytes) -> tuple[bytes, tuple[EmbeddedFile, ...]]:
    """The patcher's text and the other files of a frozen device."""
    if len(body) < _FROZEN_HEAD.size:
        raise DeviceError(f"the frozen part has {len(body)} bytes; it is cut off")
    _, head_bytes, _, list_at = _FROZEN_HEAD.unpack_from(body)
    if head_bytes != _FROZEN_HEAD.size or not head_bytes <= list_at <= len(body):
        raise DeviceError(f"the list of frozen files is said to be at {list_at} of {len(body)} bytes")
    listed = list(_fields(body[list_at:]))
    if [tag for tag, _ in listed] != ["dlst"]:
        raise DeviceError("the frozen files are not listed")
    files = [_file(entry, body[:list_at]) for tag, entry in _fields(listed[0][1]) if tag == "dire"]
    mains = [file for file in files if file.flag & _MAIN_FLAG]
    if len(mains) != 1:
        raise DeviceError(f"{len(mains)} of {len(files)} frozen files are the device itself; wanted one")
    return mains[0].data, tuple(file for file in files if file is not mains[0])


def _fields(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Tag and content; here, sizes are big-endian and count the header."""
    at = 0
    while at < len(data):
        if at + _FIELD_HEAD.size > len(data):
            raise DeviceError("the list of frozen files is cut off")
        tag, size = _FIELD_HEAD.unpack_from(data, at)
        if size < _FIELD_HEAD.size or at + size > len(data):
            raise DeviceError(f"field {tag!r} in the list of frozen files says {size} bytes")
        yield tag.decode("latin-1"), data[at + _FIELD_HEAD.size : at + size]
        at += size


def _file(entry: bytes, body: bytes) -> EmbeddedFile:
    fields = dict(_fields(entry))
    missing = {"type", "fnam", "sz32", "of32", "flag"} - fields.keys()
    if missing:
        raise DeviceError(f"a frozen file lacks {', '.join(sorted(missing))}")
    name = fields["fnam"].split(b"\0")[0].decode("utf-8", "replace")
    size, offset, flag = (int.from_bytes(fields[tag], "big") for tag in ("sz32", "of32", "flag"))
    if offset < _FROZEN_HEAD.size or offset + size > len(body):
        raise DeviceError(f"{name} is said to lie at {offset} with {size} bytes, outside of the device")
    return EmbeddedFile(name, fields["type"].decode("latin-1"), flag, body[offset : offset + size])
