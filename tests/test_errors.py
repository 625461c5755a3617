"""Errors: what a full disk is, whoever met it."""

from __future__ import annotations

import errno

import pytest

from bridge.errors import AudioError, DiskFullError, EngineError, StorageError, is_disk_full


def raised_from(cause: BaseException, *errors: Exception) -> BaseException:
    for error in errors:
        error.__cause__ = cause
        cause = error
    return cause


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        DiskFullError(),
        raised_from(OSError(errno.ENOSPC, "No space left on device"), AudioError(), EngineError()),
        raised_from(DiskFullError(), EngineError()),
    ],
)
def test_a_full_disk_is_found_under_other_words(fault: BaseException) -> None:
    """However far down it lies."""
    assert is_disk_full(fault)


@pytest.mark.parametrize(
    "fault",
    [
        None,
        OSError(errno.EROFS, "Read-only file system"),
        OSError(errno.EFBIG, "File too large"),
        StorageError(),
        raised_from(OSError(errno.EACCES, "Permission denied"), AudioError()),
    ],
)
def test_other_faults_are_none(fault: BaseException | None) -> None:
    """Room would not help them: a file may be too large for its file system on an empty disk."""
    assert not is_disk_full(fault)
