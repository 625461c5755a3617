"""Which recipe and which project a place in a watched folder means."""

from pathlib import Path

import pytest

from bridge.config import WatchedFolder, load_config, shipped_config_path
from bridge.values import JobOrigin
from watcher.naming import request_for

ROOT = Path("/music/Suno")
CONFIG = load_config(shipped_config_path())


@pytest.mark.parametrize(
    ("place", "recipe"),
    [
        ("song.wav", "full"),
        ("quick/song.wav", "quick"),
        ("Quick/song.wav", "quick"),
        ("2026/may/song.wav", "full"),
        ("2026/quick/may/song.wav", "quick"),
        ("quick/stems-only/song.wav", "stems-only"),
        ("stems-only/quick/2026/song.wav", "quick"),
        ("quick.wav", "full"),
    ],
)
def test_the_nearest_folder_named_as_a_recipe_counts(place: str, recipe: str) -> None:
    request = request_for(ROOT / place, WatchedFolder(path=str(ROOT)), CONFIG)
    assert request.recipe == recipe
    assert request.destination == (ROOT / place).parent
    assert request.origin is JobOrigin.FOLDER


def test_a_recipe_named_above_the_watched_folder_does_not_count() -> None:
    root = Path("/music/quick/Suno")
    assert request_for(root / "song.wav", WatchedFolder(path=str(root)), CONFIG).recipe == "full"


def test_the_folders_project_and_targets_apply_where_masters_are_made() -> None:
    watched = WatchedFolder(path=str(ROOT), project="/live/Song Project", targets=("club",))
    assert request_for(ROOT / "a.wav", watched, CONFIG).destination == Path("/live/Song Project")
    assert request_for(ROOT / "a.wav", watched, CONFIG).targets == ("club",)
    assert request_for(ROOT / "stems-only" / "a.wav", watched, CONFIG).targets == ()
