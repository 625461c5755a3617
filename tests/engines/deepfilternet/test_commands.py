"""Whichever command brings the last of what is needed makes the network, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli import engines, models
from bridge.cli.app import app
from bridge.config import Config
from bridge.engines import deepfilternet
from bridge.protocols import Progress


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment and checkpoint came a moment ago."""
    monkeypatch.setattr(models, "import_weights", lambda *_: ())
    monkeypatch.setattr(models, "pull", lambda weights, folder, *_: Fetched(folder.place(weights)))
    monkeypatch.setattr(engines, "install_told", lambda *_, **__: None)


class Fetched:
    files = ("DeepFilterNet3.zip",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder


@pytest.mark.parametrize(
    "words",
    [
        ["models", "import", "."],
        ["models", "pull", "deepfilternet3"],
        ["engines", "install", "deepfilternet"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("is_due", [True, False])
def test_the_last_command_makes_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], is_due: bool
) -> None:
    """Told once before, and with its place after; no word where nothing is made."""

    def make(_config: Config, progress: Progress) -> Path | None:
        if not is_due:
            return None
        for share in (0.0, 0.5, 1.0):
            progress(share)
        return tmp_path / "deepfilternet3.onnx"

    monkeypatch.setattr(deepfilternet, "make_missing_model", make)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert done.output.count("some seconds") == is_due
    assert ("deepfilternet3.onnx" in done.output.replace("\n", "")) == is_due
