"""What is said when a file cannot be read or written."""

from __future__ import annotations

import errno
from pathlib import Path

from bridge.errors import AudioError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def unreadable(path: Path, found: object) -> AudioError:
    """The file cannot be decoded."""
    what = str(found).strip() or type(found).__name__
    return AudioError(
        f"{path.name} cannot be decoded ({what}); wanted WAV, AIFF, FLAC, MP3, OGG, M4A, OPUS or WEBM audio. "
        "Export or download it again."
    )


def incomplete(path: Path, found_s: float, wanted_s: float) -> AudioError:
    """The file holds less audio than it says."""
    return AudioError(
        f"{path.name} is incomplete: found {found_s:.2f} s of {wanted_s:.2f} s. The export or the "
        "download was not finished; export or download it again."
    )


def unopened(path: Path, cause: OSError) -> AudioError:
    """The file is not there or may not be read."""
    return AudioError(
        f"{path.name} cannot be opened: {cause.strerror or cause}. Check the path and your permission."
    )


def unwritable(path: Path, cause: OSError) -> AudioError:
    """The disk did not take the file."""
    return AudioError(f"{path} could not be written ({cause.strerror or cause}). {_advice(cause)}")


def _advice(cause: OSError) -> str:
    if cause.errno in _FULL:
        return "The disk or its quota is full: free some space, or choose a folder on another disk."
    if cause.errno in _FORBIDDEN:
        return "Writing is not permitted there: check the permission of the folder, or choose another."
    if cause.errno == errno.ENOENT:
        return "Its folder does not exist: make it first."
    return "Check the disk, or choose another folder."
