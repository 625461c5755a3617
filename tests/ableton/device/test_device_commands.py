"""``stembridge device``: the device comes to where Live looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ableton.device import commands
from ableton.device.build import BUILT
from ableton.device.places import IN_LIBRARY, Machine, user_library
from ableton.device.reader import read_device
from bridge.errors import ConfigError, DeliveryError

LIBRARY_CFG = """<?xml version="1.0" encoding="UTF-8"?>
<Ableton><ContentLibrary>
  <UserLibrary><LibraryProject Id="0">
    <ProjectName Value="{name}"/><ProjectPath Value="{path}"/>
  </LibraryProject></UserLibrary>
</ContentLibrary></Ableton>"""


def run(*words: object) -> Result:
    return CliRunner().invoke(commands.app, [*map(str, words)], catch_exceptions=False)


def output(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A Mac on which Live has its folders where it makes them."""
    machine = Machine("darwin", tmp_path / "Music", tmp_path / "Documents", tmp_path / "Preferences")
    monkeypatch.setattr(commands, "this_machine", lambda: machine)
    return machine


def settings(machine: Machine, live: str, path: Path, name: str = "User Library") -> None:
    """What a Live says about its User Library."""
    inner = "Preferences" if machine.system == "win32" else ""
    folder = machine.preferences / "Ableton" / live / inner
    folder.mkdir(parents=True)
    (folder / "Library.cfg").write_text(LIBRARY_CFG.format(path=path, name=name))


def test_the_device_goes_into_the_user_library(mac: Machine) -> None:
    said = output("install")
    path = mac.music / "Ableton" / "User Library" / IN_LIBRARY / "stembridge.amxd"
    assert path.read_bytes() == BUILT.read_bytes()
    assert str(path) in said


def test_an_older_device_is_replaced_and_nothing_else_is_left(mac: Machine) -> None:
    folder = mac.music / "Ableton" / "User Library" / IN_LIBRARY
    folder.mkdir(parents=True)
    (folder / "stembridge.amxd").write_bytes(b"older")
    assert "another version" in output("where")
    output("install")
    assert [path.name for path in folder.iterdir()] == ["stembridge.amxd"]
    assert "up to date" in output("where")


def test_where_says_that_it_is_not_there(mac: Machine) -> None:
    said = output("where")
    assert "where Live makes it" in said
    assert "stembridge device install" in said


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_a_library_that_was_moved_is_found(tmp_path: Path, system: str) -> None:
    machine = Machine(system, tmp_path / "Music", tmp_path / "Documents", tmp_path / "Preferences")
    moved = tmp_path / "Volumes" / "User Library"
    moved.mkdir(parents=True)
    settings(machine, "Live 11.3.42", tmp_path / "gone")
    settings(machine, "Live 12.1", moved.parent)
    assert user_library(machine) == (moved, "as Live 12.1 says")


def test_the_newest_live_that_knows_a_library_is_asked(tmp_path: Path) -> None:
    """12.10 is newer than 12.9, and one whose library is gone is passed over."""
    machine = Machine("darwin", tmp_path / "Music", tmp_path / "Documents", tmp_path / "Preferences")
    places = {live: tmp_path / live for live in ("Live 12.9", "Live 12.10", "Live 12.11")}
    for live, place in places.items():
        settings(machine, live, place, name="")
        place.mkdir()
    places["Live 12.11"].rmdir()
    assert user_library(machine).folder == places["Live 12.10"]


def test_settings_that_cannot_be_read_are_passed_over(mac: Machine) -> None:
    settings(mac, "Live 12.1", Path("x"))
    (mac.preferences / "Ableton" / "Live 12.1" / "Library.cfg").write_text("<Ableton><User")
    assert user_library(mac).how == "where Live makes it"


@pytest.mark.parametrize(("system", "place"), [("darwin", "Music"), ("win32", "Documents")])
def test_each_system_has_its_place(tmp_path: Path, system: str, place: str) -> None:
    machine = Machine(system, tmp_path / "Music", tmp_path / "Documents", tmp_path / "Preferences")
    assert user_library(machine).folder == tmp_path / place / "Ableton" / "User Library"


def test_on_a_system_without_live_it_is_said_so(tmp_path: Path) -> None:
    machine = Machine("linux", tmp_path, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="stembridge device export"):
        user_library(machine)


def test_a_library_that_is_named_is_taken_on_any_system(tmp_path: Path) -> None:
    output("install", "--library", tmp_path)
    assert (tmp_path / IN_LIBRARY / "stembridge.amxd").exists()
    assert "up to date" in output("where", "--library", tmp_path)


def test_a_library_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no folder"):
        run("install", "--library", tmp_path / "nowhere")


def test_the_device_is_exported_into_a_folder_that_is_made(tmp_path: Path) -> None:
    output("export", tmp_path / "to" / "take")
    assert read_device(tmp_path / "to" / "take" / "stembridge.amxd").kind == "aaaa"


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeliveryError, match="cannot be written"):
        run("export", tmp_path / "file")


def test_a_service_at_another_port_gets_a_device_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[osc]\nport = 18800\n")
    monkeypatch.setenv("STEMBRIDGE_CONFIG", str(file))
    output("export", tmp_path)
    texts = [entry["box"].get("text") for entry in read_device(tmp_path / "stembridge.amxd").patcher["boxes"]]
    assert "udpsend 127.0.0.1 18800" in texts
    assert "up to date" not in output("where", "--library", tmp_path)
