"""What makes two requests the same work: content, recipe, destination, targets and options."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from bridge import hashes
from bridge.errors import InputError
from bridge.values import JobRequest


def hash_source(source: Path) -> str:
    """sha256, in hex, of a file's bytes, or of the names and bytes of all files in a folder.

    Raises InputError where the source is missing, is no song (a pipe or a device may never end, a folder may
    be all of a disk), or cannot be read.
    """
    try:
        if not source.is_file():
            from bridge.stemset import expect_source  # for folders and mistakes alone

            expect_source(source)
        return hashes.hash_source(source)
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
        "destination": os.path.realpath(request.destination.expanduser()),
        "targets": sorted(set(request.targets)),
        "wishes": sorted(set(request.wishes)),
        "keep_separated": request.keep_separated,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
