"""``stembridge models`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w
from typer.testing import CliRunner, Result

from bridge.cli import models
from bridge.cli.app import app
from bridge.errors import WeightsError
from bridge.weights import importing
from tests.weights.publisher import CONTENT, Publisher, publishing, weights

TINY = weights("tiny.safetensors")


@pytest.fixture(autouse=True)
def _tiny_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (models, importing):
        monkeypatch.setattr(place, "catalogue", lambda: {"tiny": TINY})
    monkeypatch.setattr(models, "weights_named", {"tiny": TINY}.__getitem__)


def run(tmp_path: Path, server: Publisher, *words: object) -> Result:
    settings = tmp_path / "config.toml"
    sources = {"here": server.address}
    settings.write_text(
        tomli_w.dumps({"weights": {"folder": str(tmp_path / "models"), "sources": sources}}), "utf-8"
    )
    return CliRunner().invoke(app, ["models", *map(str, words), "--config", str(settings)])


def test_a_life_of_weights(tmp_path: Path) -> None:
    """Listed, fetched, listed as here, verified, spoiled, found out, removed."""
    with publishing(tiny_safetensors=CONTENT) as server:
        listed = run(tmp_path, server, "list")
        assert "tiny  -" in listed.output
        assert "1 MB  A tiny network (demucs; MIT)" in listed.output
        pulled = run(tmp_path, server, "pull", "tiny")
        assert pulled.exit_code == 0
        assert f"1 MB, MIT, from {server.address}/tiny" in pulled.output
        assert "tiny  here" in run(tmp_path, server, "list").output
        assert run(tmp_path, server, "verify").output.startswith("ok  tiny.safetensors")
        (tmp_path / "models" / "tiny" / "tiny.safetensors").write_bytes(b"no")
        spoiled = run(tmp_path, server, "verify", "tiny")
        assert spoiled.exit_code == 1
        assert "found 2 bytes, wanted 1024000" in spoiled.output
        assert "removed" in run(tmp_path, server, "remove", "tiny").output
        assert "was not here" in run(tmp_path, server, "remove", "tiny").output
        assert "There are no weights" in run(tmp_path, server, "verify").output


def test_weights_are_brought_in_from_a_folder(tmp_path: Path) -> None:
    """The other machine's file, whatever it is called."""
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "download (1)").write_bytes(CONTENT)
    with publishing() as server:
        brought = run(tmp_path, server, "import", tmp_path / "stick")
        assert "tiny: tiny.safetensors copied from" in brought.output
        assert "was here already" in run(tmp_path, server, "import", tmp_path / "stick").output


def test_a_fault_ends_with_words(tmp_path: Path) -> None:
    """As an error of ours, which main turns into a message and exit code 1."""
    with publishing() as server:
        assert isinstance(run(tmp_path, server, "pull", "tiny").exception, WeightsError)
