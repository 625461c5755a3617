"""Plug-ins and presets found by their files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.config import Vst3Settings
from bridge.engines.vst3 import find_plugin, installed_plugins, mark_of, setup_of
from bridge.engines.vst3.scan import plugin_folders
from bridge.errors import EngineError
from presets import Chain, Compressor, Vst3, preset_files


@pytest.fixture
def folder(settings: Vst3Settings) -> Path:
    """The user's own folder, with plug-ins as systems and vendors lay them."""
    place = Path(settings.folders[0])
    for name in ("Warm.vst3", "Vendor/Delay One.vst3", "Vendor/Suite/Comp.VST3"):
        (place / name / "Contents").mkdir(parents=True)
    (place / "Single.vst3").write_bytes(b"a Windows plug-in may be one file")
    (place / "Warm.vst3/Contents/Inside.vst3").mkdir()
    (place / "._Warm.vst3").write_bytes(b"what macOS leaves on disks that are not its own")
    (place / "Vendor/readme.txt").write_text("no plug-in")
    return place


def test_bundles_are_found_wherever_vendors_put_them(folder: Path, settings: Vst3Settings) -> None:
    """In folders of vendors, as folders and as files; what lies inside a bundle is none."""
    found = {plugin.name for plugin in installed_plugins(settings) if plugin.path.is_relative_to(folder)}
    assert found == {"Warm", "Delay One", "Comp", "Single"}


def test_the_users_folder_goes_first(folder: Path, settings: Vst3Settings) -> None:
    """Of two with one name the first counts."""
    (folder / "ZamEQ2.vst3").mkdir()
    later = folder.with_name("later")
    (later / "zamEQ2.vst3").mkdir(parents=True)
    both = settings.evolve(folders=(str(folder), str(later)))
    assert find_plugin("zameq2", both).path == folder / "ZamEQ2.vst3"
    assert [plugin.name for plugin in installed_plugins(both)].count("ZamEQ2") == 1


@pytest.mark.parametrize("name", ["delay one", "Delay One.vst3", "DELAY ONE"])
def test_names_count_whatever_their_capitals(name: str, folder: Path, settings: Vst3Settings) -> None:
    """With or without the ending."""
    assert find_plugin(name, settings).path == folder / "Vendor/Delay One.vst3"


def test_a_missing_one_is_told_with_the_near_one(folder: Path, settings: Vst3Settings) -> None:
    """Where none is near, with the command that lists them all."""
    with pytest.raises(EngineError, match="Did you mean 'Delay One'"):
        find_plugin("Delay 1", settings)
    with pytest.raises(EngineError, match="stembridge doctor"):
        find_plugin("Something else entirely", settings)


def test_a_name_may_begin_like_somebodys_home(folder: Path, settings: Vst3Settings) -> None:
    """A preset that is called "~Air" is looked for by that name; a folder of nobody's holds nothing."""
    with pytest.raises(EngineError, match="has no preset '~Air'"):
        setup_of(Vst3(plugin="Warm", preset="~Air"), settings)
    assert find_plugin("Warm", settings.evolve(folders=("~nobody-is-called-this/vst3", str(folder))))


@pytest.mark.parametrize(
    ("system", "wanted"),
    [
        ("linux", "/usr/lib/vst3"),
        ("darwin", "/Library/Audio/Plug-Ins/VST3"),
        ("win32", "C:/Program Files/Common Files/VST3"),
    ],
)
def test_every_system_has_its_folders(
    system: str, wanted: str, settings: Vst3Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Steinberg lays them down."""
    monkeypatch.delenv("COMMONPROGRAMFILES", raising=False)
    assert Path(wanted) in plugin_folders(settings, system)


def test_a_mark_changes_with_plug_in_and_preset(folder: Path, settings: Vst3Settings, tmp_path: Path) -> None:
    """A new version or another preset is another result; nothing else is."""
    library = folder / "Warm.vst3/Contents/warm.so"
    library.write_bytes(b"version 1")
    preset = tmp_path / "a.vstpreset"
    chain = Chain(name="x", role="bass", effects=(Compressor(),))
    preset.write_bytes(preset_files(chain)[0].data)
    effect = Vst3(plugin="Warm", preset=str(preset))
    first = mark_of(effect, settings)
    assert mark_of(effect, settings) == first
    preset.write_bytes(preset_files(chain)[1].data)
    second = mark_of(effect, settings)
    library.write_bytes(b"version 2")
    os.utime(library, (1, 1))
    assert len({first, second, mark_of(effect, settings), mark_of(Vst3(plugin="Warm"), settings)}) == 4
    assert mark_of(Vst3(plugin="Wram"), settings) == "missing"
