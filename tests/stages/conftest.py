"""A short composed song and a room to run single stages in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from bridge.config import Config, load_config
from bridge.generate import ComposedSong, compose, random_spec
from bridge.hashes import hash_file
from bridge.stages.base import Inputs, Made, Room, Stage
from bridge.values import Asset, Value

RunStage = Callable[..., Made]


@pytest.fixture(scope="session")
def song() -> ComposedSong:
    """Ten seconds of a sung pop song."""
    return compose(random_spec(21, duration_s=10.0, voice=True))


@pytest.fixture
def config() -> Config:
    return load_config(overrides={})


@pytest.fixture
def run_stage(tmp_path: Path, config: Config) -> RunStage:
    """Runs a stage on files by role, in a fresh folder."""
    count = 0

    def run(
        stage: Stage[Value], params: Value, files: Mapping[str, Path], other: Config | None = None
    ) -> Made:
        nonlocal count
        count += 1
        folder = tmp_path / f"{stage.name} {count}"
        folder.mkdir()
        room = Room(folder=folder, progress=lambda _share: None, config=other or config)
        return stage.run(params, Inputs(assets_of(files)), room)

    return run


def assets_of(files: Mapping[str, Path]) -> Iterable[Asset]:
    return [Asset(path=path, sha256=hash_file(path), role=role) for role, path in files.items()]


def paths_of(made: Made) -> dict[str, Path]:
    """Everything that a stage gave, made or passed on, by role."""
    return dict(made.files) | {asset.role: asset.path for asset in made.passed_on}
