"""Zip archives from strangers: whole, open, honest, or refused."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from bridge.errors import InputError

MAX_BYTES = 8_000_000_000
MAX_RATIO = 100
MAX_ENTRIES = 2_000
_RATIO_FROM_BYTES = 100_000_000


def begins_as_zip(path: Path) -> bool:
    """Whether the first bytes are those of a zip."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\3\4"
    except OSError:
        return False


def checked_entries(path: Path) -> list[zipfile.ZipInfo]:
    """The files in an archive; InputError where it is not whole, not open, or not honest."""
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as cause:
        raise InputError(
            f"{path.name} is no whole zip archive ({cause}). The download was not finished; "
            "download it again."
        ) from cause
    except OSError as cause:
        raise InputError(f"{path.name} cannot be opened: {cause.strerror}. Check your permission.") from cause
    _expect_honest(path, entries, size)
    return [entry for entry in entries if not stat.S_ISLNK(entry.external_attr >> 16)]


def _expect_honest(path: Path, entries: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    complaint = ""
    if outside := [entry.filename for entry in entries if _leads_out(entry.filename)]:
        complaint = f"holds a path that leads out of it ({outside[0]!r})"
    elif any(entry.flag_bits & 1 for entry in entries):
        complaint = "is encrypted"
    elif len(entries) > MAX_ENTRIES:
        complaint = f"holds {len(entries)} files; a set of stems holds at most {MAX_ENTRIES}"
    elif unpacked > MAX_BYTES:
        complaint = f"holds {unpacked / 1e9:.1f} GB unpacked; wanted at most {MAX_BYTES / 1e9:.0f} GB"
    elif packed > size or (unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * size):
        complaint = f"unpacks {size / 1e6:.1f} MB to {unpacked / 1e6:.0f} MB, as no music does"
    if complaint:
        raise InputError(f"{path.name} {complaint}. Unpack it yourself and give the folder with the stems.")


def _leads_out(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or not parts[0] or ":" in parts[0] or "\0" in name


def unpack(path: Path, member: str, target: Path) -> None:
    """Write one file of an archive to ``target``; InputError where it is damaged, nothing is left then."""
    checked_entries(path)  # the archive may be another one than when it was looked at
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as source, target.open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as cause:
        target.unlink(missing_ok=True)
        raise InputError(
            f"{PurePosixPath(member).name} in {path.name} is damaged ({cause}). Download the archive again."
        ) from cause
    except BaseException:
        target.unlink(missing_ok=True)
        raise
