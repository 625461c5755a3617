"""What can be a song at all, by a look at the path: a file, or a folder of stems."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from bridge.errors import InputError, SourceMissingError
from bridge.stemset.find import find_stem_set


def expect_source(source: Path) -> None:
    """Refuse what is no file and no folder of stems; InputError says what was found there.

    SourceMissingError, which is one, where nothing is there.
    """
    if not source.exists():
        if source.is_symlink():
            target = source.readlink()
            raise SourceMissingError(f"{source} is a link to {target}, which is not there. Name the song.")
        raise SourceMissingError(
            f"{source} is not there; wanted a song's file. Check the path{_near(source)}"
        )
    if source.is_dir() and find_stem_set(source) is None:
        raise InputError(
            f"{source} is a folder without a set of stems; wanted a song's file, or a folder with stems "
            'such as "0 Lead Vocals.wav", "1 Drums.wav". Name the song itself.'
        )
    if not source.is_dir() and not source.is_file():
        raise InputError(f"{source} is neither a file nor a folder; wanted a song. Name a file.")
    if not os.access(source, os.R_OK):
        raise InputError(f"{source} cannot be opened: no permission to read it. Mend its permission.")


def _near(source: Path) -> str:
    if not source.parent.is_dir() or not os.access(source.parent, os.R_OK):
        return "."
    near = difflib.get_close_matches(source.name, [path.name for path in source.parent.iterdir()], n=1)
    return f"; did you mean '{near[0]}'?" if near else "."
