"""What makes two requests the same work: content, recipe, destination, targets and options."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bridge.errors import InputError
from bridge.values import JobRequest

_BLOCK_BYTES = 1 << 20


def hash_source(source: Path) -> str:
    """sha256, in hex, of a file's bytes, or of the names and bytes of all files in a folder.

    Reads by blocks of 1 MiB. Raises InputError where the source is missing or cannot be read.
    """
    try:
        return _hash_folder(source) if source.is_dir() else _hash_file(source).hexdigest()
    except OSError as cause:
        raise InputError(
            f"{source} cannot be read ({cause.strerror or cause}); wanted a song's file or a folder of its "
            "stems. Check the path and your permission."
        ) from cause


def fingerprint(request: JobRequest, source_sha256: str) -> str:
    """sha256, in hex, of everything that decides what a job delivers and where.

    The source counts by content, not by path or name; the door through which the request came does not count;
    order and doubles among targets and wishes do not either.
    """
    parts = {
        "source": source_sha256,
        "recipe": request.recipe,
        "destination": str(request.destination.expanduser().absolute()),
        "targets": sorted(set(request.targets)),
        "wishes": sorted(set(request.wishes)),
        "keep_separated": request.keep_separated,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _hash_file(path: Path) -> hashlib._Hash:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256(b"folder")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        digest.update(_hash_file(path).digest())
    return digest.hexdigest()
