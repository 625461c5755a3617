"""``stembridge presets``: installed where hosts look, shown in words, captured from real plug-ins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.app import app
from bridge.cli.installing import files_in, install, shipped_files
from bridge.errors import EngineError, InputError
from presets import Chain, Compressor, Library, Limiter, PresetError, VstPreset, preset_files
from presets.folders import named_preset, presets_root
from presets.vstpreset import Chunk
from tests.engines.vst3.plugins import real_plugin

CHAIN = Chain(name="Mine", role="bass", effects=(Compressor(threshold_db=-23.0), Limiter()))
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The command with a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STEMBRIDGE_CONFIG", str(tmp_path / "none.toml"))

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["presets", *map(str, words)])

    return invoke


def delivery(folder: Path) -> Path:
    for file in preset_files(CHAIN, "Night Drive - Bass"):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    return folder


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.vstpreset"))


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_a_delivery_is_installed_in_the_form_of_its_system(system: str, tmp_path: Path) -> None:
    """One file for each preset, under its plain name, with the class id that the system's plug-ins have."""
    root = tmp_path / "root"
    placed = install(files_in(delivery(tmp_path / "song")), root, system)
    assert names(root) == [
        "Damien Zammit/ZaMaximX2/Night Drive - Bass.vstpreset",
        "Damien Zammit/ZamCompX2/Night Drive - Bass.vstpreset",
    ]
    ids = {VstPreset.from_bytes(path.read_bytes()).class_id for path in placed.written}
    assert all(found.startswith("44504620" if system == "win32" else "20465044") for found in ids)


@pytest.mark.parametrize("system", ["linux", "win32"])
@pytest.mark.parametrize("form", ["", " (Windows)"])
def test_a_single_file_is_installed_in_the_form_of_its_system(form: str, system: str, tmp_path: Path) -> None:
    """Whichever of the two somebody was sent."""
    song = delivery(tmp_path / "song")
    file = song / f"Presets/Damien Zammit/ZamCompX2/Night Drive - Bass{form}.vstpreset"
    (path,) = install(files_in(file), tmp_path / "root", system).written
    assert path.name == "Night Drive - Bass.vstpreset"
    assert VstPreset.read(path).class_id.startswith("44504620" if system == "win32" else "20465044")


def test_what_macos_leaves_beside_a_preset_is_none(tmp_path: Path) -> None:
    """On disks that are not its own it keeps a second file beside each."""
    song = delivery(tmp_path / "song")
    (song / "Presets/Damien Zammit/ZamCompX2/._Night Drive - Bass.vstpreset").write_bytes(b"\0\5\x16\7")
    assert len(install(files_in(song), tmp_path / "root").written) == 2


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    """The same file once more is no file; another one of that name gets a number."""
    root, files = tmp_path / "root", files_in(delivery(tmp_path / "song"))
    install(files, root)
    assert install(files, root).unchanged == 2
    other = CHAIN.evolve(effects=(Compressor(threshold_db=-40.0),))
    (placed,) = install(preset_files(other, "Night Drive - Bass"), root, "linux").written
    assert placed.name == "Night Drive - Bass (2).vstpreset"
    assert install(preset_files(other, "Night Drive - Bass"), root, "linux").unchanged == 1


def test_a_folder_of_a_like_name_is_in_nobodys_way(tmp_path: Path) -> None:
    """Producers sort their presets into folders."""
    root, files = tmp_path / "root", files_in(delivery(tmp_path / "song"))
    for name in ("Night Drive - Bass (old)", "Night Drive - Bass.vstpreset"):
        (root / "Damien Zammit/ZamCompX2" / name).mkdir(parents=True)
    written = {path.name for path in install(files, root, "linux").written}
    assert written == {"Night Drive - Bass.vstpreset", "Night Drive - Bass (2).vstpreset"}


def test_our_own_chains_have_a_preset_each(run: Run) -> None:
    """Without a word of what: the shipped chains, where this system's hosts look."""
    wanted = [file for file in shipped_files(Library()) if "(Windows)" not in file.path]
    done = run("install")
    assert done.output.startswith(f"{len(wanted)} presets written to ")
    assert len(names(presets_root())) == len(wanted)
    assert named_preset("stembridge Rock master", "ZaMultiCompX2") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="the folder comes from the registry there")
