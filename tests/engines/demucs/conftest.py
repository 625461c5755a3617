"""An interpreter that has torch and demucs, and tiny models of the real architecture made by it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import Config, load_config
from bridge.engines.apart import close_all

HERE = Path(__file__).parent
VARIABLE = "STEMBRIDGE_DEMUCS_PYTHON"


@pytest.fixture(scope="session")
def demucs_python() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if all(importlib.util.find_spec(name) for name in ("torch", "demucs")):
        return Path(sys.executable)
    pytest.skip(f"no interpreter with torch and demucs: name one in {VARIABLE}")


@pytest.fixture(scope="session")
def repository(demucs_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    run_in_torch(demucs_python, "models.py", str(folder))
    return folder


@pytest.fixture
def config(demucs_python: Path, repository: Path) -> Config:
    """Settings under which the tiny model runs."""
    shipped = load_config()
    engines = shipped.engines.evolve(pythons={"demucs": str(demucs_python)})
    demucs = shipped.demucs.evolve(repository=str(repository), model="tiny", threads=1, precision="fp32")
    return shipped.evolve(engines=engines, demucs=demucs)


@pytest.fixture(scope="module", autouse=True)
def _nothing_stays() -> Iterator[None]:
    """Warm between tests, gone after them."""
    yield
    close_all()


def run_in_torch(python: Path, script: str, *arguments: str) -> None:
    command = [str(python), "-W", "ignore", str(HERE / "in_torch" / script), *arguments]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
