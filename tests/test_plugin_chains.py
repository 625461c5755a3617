"""A producer's own chains with third-party plug-ins, in whole jobs by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.audio import write_audio
from bridge.generate import compose, random_spec
from presets import Chain, Compressor, Effect, Vst3, VstPreset
from tests.engines.vst3.plugins import misbehaving, real_plugin


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A song, and settings that name a folder of chains and one of plug-ins."""
    mixture = compose(random_spec(4, duration_s=6.0)).mixture
    write_audio(tmp_path / "Night Drive.wav", mixture)
    settings = f"[mix]\nchains = '{tmp_path / 'chains'}'\n[vst3]\nfolders = ['{tmp_path / 'vst3'}']\n"
    (tmp_path / "settings.toml").write_text(settings)
    return tmp_path


def put_chain(home: Path, role: str, *effects: Effect) -> None:
    path = home / "chains" / role / "neutral.toml"
    path.parent.mkdir(parents=True)
    path.write_text(Chain(name="My own", role=role, effects=effects).to_toml())


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "STEMBRIDGE_DATA": str(home / "data"),
        "STEMBRIDGE_CONFIG": str(home / "settings.toml"),
    }
    line = [sys.executable, "-m", "bridge.cli", *words]
    return subprocess.run(line, capture_output=True, text=True, env=environment, timeout=240, check=False)


def process(home: Path) -> tuple[Path, dict[str, Any]]:
    """The delivery of a master of the song as it is, and its manifest."""
    song, project = str(home / "Night Drive.wav"), str(home / "project")
    done = command(home, "process", song, "--recipe", "master-only", "--project", project, "--json")
    assert done.returncode == 0, done.stderr
    folder = Path(json.loads(done.stdout)[0]["folder"])
    return folder, json.loads((folder / "manifest.json").read_text())


def test_a_plug_in_takes_part_and_its_state_is_delivered(home: Path) -> None:
    """In the master chain, between effects of ours; its state lies with the presets."""
    real_plugin()
    warm = Vst3(plugin="ZamEQ2", parameters={"Boost/Cut L": 2.0}, name="warmth")
    glue = Vst3(plugin="ZamCompX2", parameters={"Threshold": -30.0})
    put_chain(home, "master", Compressor(threshold_db=-20.0), warm, glue)
    folder, manifest = process(home)
    (chain,) = manifest["chains"]
    assert [effect["kind"] for effect in chain["effects"]] == ["compressor", "vst3", "vst3", "limiter"]
    assert chain["effects"][1]["plugin"]["is_dual_mono"]
    (preset,) = folder.glob("Presets/Damien Zammit/ZamEQ2/*(as used).vstpreset")
    assert VstPreset.from_bytes(preset.read_bytes()).chunk("Comp").count(b"boostl\x002") == 1
    ours, theirs = sorted(folder.glob("Presets/Damien Zammit/ZamCompX2/*(Streaming)*[g)d].vstpreset"))[:2]
    assert ours.read_bytes() != theirs.read_bytes()
    report = (folder / "Report.html").read_text()
    assert "ZamEQ2 (VST3 plug-in)" in report
    assert "<dt>Boost/Cut L</dt><dd>2.01 dB</dd>" in report
    assert "ZamEQ2 (VST3 plug-in)" in (folder / "Presets/Dial it in.txt").read_text()


def test_a_plug_in_that_crashes_costs_its_effect_alone(home: Path) -> None:
    """The master is delivered without it; who crashed stands in report and manifest; it is tried again."""
    put_chain(
        home, "master", Compressor(threshold_db=-20.0), Vst3(plugin=misbehaving(home / "vst3", "CRASH"))
    )
    folder, manifest = process(home)
    assert list(folder.glob("Master/*.wav"))
    told = "Master: a plug-in of its chain was left out. BadCrash crashed (SIGSEGV) while it worked"
    assert told in (folder / "Report.html").read_text()
    assert any(note.startswith(told) for note in manifest["notes"])
    assert [effect["kind"] for effect in manifest["chains"][0]["effects"]] == ["compressor", "limiter"]
    assert not list((home / "data/stages").glob("master-*")), "a result without the plug-in was kept"


def test_the_page_shows_a_chain_that_holds() -> None:
    """The example in docs/plugins.md can be copied as it stands."""
    page = (Path(__file__).parents[1] / "docs/plugins.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[2].split("```")[0]
    chain = Chain.from_toml(f'role = "vocals"\n{example}', "docs/plugins.md")
    assert [effect.kind for effect in chain.effects] == ["compressor", "vst3"]


def test_doctor_tells_what_a_chain_lacks(home: Path) -> None:
    """Before any song is processed."""
    put_chain(home, "bass", Vst3(plugin="Nobody has this one"))
    put_chain(home, "vocal", Compressor())
    (home / "chains/pop.toml").write_text("")
    (home / "chains/._pop.toml").write_bytes(b"\0\5\x16\7")
    (home / "chains/bass/._neutral.toml").write_bytes(b"\0\5\x16\7")
    done = command(home, "doctor")
    assert done.returncode == 1
    assert f"{home / 'vst3'} is not there; vst3.folders names it." in done.stdout
    assert "vocal/neutral.toml: no stem has the role 'vocal'; did you mean 'vocals'?" in done.stdout
    assert "pop.toml is in no role's folder; wanted chains/<role>/pop.toml." in done.stdout
    assert "._" not in done.stdout
    assert "bass/neutral.toml: The plug-in 'Nobody has this one' is not installed" in done.stdout
