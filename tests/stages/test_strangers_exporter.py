"""The example of docs/exports.md is an exporter, and the real command runs it as its own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from bridge.protocols import Exporter
from tests.badinput.cases import music, write
from tests.test_process import Command

PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


def block(language: str) -> str:
    """The first example in a language below the exporter's heading."""
    text = PAGE.read_text(encoding="utf-8").partition("## An exporter of your own")[2]
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found, f"{PAGE} has no {language} example"
    return found.group(1)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The example as an installed package."""
    folder = tmp_path / "package"
    installed = folder / "chord_sheet-1.0.dist-info"
    installed.mkdir(parents=True)
    (folder / "chord_sheet.py").write_text(block("python"), encoding="utf-8")
    entry = block("toml").replace('[project.entry-points."bridge.exporters"]', "[bridge.exporters]")
    (installed / "entry_points.txt").write_text(entry.replace('"', ""), encoding="utf-8")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: chord-sheet\nVersion: 1.0\n")
    return folder


def test_the_example_is_an_exporter() -> None:
    names: dict[str, type] = {}
    exec(compile(block("python"), str(PAGE), "exec"), names)
    assert isinstance(names["ChordSheetExporter"](), Exporter)


def test_the_command_runs_it_and_says_what_failed(tmp_path: Path, package: Path) -> None:
    """Its file is vouched for as any other; an exporter that is not there costs a line."""
    song = tmp_path / "Blue.wav"
    write(song, music(6.0))
    settings = tmp_path / "settings.toml"
    settings.write_text(
        '[export]\nformats = ["chordsheet", "absent", "liveset"]\nlive_template = "none.als"\n'
    )
    command = Command(tmp_path)
    command.environment["PYTHONPATH"] = os.pathsep.join(
        [str(package), command.environment.get("PYTHONPATH", "")]
    )
    delivered = command.process(song, "--recipe", "stems-only", "--config", settings)
    manifest = json.loads((Path(delivered["folder"]) / "manifest.json").read_text(encoding="utf-8"))
    exports = [file["path"] for file in manifest["files"] if file["role"].startswith("export/")]
    assert exports == ["Chords/Blue.txt"]
    sheet = (Path(delivered["folder"]) / "Chords" / "Blue.txt").read_text(encoding="utf-8")
    assert sheet.startswith("Blue\n")
    absent, liveset = manifest["notes"]
    assert "exporter 'absent': No 'absent' is registered in bridge.exporters" in absent
    assert "exporter 'liveset': export.live_template: none.als cannot be read" in liveset
    report = (Path(delivered["folder"]) / "Report.html").read_text(encoding="utf-8")
    assert "No &#39;absent&#39; is registered" in report
    assert manifest["music"]["rhythm"]["beats_per_bar"] >= 1
