"""A service and a door for each test; a composed song for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ableton import OscFrontend
from bridge.generate import ComposedSong, compose, random_spec
from bridge.testing.service import FakeService
from tests.ableton.support import Peer, fake_service, open_door


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose songs may be named, with links followed."""
    return tmp_path.resolve()


@pytest.fixture
def service(folder: Path) -> FakeService:
    return fake_service(folder)


@pytest.fixture
def door(service: FakeService) -> Iterator[OscFrontend]:
    with open_door(service) as door:
        yield door


@pytest.fixture
def peer(door: OscFrontend) -> Iterator[Peer]:
    with Peer(door.port) as peer:
        yield peer


@pytest.fixture(scope="session")
def composed() -> ComposedSong:
    """Sixteen seconds of a sung song, for exporters."""
    return compose(random_spec(21, duration_s=16.0, voice=True), rate_hz=16_000)
