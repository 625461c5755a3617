"""What the place of a song says: how its watched folder has songs made, as the folder door does."""

from __future__ import annotations

import os
from pathlib import Path

from bridge.config import Config, WatchedFolder
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
    """The place of a song: of nested watched folders the innermost counts; none at all is fine, too.

    A sub-folder named as a recipe gives that recipe, the nearest one counts.
    """
    around = [(folder, root) for folder in config.watch.folders for root in _roots(folder, song)]
    if not around:
        return Place(recipe=DEFAULT_RECIPE, destination=song.parent)
    folder, root = max(around, key=lambda pair: len(pair[1].parts))
    return Place(
        recipe=_named_recipe(song.parent.relative_to(root), config) or folder.recipe,
        destination=folder.project_folder or song.parent,
        folder_targets=folder.targets,
    )


def _roots(folder: WatchedFolder, song: Path) -> list[Path]:
    """The folder as it is named, or with links followed, as far as the song lies in it."""
    real = Path(os.path.realpath(folder.folder))
    return [root for root in dict.fromkeys((folder.folder, real)) if song.is_relative_to(root)]


def _named_recipe(below: Path, config: Config) -> str:
    by_small_name = {name.casefold(): name for name in config.recipes}
    named = [by_small_name[part.casefold()] for part in below.parts if part.casefold() in by_small_name]
    return named[-1] if named else ""
