"""What the place of a song says: which recipe, which project, which targets. The same for every door."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.config import Config, Recipe, WatchedFolder
from bridge.values import Value

DEFAULT_RECIPE = "full"


class Place(Value):
    """What is made of a song there, where nobody says otherwise."""

    recipe: str
    destination: Path
    folder_targets: tuple[str, ...] = ()
    """Those of the watched folder, for recipes that make masters."""

    def targets(self, recipe: str, config: Config) -> tuple[str, ...]:
        """The folder's targets, where the recipe makes masters."""
        return self.folder_targets if config.recipe(recipe).has("master") else ()


def place_of(song: Path, config: Config) -> Place:
    """The place of any song: of nested watched folders the innermost counts; none at all is fine, too."""
    roots = {root: folder for folder in config.watch.folders for root in _roots(folder)}
    root = innermost(song, roots)
    if root is None:
        return Place(recipe=DEFAULT_RECIPE, destination=song.parent)
    return place_in(song, roots[root], root, config)


def place_in(song: Path, watched: WatchedFolder, root: Path, config: Config) -> Place:
    """The place of a song (or a folder of its stems) in a watched folder whose path is ``root``.

    A sub-folder named as a recipe gives that recipe, the nearest one counts. Results go to the folder's
    project, else beside the song.
    """
    return Place(
        recipe=_nearest_recipe(song.parent.relative_to(root).parts, config.recipes) or watched.recipe,
        destination=watched.project_folder or song.parent,
        folder_targets=watched.targets,
    )


def innermost(path: Path, folders: Iterable[Path]) -> Path | None:
    """The folder that a path belongs to: of nested ones, the innermost."""
    around = [folder for folder in folders if path.is_relative_to(folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)


def _roots(folder: WatchedFolder) -> tuple[Path, ...]:
    """The folder as it is named, and with links followed."""
    return (folder.folder, Path(os.path.realpath(folder.folder)))


def _nearest_recipe(folders: Iterable[str], recipes: Mapping[str, Recipe]) -> str:
    """The recipe that the last of ``folders`` that names one names; "" where none does."""
    by_small_name = {name.casefold(): name for name in recipes}
    named = [by_small_name[name.casefold()] for name in folders if name.casefold() in by_small_name]
    return named[-1] if named else ""
