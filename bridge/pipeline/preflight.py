"""Looks before the work begins: is there a song, a place for the results, and room for both?"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bridge.audio import probe
from bridge.config import Config, Input, Recipe
from bridge.errors import ConfigError, DeliveryError, DiskFullError, InputError, StorageError, is_disk_full
from bridge.naming import check_template
from bridge.stemset import expect_source, find_stem_set
from bridge.values import JobRequest, MediaInfo
from presets import Library, PresetError, parse_wishes, target

FLOAT_BYTES = 4
WORKING_COPIES = {"separate": 5, "restore": 5, "transcribe": 4, "mix": 10, "master": 3}
"""Copies of the song in float32 that a stage leaves on the working disk, at its fullest."""
DELIVERED_COPIES = {"separate": 5, "transcribe": 4, "mix": 4, "master": 1}
"""And on the disk of the project; where notes are written down, a session holds the stems once more."""


class DiskUsage(NamedTuple):
    """Bytes of a disk: of all of it, and what is free."""

    total: int
    free: int


MakeRoom = Callable[[int], object]
"""Frees so many bytes on the working disk, or as many as it can."""


def check_request(request: JobRequest, config: Config, make_room: MakeRoom = lambda _: None) -> None:
    """Refuse what cannot end well, before any work is done; ``make_room`` is asked before a disk is too full.

    Raises:
        InputError: the source is not there, is no song, cannot be opened, or is too long.
        AudioError: the source is no whole audio file.
        DeliveryError: the project's folder cannot be written to.
        DiskFullError: a disk is too full for this song.
        StorageError: a disk is too small for it, however empty.
        ConfigError: the recipe, a target, a wish, a style or the template of names is not known.
    """
    recipe = config.recipe(request.recipe)
    _expect_known_words(request, recipe, config)
    expect_source(request.source)
    song_bytes = _song_bytes(request.source, config.input)
    _expect_writable(request.destination / config.delivery.folder)
    _expect_room(request.destination, song_bytes, recipe, config, make_room)


def _expect_known_words(request: JobRequest, recipe: Recipe, config: Config) -> None:
    check_template(config.delivery.name)
    try:
        for style in (recipe.style, config.mix.style):
            Library(user_folder=config.chains_folder).chain("master", style)
        for name in request.targets or recipe.targets:
            target(name)
        for words in request.wishes:
            parse_wishes(words)
    except PresetError as cause:
        raise ConfigError(str(cause)) from cause


def _expect_writable(place: Path) -> None:
    """Write once where the delivery's folder is or would be: permissions alone do not tell of read-only
    disks. Nothing is left there, since the song may still be refused.
    """
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    trial = there / f".stembridge-{uuid.uuid4().hex[:8]}"
    try:
        trial.mkdir()
        trial.rmdir()
    except OSError as cause:
        if is_disk_full(cause):
            raise DiskFullError(
                f"The disk of the project folder {place.parent} is full. Free some space there, or choose "
                "another with --project."
            ) from cause
        found = f"{there} is a file" if there.is_file() else cause.strerror or str(cause)
        raise DeliveryError(
            f"The project folder {place.parent} cannot be written to ({found}). "
            "Choose another with --project, or mend its permission."
        ) from cause


def _expect_room(
    destination: Path, song_bytes: int, recipe: Recipe, config: Config, make_room: MakeRoom
) -> None:
    reserve = round(config.work.reserve_gb * 1e9)
    working = song_bytes * (1 + sum(n for stage, n in WORKING_COPIES.items() if recipe.has(stage)))
    delivered = song_bytes * sum(n for stage, n in DELIVERED_COPIES.items() if recipe.has(stage))
    missing = working + reserve - _free(config.data_folder)
    if missing > 0:
        make_room(missing)
    _expect_free(config.data_folder, working + reserve, "to work in (work.folder)")
    _expect_free(destination, delivered + reserve, "to deliver to (--project)")


def _song_bytes(source: Path, limits: Input) -> int:
    """Bytes of the song in float32; a stem set is taken as several times its size on disk."""
    if source.is_dir():
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    if find_stem_set(source) is not None:
        return 2 * source.stat().st_size
    info = probe(source)
    _expect_not_endless(source, info, limits)
    return info.frames * min(2, info.channels) * FLOAT_BYTES


def _expect_not_endless(source: Path, info: MediaInfo, limits: Input) -> None:
    """Told before the disk is found too small for it."""
    seconds = info.frames / info.rate_hz
    if seconds > limits.max_duration_s:
        raise InputError(
            f"{source.name} is {_clock(seconds)} long; {_clock(limits.max_duration_s)} is the most "
            "(input.max_duration_s). Cut it into songs."
        )


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds: "30:00:00"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _expect_free(folder: Path, wanted: int, what_for: str) -> None:
    disk = _disk_of(folder)
    if disk.free >= wanted:
        return
    found = (
        f"The disk of {folder} has {_size(disk.free)} free; this song needs {_size(wanted)} there {what_for}"
    )
    if wanted > disk.total:
        raise StorageError(
            f"{found}, more than the whole disk holds ({_size(disk.total)}). Choose a folder on another disk."
        )
    raise DiskFullError(f"{found}. Free some space or choose a folder on another disk.")


def _free(folder: Path) -> int:
    return _disk_of(folder).free


def _disk_of(folder: Path) -> DiskUsage:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    found = shutil.disk_usage(there)
    return DiskUsage(total=found.total, free=found.free)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
