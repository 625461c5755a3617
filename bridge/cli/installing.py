"""Preset files on their way into the folder where hosts look for them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from bridge.errors import DeliveryError, InputError
from bridge.naming import unique_name
from presets import Library, PresetFile, VstPreset, preset_files
from presets.describe import plugin_of
from presets.folders import preset_folder

SUFFIX = ".vstpreset"
WINDOWS_MARK = " (Windows)"


class Placed(NamedTuple):
    """What became of the files: those written, and how many were there already."""

    written: tuple[Path, ...]
    unchanged: int


def shipped_files(library: Library) -> list[PresetFile]:
    """A preset of each effect of each chain that a plug-in serves, named after the chain."""
    return [file for chain in library.chains() for file in preset_files(chain, f"stembridge {chain.name}")]


def files_in(place: Path) -> list[PresetFile]:
    """The presets in a delivery, or a single one, each whole and with its vendor and plug-in.

    Raises InputError where there are none or where whose they are cannot be told; PresetError for a damaged
    one.
    """
    paths = sorted(place.rglob(f"*{SUFFIX}")) if place.is_dir() else [place]
    if not paths:
        raise InputError(f"{place} holds no {SUFFIX} file; wanted a delivery, or a preset file.")
    return [_file_of(path) for path in paths]


def install(files: Iterable[PresetFile], root: Path, system: str = sys.platform) -> Placed:
    """Write each preset into its plug-in's folder below ``root``; the form for another system is left out.

    A file that is there with other bytes is kept: the new one gets a number.
    """
    written, unchanged = [], 0
    for file in _for_system(list(files), system):
        vendor, plugin, name = file.path.split("/")[-3:]
        path = _write(preset_folder(vendor, plugin, root), name, file.data)
        if path is None:
            unchanged += 1
        else:
            written.append(path)
    return Placed(tuple(written), unchanged)


def _file_of(path: Path) -> PresetFile:
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise InputError(f"{path} cannot be read ({cause.strerror}); wanted a {SUFFIX} file.") from cause
    preset = VstPreset.from_bytes(data, path.name)
    plugin, parts = plugin_of(preset.class_id), path.resolve().parts
    if plugin is not None:
        return PresetFile(f"{plugin.vendor}/{plugin.name}/{path.name}", data)
    if "Presets" in parts[-4:-3] or "VST3 Presets" in parts[-4:-3]:
        return PresetFile("/".join(parts[-3:]), data)
    raise InputError(
        f"{path.name} is for a plug-in that only its maker knows (class id {preset.class_id}); wanted it as "
        f"Presets/<Vendor>/<Plugin>/{path.name}, so that its place tells."
    )


def _for_system(files: list[PresetFile], system: str) -> Iterator[PresetFile]:
    """One form of each preset: where there are two, Windows has its own."""
    mark = f"{WINDOWS_MARK}{SUFFIX}"
    marked = {file.path.removesuffix(mark) + SUFFIX for file in files if file.path.endswith(mark)}
    for file in files:
        is_for_windows = file.path.endswith(mark)
        if system == "win32" and is_for_windows:
            yield PresetFile(file.path.removesuffix(mark) + SUFFIX, file.data)
        elif not is_for_windows and not (system == "win32" and file.path in marked):
            yield file


def _write(folder: Path, name: str, data: bytes) -> Path | None:
    """The path that was written; None where it, or a numbered one of its name, has these bytes already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [path.name for path in folder.iterdir()]
        base = name.removesuffix(SUFFIX)
        alike = [other for other in there if other == name or other.startswith(f"{base} (")]
        if any((folder / other).read_bytes() == data for other in alike):
            return None
        path = folder / unique_name(name, there)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as cause:
        raise DeliveryError(
            f"{folder} cannot be written to ({cause.strerror}). Choose another with --to."
        ) from cause
    return path
