"""The device's script for Node: put together once, as the build does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ableton.device.script import script_text


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds the script."""
    path = tmp_path_factory.mktemp("device") / "stembridge.js"
    path.write_text(script_text(), encoding="utf-8")
    return path


@pytest.fixture(scope="session", autouse=True)
def _script_for_node(script: Path) -> Iterator[None]:
    """``fake_max.js`` finds the script by this name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMBRIDGE_DEVICE_SCRIPT", str(script))
        yield
