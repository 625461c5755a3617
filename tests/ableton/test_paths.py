"""Paths of three systems, as people and Max write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.paths import System, project_folder, read_path, whole_path
from bridge.errors import InputError

LINUX = System(is_windows=False, is_mac=False, home="/home/me")
MAC = System(is_windows=False, is_mac=True, home="/Users/me")
WINDOWS = System(is_windows=True, is_mac=False, home="C:\\Users\\me")
MOUNTED = {"/Volumes/Samples", "/Volumes/Macintosh HD"}

GOOD = [
    (LINUX, "/music/a.wav", "/music/a.wav"),
    (LINUX, "~/a.wav", "/home/me/a.wav"),
    (LINUX, "~", "/home/me"),
    (LINUX, "//music//./b/../a.wav", "/music/a.wav"),
    (LINUX, "/music/a: b.wav", "/music/a: b.wav"),
    (MAC, "/Users/me/Grün.wav", "/Users/me/Grün.wav"),
    (MAC, "Macintosh HD:/Users/me/a.wav", "/Volumes/Macintosh HD/Users/me/a.wav"),
    (MAC, "Samples:/kicks/a.wav", "/Volumes/Samples/kicks/a.wav"),
    (MAC, "Renamed:/Users/me/a.wav", "/Users/me/a.wav"),
    (WINDOWS, "C:/Users/me/a.wav", "C:\\Users\\me\\a.wav"),
    (WINDOWS, "d:\\music\\..\\a.wav", "d:\\a.wav"),
    (WINDOWS, "~/a.wav", "C:\\Users\\me\\a.wav"),
    (WINDOWS, "~\\a.wav", "C:\\Users\\me\\a.wav"),
]
BAD = [
    (LINUX, "", "empty"),
    (LINUX, "  ", "empty"),
    (LINUX, "a.wav", "absolute"),
    (LINUX, "../a.wav", "absolute"),
    (LINUX, "~other/a.wav", "absolute"),
    (LINUX, "/a\0b", "control"),
    (LINUX, "/a\nb", "control"),
    (LINUX, "/a\x7fb", "control"),
    (LINUX, "C:/Users/me/a.wav", "Windows"),
    (MAC, "\\\\nas\\music\\a.wav", "Windows"),
    (WINDOWS, "/Users/me/a.wav", "drive"),
    (WINDOWS, "C:a.wav", "drive"),
    (WINDOWS, "music\\a.wav", "drive"),
    (WINDOWS, "\\\\nas\\music\\a.wav", "machine"),
    (WINDOWS, "//nas/music/a.wav", "machine"),
    (WINDOWS, "\\\\?\\C:\\a.wav", "machine"),
    (WINDOWS, "C:\\a.wav:stream", "colon"),
]


@pytest.mark.parametrize(("system", "text", "wanted"), GOOD)
def test_a_path_of_the_system_becomes_whole(system: System, text: str, wanted: str) -> None:
    assert whole_path(text, system, exists=MOUNTED.__contains__) == wanted


@pytest.mark.parametrize(("system", "text", "word"), BAD)
def test_what_names_no_file_here_is_refused_with_the_reason(system: System, text: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        whole_path(text, system, exists=MOUNTED.__contains__)


def test_this_machine_is_known() -> None:
    assert read_path("~/a.wav") == Path.home() / "a.wav"


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/sets/My Project/Song.als", "/sets/My Project"), ("/sets/My Project", "/sets/My Project")],
)
def test_a_project_may_be_named_by_its_live_set(path: str, folder: str) -> None:
    assert project_folder(Path(path)) == Path(folder)
