"""What the place of a song says, for every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import Config, load_config, shipped_config_path
from bridge.service.places import Place, innermost, place_of

ROOT = Path("/music/Suno")
FOLDERS = [
    {"path": "/music", "recipe": "quick", "targets": ["club"]},
    {"path": "/music/inner", "recipe": "stems-only", "project": "/sets/project", "targets": ["club"]},
]
SONGS = [
    ("/music/a.wav", "quick", "/music", ("club",)),
    ("/music/full/a.wav", "full", "/music/full", ("club",)),
    ("/music/Full/quick/x/a.wav", "quick", "/music/Full/quick/x", ("club",)),
    ("/music/some/stems-only/a.wav", "stems-only", "/music/some/stems-only", ()),
    ("/music/inner/a.wav", "stems-only", "/sets/project", ()),
    ("/music/inner/master-only/a.wav", "master-only", "/sets/project", ("club",)),
]


@pytest.fixture
def config() -> Config:
    return load_config(shipped_config_path(), {"watch": {"folders": FOLDERS}})


@pytest.mark.parametrize(("name", "recipe", "destination", "targets"), SONGS)
def test_a_place_says_recipe_project_and_targets(
    config: Config, name: str, recipe: str, destination: str, targets: tuple[str, ...]
) -> None:
    found = place_of(Path(name), config)
    assert (found.recipe, found.destination) == (recipe, Path(destination))
    assert found.targets(recipe, config) == targets


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


def test_of_nested_folders_the_innermost_has_the_song() -> None:
    folders = [ROOT, ROOT / "inbox", Path("/other")]
    assert innermost(ROOT / "inbox" / "deep" / "a.wav", folders) == ROOT / "inbox"
    assert innermost(ROOT / "inboxes" / "a.wav", folders) == ROOT
    assert innermost(Path("/elsewhere/a.wav"), folders) is None
