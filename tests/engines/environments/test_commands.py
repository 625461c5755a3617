"""``stembridge engines`` and ``--studio`` as a person uses them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import tomli_w
from typer.testing import CliRunner, Result

from bridge.cli import engines as commands
from bridge.cli import studio
from bridge.cli.app import app
from bridge.config import Config
from bridge.engines import environments
from bridge.errors import EngineError, WeightsError
from tests.engines.environments.index import Index


def run(tmp_path: Path, *words: str) -> Result:
    settings = tmp_path / "config.toml"
    engines = {"indexes": {"cpu": "", "cuda": ""}}
    settings.write_text(tomli_w.dumps({"work": {"folder": str(tmp_path / "my däta")}, "engines": engines}))
    return CliRunner().invoke(app, ["engines", *words, "--config", str(settings)])


def test_a_life_of_an_engine(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, installed with its size and licence said first, looked at, spoiled, found out, removed."""
    monkeypatch.setattr(commands, "make_networks", lambda _: None)
    assert "tiny  not installed     1 MB to fetch" in run(tmp_path, "list").output
    installed = run(tmp_path, "install", "tiny")
    assert installed.exit_code == 0, installed.output
    assert "Tiny: about 1 MB to fetch, 1 MB on the disk, MIT" in installed.output
    assert "tiny is ready" in installed.output
    assert "was here already" in run(tmp_path, "install", "tiny").output
    seen = run(tmp_path, "doctor")
    assert (seen.exit_code, seen.output.strip()) == (0, "tiny: ready; tiny-engine 1.0, tiny-help 3.0; on cpu")
    next((tmp_path / "my däta").rglob("tiny_bare.py")).write_text("import lost", "utf-8")
    spoiled = run(tmp_path, "doctor")
    assert spoiled.exit_code == 1
    assert "No module named 'lost'. Make it anew: stembridge engines remove tiny" in spoiled.output
    assert "freed" in run(tmp_path, "remove", "tiny").output
    assert "was not here" in run(tmp_path, "remove", "tiny").output


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What ``--studio`` asked for; neither engine nor weights are there, and nothing is really fetched."""
    asked: list[str] = []
    engine = SimpleNamespace(name="demucs", download_mb={"cpu": 250}, weights="htdemucs_ft")
    monkeypatch.setattr(environments, "engine_named", lambda _: engine)
    monkeypatch.setattr(environments, "state_of", lambda *_: environments.State.ABSENT)
    monkeypatch.setattr(environments, "has_weights_of", lambda *_: False)
    monkeypatch.setattr(studio, "install_told", lambda engine, *_, **__: asked.append(engine.name))
    monkeypatch.setattr(studio, "pull_told", lambda weights, *_, **__: asked.append(weights.name))
    return asked


def test_studio_brings_the_engine_and_its_weights(
    config: Config, fetched: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Size and time are said first; Demucs comes first whatever the settings say."""
    light = config.evolve(separate=config.separate.evolve(engines=("light",)))
    assert studio.studio_config(light).separate.engines == ("htdemucs_ft", "light")
    assert fetched == ["demucs", "htdemucs_ft"]
    told = capsys.readouterr()
    assert "586 MB more" in told.err
    assert "song's length" in told.err
    assert not told.out


@pytest.mark.parametrize("fault", [EngineError("no Python"), WeightsError("no connection")], ids=str)
def test_studio_without_a_network_goes_on_and_says_so(
    config: Config,
    fetched: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(studio, "install_told", fail)
    light = config.evolve(separate=config.separate.evolve(engines=("light",)))
    assert studio.studio_config(light).separate.engines == ("htdemucs_ft", "light")
    told = capsys.readouterr().err
    assert f"Demucs cannot be had: {fault}" in told
    assert "It goes on with light instead" in told


def test_what_runs_already_is_not_installed(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(environments, "state_of", lambda *_: environments.State.BASE)
    commands.install_told(environments.engine_named("tiny"), config, device="cpu")
    assert "runs already: in stembridge's Python" in capsys.readouterr().out
