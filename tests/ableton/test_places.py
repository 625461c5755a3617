"""A song named by OSC and one that the folder door takes become equal jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.places import Place, place_of
from bridge.config import Config, load_config, shipped_config_path
from watcher.naming import request_for

FOLDERS = [
    {"path": "/music", "recipe": "quick", "targets": ["club"]},
    {"path": "/music/inner", "recipe": "stems-only", "project": "/sets/project", "targets": ["club"]},
]
SONGS = [
    "/music/a.wav",
    "/music/full/a.wav",
    "/music/Full/quick/x/a.wav",
    "/music/some/stems-only/a.wav",
    "/music/inner/a.wav",
    "/music/inner/master-only/a.wav",
]


@pytest.fixture
def config() -> Config:
    return load_config(shipped_config_path(), {"watch": {"folders": FOLDERS}})


@pytest.mark.parametrize("name", SONGS)
def test_a_place_says_what_the_folder_door_does(config: Config, name: str) -> None:
    song = Path(name)
    folder = config.watch.folders["/inner/" in name]
    wanted, found = request_for(song, folder, config), place_of(song, config)
    assert (found.recipe, found.destination) == (wanted.recipe, wanted.destination)
    assert found.targets(found.recipe, config) == wanted.targets


def test_a_song_outside_of_watched_folders_is_delivered_beside_itself(config: Config) -> None:
    assert place_of(Path("/other/full/a.wav"), config) == Place(
        recipe="full", destination=Path("/other/full")
    )


def test_a_watched_folder_behind_a_link_counts(tmp_path: Path) -> None:
    real = tmp_path.resolve() / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    watched = {"path": str(tmp_path / "link"), "recipe": "quick"}
    config = load_config(shipped_config_path(), {"watch": {"folders": [watched]}})
    assert place_of(real / "a.wav", config).recipe == "quick"
    assert place_of(tmp_path / "link" / "a.wav", config).recipe == "quick"
