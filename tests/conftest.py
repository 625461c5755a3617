"""What tests share: a composed song, and an environment of their own."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads the user's settings or touches the user's data."""
    place = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("STEMBRIDGE_CONFIG", str(place / "no-such-config.toml"))
    monkeypatch.setenv("STEMBRIDGE_DATA", str(place / "data"))


@pytest.fixture(autouse=True)
def _own_log_level() -> Iterator[None]:
    """A command that runs inside of a test sets the level of our log; the next test has its own."""
    log = logging.getLogger("bridge")
    level = log.level
    yield
    log.setLevel(level)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real audio beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside the checkout (real audio for measurements)")
    return folder


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The numbers (inodes) of the files and folders that were synced so far: what a power cut cannot take."""
    numbers: set[int] = set()
    sync = os.fsync

    def _sync(handle: int) -> None:
        sync(handle)
        numbers.add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", _sync)
    return numbers
