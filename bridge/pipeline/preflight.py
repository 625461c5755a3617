"""Looks before the work begins: is there a song, a place for the results, and room for both?"""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from bridge.audio import AUDIO_SUFFIXES, probe
from bridge.config import Config, Recipe
from bridge.errors import ConfigError, DeliveryError, InputError, StorageError
from bridge.values import JobRequest
from presets import PresetError, parse_wishes, target

FLOAT_BYTES = 4
WORKING_COPIES = {"separate": 5, "restore": 5, "mix": 10, "master": 3}
"""Copies of the song in float32 that a stage leaves on the working disk, at its fullest."""
DELIVERED_COPIES = {"separate": 5, "mix": 4, "master": 1}
"""And on the disk of the project."""


def check_request(request: JobRequest, config: Config) -> None:
    """Refuse what cannot end well, before any work is done.

    Raises:
        InputError: the source is not there, is no file or folder, or cannot be opened.
        DeliveryError: the project's folder cannot be written to.
        StorageError: a disk is too full for this song.
        ConfigError: the recipe, a target or a wish is not known.
    """
    recipe = config.recipe(request.recipe)
    _expect_known_words(request, recipe)
    _expect_source(request.source)
    _expect_writable(request.destination)
    _expect_room(request, recipe, config)


def _expect_known_words(request: JobRequest, recipe: Recipe) -> None:
    try:
        for name in request.targets or recipe.targets:
            target(name)
        for words in request.wishes:
            parse_wishes(words)
    except PresetError as cause:
        raise ConfigError(str(cause)) from cause


def _expect_source(source: Path) -> None:
    if not source.exists():
        raise InputError(f"{source} is not there; wanted a song's file. Check the path{_near(source)}.")
    if not source.is_dir() and not source.is_file():
        raise InputError(f"{source} is neither a file nor a folder; wanted a song. Name a file.")
    if not os.access(source, os.R_OK):
        raise InputError(f"{source} cannot be opened: no permission to read it. Mend its permission.")


def _near(source: Path) -> str:
    import difflib

    if not source.parent.is_dir():
        return ""
    songs = [path.name for path in source.parent.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES]
    near = difflib.get_close_matches(source.name, songs, n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _expect_writable(destination: Path) -> None:
    """Make the folder and write to it once: permissions alone do not tell of read-only disks."""
    trial = destination / f".stembridge-{uuid.uuid4().hex[:8]}"
    try:
        destination.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as cause:
        raise DeliveryError(
            f"The project folder {destination} cannot be written to ({cause.strerror or cause}). "
            "Choose another with --project, or mend its permission."
        ) from cause


def _expect_room(request: JobRequest, recipe: Recipe, config: Config) -> None:
    song_bytes = _song_bytes(request.source)
    reserve = round(config.work.reserve_gb * 1e9)
    working = song_bytes * (1 + sum(n for stage, n in WORKING_COPIES.items() if recipe.has(stage)))
    delivered = song_bytes * sum(n for stage, n in DELIVERED_COPIES.items() if recipe.has(stage))
    config.data_folder.mkdir(parents=True, exist_ok=True)
    _expect_free(config.data_folder, working + reserve, "to work in (work.folder)")
    _expect_free(request.destination, delivered + reserve, "to deliver to (--project)")


def _song_bytes(source: Path) -> int:
    """Bytes of the song in float32; a stem set is taken as several times its size on disk."""
    if source.is_dir():
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    if source.suffix.lower() == ".zip":
        return 2 * source.stat().st_size
    info = probe(source)
    return info.frames * min(2, info.channels) * FLOAT_BYTES


def _expect_free(folder: Path, wanted: int, what_for: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise StorageError(
            f"The disk of {folder} has {free / 1e9:.1f} GB free; this song needs {wanted / 1e9:.1f} GB there "
            f"{what_for}. Free some space or choose a folder on another disk."
        )
