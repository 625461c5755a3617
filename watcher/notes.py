"""Notes beside songs that could not be used: why, and what to do."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import uuid
from pathlib import Path

from bridge.service.songs import NOTE_SUFFIX, PARTIAL_NOTE_SUFFIX

FIRST_WORDS = "stembridge could not use"
"""How each note of ours begins; what begins otherwise is somebody else's and is left alone."""

log = logging.getLogger(__name__)


def note_of(source: Path) -> Path:
    """Where the note of a song is: "Song.mp3.stembridge.txt" beside it."""
    return source.with_name(source.name + NOTE_SUFFIX)


def write_note(source: Path, why: str) -> bool:
    """Put a note beside a song; whether it is there now.

    Written whole or not at all. A folder that cannot be written to is logged, not fatal; a file of that name
    that is not ours stays as it is.
    """
    note, text = note_of(source), _text(source, why)
    try:
        if os.path.lexists(note):
            if not is_ours(note):
                raise FileExistsError(errno.EEXIST, "somebody else's file has that name", str(note))
            if note.read_bytes() == text.encode():
                return True
        _replace(note, text)
    except OSError as error:
        log.warning(
            "No note could be left beside %s (%s). It says: %s",
            source,
            error.strerror or error,
            why,
            extra={"action": "note_failed"},
        )
        return False
    return True


def remove_partial(path: Path) -> None:
    """Take away a note that was half written when its folder went."""
    with contextlib.suppress(OSError):
        path.unlink()


def remove_note(source: Path) -> None:
    """Take the note of a song away, if there is one of ours."""
    note = note_of(source)
    if os.path.lexists(note) and is_ours(note):
        with contextlib.suppress(OSError):
            note.unlink()


def is_ours(note: Path) -> bool:
    """Whether stembridge wrote that file."""
    try:
        with note.open("rb") as file:
            return not note.is_symlink() and file.read(len(FIRST_WORDS)) == FIRST_WORDS.encode()
    except OSError:
        return False


def _text(source: Path, why: str) -> str:
    name = readable(source.name)
    return (
        f'{FIRST_WORDS} "{name}".\n\n{readable(why)}\n\n'
        "Mend that, then save or export the song here again: stembridge tries again by itself.\n"
        "This note goes when the song succeeds, is moved away or is deleted.\n"
    )


def readable(text: str) -> str:
    """Text from names, with bytes that are no text shown as a replacement character."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _replace(note: Path, text: str) -> None:
    partial = note.with_name(f".{uuid.uuid4().hex[:12]}{PARTIAL_NOTE_SUFFIX}")
    try:
        with partial.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        partial.replace(note)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
