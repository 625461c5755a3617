"""A watched folder with a song, a door, and each kind of remote."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ableton.remotes import Setup
from bridge.testing.service import FakeService
from tests.ableton.remotes.hosts import Host, StageControl, TouchOsc
from tests.ableton.support import settings, write_song

OpenRemote = Callable[[FakeService, int], Host]

needs_lupa = pytest.mark.skipif(
    importlib.util.find_spec("lupa") is None, reason="lupa is not installed (pip install lupa)"
)
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed (Debian: npm)")


def fake_service(folder: Path, heartbeat_s: float = 10.0, port: int = 0, token: str = "") -> FakeService:
    """A service that watches ``folder``."""
    watched = {"path": str(folder), "recipe": "quick", "project": ""}
    return FakeService(
        settings(folder, heartbeat_s=heartbeat_s, port=port, token=token) | {"watch": {"folders": [watched]}}
    )


@pytest.fixture
def service(folder: Path) -> FakeService:
    return fake_service(folder)


@pytest.fixture
def song(folder: Path) -> Path:
    path = write_song(folder, "Grün, blue.wav")
    os.utime(path, (time.time() - 50,) * 2)
    return path


KINDS: Any = {
    "params": [pytest.param(TouchOsc, marks=needs_lupa), pytest.param(StageControl, marks=needs_node)],
    "ids": ["touchosc", "stagecontrol"],
}
"""For a fixture that is each of them."""


@pytest.fixture(**KINDS)
def open_remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenRemote]:
    """Opens a remote for a service, towards a port."""
    with ExitStack() as opened:

        def open_one(service: FakeService, port: int) -> Host:
            return opened.enter_context(request.param(Setup.of(service.config), port, tmp_path))

        yield open_one
