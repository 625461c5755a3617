"""What a place in a watched folder says: which recipe, and which project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.config import Config, Recipe, WatchedFolder
from bridge.values import JobOrigin, JobRequest


def request_for(source: Path, watched: WatchedFolder, config: Config) -> JobRequest:
    """The job that a song (or a folder of its stems) in a watched folder asks for.

    A sub-folder named as a recipe gives that recipe, the nearest one counts; the folder's own targets apply
    where the recipe makes masters. Results go to the folder's project, else beside the song.
    """
    named = nearest_recipe(source.parent.relative_to(watched.folder).parts, config.recipes)
    recipe = named or watched.recipe
    return JobRequest(
        source=source,
        recipe=recipe,
        destination=watched.project_folder or source.parent,
        targets=watched.targets if config.recipe(recipe).has("master") else (),
        origin=JobOrigin.FOLDER,
    )


def nearest_recipe(folders: Iterable[str], recipes: Mapping[str, Recipe]) -> str:
    """The recipe that the last of ``folders`` that names one names; "" where none does."""
    by_small_name = {name.casefold(): name for name in recipes}
    named = [by_small_name[name.casefold()] for name in folders if name.casefold() in by_small_name]
    return named[-1] if named else ""


def innermost(path: Path, folders: Iterable[Path]) -> Path | None:
    """The watched folder that a path belongs to: of nested ones, the innermost."""
    around = [folder for folder in folders if path.is_relative_to(folder)]
    return max(around, key=lambda folder: len(folder.parts), default=None)