def test_a_strangers_preset_needs_its_place(tmp_path: Path) -> None:
    """Whose it is cannot be read from a file; the folders it lies in tell."""
    preset = VstPreset(class_id="0" * 32, chunks=(Chunk(id="Comp", data=b"x"),)).to_bytes()
    loose = tmp_path / "Warm.vstpreset"
    loose.write_bytes(preset)
    with pytest.raises(InputError, match="Presets/<Vendor>/<Plugin>"):
        files_in(loose)
    placed = tmp_path / "Presets/Valhalla/Room/Warm.vstpreset"
    placed.parent.mkdir(parents=True)
    placed.write_bytes(preset)
    install(files_in(tmp_path / "Presets"), tmp_path / "root")
    assert names(tmp_path / "root") == ["Valhalla/Room/Warm.vstpreset"]


def test_a_damaged_one_stops_before_any_is_written(run: Run, tmp_path: Path) -> None:
    """All are read before the first is written."""
    song = delivery(tmp_path / "song")
    next(song.rglob("*.vstpreset")).write_bytes(b"VST3")
    done = run("install", song)
    assert isinstance(done.exception, PresetError)
    assert not presets_root().exists()


def test_show_tells_titles_values_and_units(run: Run, tmp_path: Path) -> None:
    """Of a plug-in that we know; for Windows, too."""
    song = delivery(tmp_path / "song")
    done = run("show", song / "Presets/Damien Zammit/ZamCompX2/Night Drive - Bass (Windows).vstpreset")
    assert "ZamCompX2 by Damien Zammit (for Windows)" in done.output
    assert "Threshold         -28 dB" in done.output


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (b"VC2!\x20\0\0\0<Gain value='3'/>\0", "<Gain value='3'/>"),
        (b"\x00\x01\xfe\xff" * 100, "in the plug-in's own form, beginning with 00 01 fe ff"),
        (b"plain words", "plain words"),
    ],
    ids=["juce", "binary", "text"],
)
def test_show_prints_any_preset(state: bytes, told: str, run: Run, tmp_path: Path) -> None:
    """Whoever wrote it, and however it keeps its state; nothing in it steers the terminal."""
    info = Chunk(id="Info", data=b"<MetaInfo>\x1b[31mred</MetaInfo>")
    preset = VstPreset(class_id="0" * 32, chunks=(Chunk(id="Comp", data=state), info))
    file = tmp_path / "any.vstpreset"
    file.write_bytes(preset.to_bytes())
    done = run("show", file)
    assert done.exit_code == 0
    assert told in done.output
    assert "MetaInfo" in done.output
    assert "\x1b" not in done.output


def test_capture_saves_what_was_set(run: Run) -> None:
    """Found again by its name in the plug-in's folder; shown by the plug-in itself."""
    real_plugin()
    done = run("capture", "zameq2", "--set", "Master Gain=3", "--set", "Peaks ON=on", "--name", "Lift")
    assert '{kind = "vst3", plugin = "zameq2", preset = "Lift"}' in done.output
    file = named_preset("Lift", "ZamEQ2")
    assert file is not None
    shown = run("show", file, "--plugin", "ZamEQ2").output
    assert "master  3" in shown
    assert "Master Gain      3 dB" in shown
    assert "nothing was written" in run("capture", "zamEQ2", "--preset", "Lift", "--name", "Lift").output


def test_capture_calls_it_as_asked(run: Run) -> None:
    """A name that looks like one of ours for Windows is a name like any other."""
    real_plugin()
    assert "is saved as" in run("capture", "ZamEQ2", "--name", "Air (Windows)").output
    assert named_preset("Air (Windows)", "ZamEQ2") is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ZamEQ2", "--set", "Master Gain=nan"), "does not take Master Gain = 'nan'"),
        (("ZamEQ2", "--set", "Master Gain=inf"), "out of range"),
        (("",), "plugin: found ''"),
        (("ZamEQ2", "--preset", "~Nobody"), "has no preset '~Nobody'"),
    ],
    ids=["nan", "inf", "no name", "tilde"],
)
def test_capture_refuses_in_words(words: tuple[str, ...], told: str, run: Run) -> None:
    """What cannot be meant never shows as a traceback."""
    real_plugin()
    error = run("capture", *words).exception
    assert isinstance(error, (EngineError, PresetError))
    assert told in str(error)


def test_capture_tells_the_near_word(run: Run) -> None:
    """A slip in a parameter's name is told with the right one."""
    real_plugin()
    done = run("capture", "ZamEQ2", "--set", "MasterGain=3")
    assert isinstance(done.exception, EngineError)
    assert "did you mean 'Master Gain'" in str(done.exception)
