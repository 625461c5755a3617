"""Where Live looks for devices: the User Library, wherever its owner has put it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree

from bridge.errors import ConfigError

IN_LIBRARY: Final = Path("Presets", "Audio Effects", "Max Audio Effect")
"""Where audio effects of Max for Live lie in a User Library."""
_LIBRARY_NAME: Final = "User Library"
_VERSION: Final = re.compile(r"\d+")


class Library(NamedTuple):
    """A User Library, and how it was found."""

    folder: Path
    how: str
    """For people: "as Live 12.1 says"."""


class Machine(NamedTuple):
    """What of a computer matters here."""

    system: str
    """As ``sys.platform`` says: "darwin", "win32", "linux"."""
    music: Path
    documents: Path
    preferences: Path
    """The folder in which Live keeps a folder "Ableton"."""


def this_machine() -> Machine:
    """The computer and user at work."""
    import platformdirs

    is_windows = sys.platform == "win32"
    preferences = (
        Path(os.environ.get("APPDATA", "")) if is_windows else Path.home() / "Library" / "Preferences"
    )
    return Machine(
        system=sys.platform,
        music=platformdirs.user_music_path(),
        documents=platformdirs.user_documents_path(),
        preferences=preferences,
    )


def user_library(machine: Machine) -> Library:
    """The User Library of the newest Live that says where it is, else where Live makes it.

    ConfigError, in words, on a system for which there is no Live.
    """
    if machine.system not in ("darwin", "win32"):
        raise ConfigError(
            "Live runs on macOS and Windows, and this is neither. Write the device into a folder with "
            "'stembridge device export DIR', and drag it from there into Live on your other computer."
        )
    default = machine.music if machine.system == "darwin" else machine.documents
    told = next(_told_libraries(machine), None)
    return told or Library(default / "Ableton" / _LIBRARY_NAME, "where Live makes it")


def _told_libraries(machine: Machine) -> Iterator[Library]:
    """What the settings of each Live on this computer say, the newest first."""
    inner = Path("Preferences") if machine.system == "win32" else Path()
    found = (machine.preferences / "Ableton").glob("Live *")
    for folder in sorted(found, key=_version, reverse=True):
        library = _read_settings(folder / inner / "Library.cfg")
        if library is not None:
            yield Library(library, f"as {folder.name} says")


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(map(int, _VERSION.findall(folder.name)))


def _read_settings(path: Path) -> Path | None:
    """The User Library that a Library.cfg names; None where it names none that is there."""
    try:
        tree = ElementTree.fromstring(path.read_bytes())
    except (OSError, ElementTree.ParseError):
        return None
    project = tree.find(".//UserLibrary//ProjectPath")
    place = project.get("Value", "") if project is not None else ""
    if not place:
        return None
    name = tree.find(".//UserLibrary//ProjectName")
    folder = Path(place)
    named = folder / (name.get("Value", "") if name is not None else _LIBRARY_NAME)
    return next((found for found in (named, folder) if found.is_dir()), None)
