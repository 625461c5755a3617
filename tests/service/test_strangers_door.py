"""The example of docs/doors.md is a door, in a test and in the real service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.service import Frontend
from bridge.testing.service import FakeService
from bridge.values import JobOrigin
from tests.badinput.cases import music, write
from tests.serving import Home, until

PAGE = Path(__file__).parents[2] / "docs" / "doors.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{PAGE} has no {language} example"
    return found.group(1)


def test_the_example_is_ten_lines_and_a_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    song = tmp_path / "Blue.wav"
    song.write_bytes(b"a song")
    (tmp_path / "Today.m3u").write_text(f"{song}\n", encoding="utf-8")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    names: dict[str, type] = {}
    exec(compile(block("python"), str(PAGE), "exec"), names)
    door = names["PlaylistDoor"]()
    assert isinstance(door, Frontend)
    service = FakeService()
    door.start(service)
    door.stop()
    (job,) = service.jobs()
    assert (job.request.source, job.request.recipe, job.request.origin) == (song, "quick", JobOrigin.PLUGIN)
    body = [line for line in block("python").split("class", 1)[1].splitlines() if line.strip()]
    assert len(body) <= 10


def test_the_real_service_opens_it_beside_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    package = tmp_path / "package"
    installed = package / "playlist_door-1.0.dist-info"
    installed.mkdir(parents=True)
    (package / "playlist_door.py").write_text(block("python"), encoding="utf-8")
    entry = block("toml").replace('[project.entry-points."bridge.frontends"]', "[bridge.frontends]")
    (installed / "entry_points.txt").write_text(entry.replace('"', ""), encoding="utf-8")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: playlist-door\nVersion: 1.0\n")
    song = home.root / "Blue.wav"
    write(song, music(2.0))
    (home.root / "Today.m3u").write_text(f"{song}\n", encoding="utf-8")
    extra = {"PYTHONPATH": str(package), "HOME": str(home.root), "USERPROFILE": str(home.root)}
    with home.serve(extra=extra):
        until(lambda: list(home.root.glob("StemBridge/Blue/manifest.json")))
        until(home.ended)
    (job,) = home.jobs()
    assert job.request.origin is JobOrigin.PLUGIN
