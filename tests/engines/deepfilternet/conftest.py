"""Networks to test with: a tiny one, and the real one where it is beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config, load_config
from tests.engines.deepfilternet.tiny import write_tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A network that turns frames down by how loud they are against what was before them."""
    return write_tiny(tmp_path / "tiny.onnx")


@pytest.fixture(scope="session")
def real_model() -> Path:
    """DeepFilterNet3 itself."""
    model = Path(__file__).parents[4] / "shared" / "models" / "DeepFilterNet3" / "dfn3.onnx"
    if not model.is_file():
        pytest.skip(
            "no DeepFilterNet3 beside the checkout (shared/models), so its own figures are not measured"
        )
    return model


def settings(model: Path, **more: float) -> Config:
    return load_config(overrides={"deepfilternet": {"model": str(model), **more}})
