"""Paths as clients write them: POSIX, Windows and Max, told apart and made whole."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import sys
from collections.abc import Callable
from pathlib import Path

from bridge.errors import InputError
from bridge.values import Value

_VOLUME = re.compile(r"^([^/\\:]{2,}):(/.*)$", re.DOTALL)
_DRIVE = re.compile(r"^[A-Za-z]:")
_LIVE_SET_SUFFIX = ".als"


class System(Value):
    """What of the operating system matters to paths."""

    is_windows: bool
    is_mac: bool
    home: str

    @classmethod
    def here(cls) -> System:
        """This machine."""
        return cls(is_windows=os.name == "nt", is_mac=sys.platform == "darwin", home=str(Path.home()))

    @property
    def words(self) -> str:
        """Its name for people."""
        return "Windows" if self.is_windows else "macOS" if self.is_mac else "Linux"


def read_path(text: str, what: str = "path") -> Path:
    """The absolute path that a client means; InputError, in words, where it names none of this machine."""
    return Path(whole_path(text, System.here(), what))


def whole_path(
    text: str, system: System, what: str = "path", exists: Callable[[str], bool] = os.path.exists
) -> str:
    """As ``read_path``, for any system. "Macintosh HD:/Users/..." is how Max writes macOS paths."""
    _expect_printable(text, what)
    plain = _with_home(_without_volume(text, system, exists), system)
    if system.is_windows:
        return _whole_windows(plain, what)
    return _whole_posix(plain, system, what)


def project_folder(path: Path) -> Path:
    """The folder of a project, named by itself or by its Live Set, as ``live_set file_path`` gives it."""
    return path.parent if path.suffix.lower() == _LIVE_SET_SUFFIX else path


def _expect_printable(text: str, what: str) -> None:
    if not text.strip():
        raise InputError(f"The {what} is empty; wanted the absolute path of a file.")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise InputError(f"The {what} {text!r} holds control characters; wanted a plain absolute path.")


def _without_volume(text: str, system: System, exists: Callable[[str], bool]) -> str:
    match = _VOLUME.match(text)
    if match is None or system.is_windows:
        return text
    volume, rest = match.groups()
    mounted = f"/Volumes/{volume}"
    return mounted + rest if system.is_mac and exists(mounted) else rest


def _with_home(text: str, system: System) -> str:
    is_home = text == "~" or text.startswith(("~/", "~\\"))
    return system.home + text[1:] if is_home else text


def _whole_posix(text: str, system: System, what: str) -> str:
    if _DRIVE.match(text) or text.startswith("\\\\"):
        raise InputError(f"The {what} {text} is one of Windows; stembridge runs on {system.words} here.")
    if not text.startswith("/"):
        raise InputError(f"The {what} {text} is not absolute; wanted one that starts with / or ~/.")
    return posixpath.normpath(text).replace("//", "/")


def _whole_windows(text: str, what: str) -> str:
    path = ntpath.normpath(text)
    if path.startswith("\\\\"):
        raise InputError(f"The {what} {text} names another machine; wanted one on a drive, such as C:/Music.")
    if not (_DRIVE.match(path) and ntpath.isabs(path)):
        raise InputError(f"The {what} {text} is not absolute; wanted one that starts with a drive: C:/Music.")
    if ":" in path[2:]:
        raise InputError(f"The {what} {text} holds a second colon; wanted the path of a plain file.")
    return path
