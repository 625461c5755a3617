"""Preset files on their way into the folder where hosts look for them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import filterfalse
from pathlib import Path
from typing import NamedTuple

from bridge.errors import DeliveryError, InputError
from bridge.naming import unique_name
from presets import Library, PresetFile, VstPreset, preset_files, windows_class_id
from presets.describe import plugin_of
from presets.folders import is_hidden, preset_folder

SUFFIX = ".vstpreset"
WINDOWS_MARK = " (Windows)"


class Placed(NamedTuple):
    """What became of the files: those written, and how many were there already."""

    written: tuple[Path, ...]
    unchanged: int


def shipped_files(library: Library) -> list[PresetFile]:
    """A preset of each effect of each chain that a plug-in serves, named after the chain."""
    return [file for chain in library.chains() for file in preset_files(chain, f"stembridge {chain.name}")]


def files_in(where: Path) -> list[PresetFile]:
    """The presets in a delivery, or a single one, each whole and with its vendor and plug-in.

    Raises InputError where there are none or where whose they are cannot be told; PresetError for one that
    is damaged or cannot be read.
    """
    paths = sorted(filterfalse(is_hidden, where.rglob(f"*{SUFFIX}"))) if where.is_dir() else [where]
    if not paths:
        raise InputError(f"{where} holds no {SUFFIX} file; wanted a delivery, or a preset file.")
    return [_file_of(path) for path in paths]


def install(files: Iterable[PresetFile], root: Path, system: str = sys.platform) -> Placed:
    """``place`` each preset in the form for this system, where that can be told by the plug-in."""
    return place(dict.fromkeys(_for_system(file, system) for file in files), root)


def place(files: Iterable[PresetFile], root: Path) -> Placed:
    """Write each preset into its plug-in's folder below ``root``.

    A file that is there with other bytes is kept: the new one gets a number.
    """
    written, unchanged = [], 0
    for file in files:
        vendor, plugin, name = file.path.split("/")[-3:]
        path = _write(preset_folder(vendor, plugin, root), name, file.data)
        if path is None:
            unchanged += 1
        else:
            written.append(path)
    return Placed(tuple(written), unchanged)


def _file_of(path: Path) -> PresetFile:
    preset = VstPreset.read(path)
    plugin, parts = plugin_of(preset.class_id), path.resolve().parts
    if plugin is not None:
        return PresetFile(f"{plugin.vendor}/{plugin.name}/{path.name}", preset.to_bytes())
    if any(part.lower() in ("presets", "vst3 presets") for part in parts[-4:-3]):
        return PresetFile("/".join(parts[-3:]), preset.to_bytes())
    raise InputError(
        f"{path.name} is for a plug-in that only its maker knows (class id {preset.class_id}); wanted it as "
        f"Presets/<Vendor>/<Plugin>/{path.name}, so that its place tells."
    )


def _for_system(file: PresetFile, system: str) -> PresetFile:
    """The preset under its plain name with the class id that the plug-in has on ``system``.

    Of other makers' plug-ins it is not known whether they have one or two.
    """
    preset = VstPreset.from_bytes(file.data, file.path)
    plugin = plugin_of(preset.class_id)
    if plugin is None:
        return file
    class_id = windows_class_id(plugin.class_id) if system == "win32" else plugin.class_id
    name = file.path.removesuffix(SUFFIX).removesuffix(WINDOWS_MARK)
    return PresetFile(f"{name}{SUFFIX}", preset.evolve(class_id=class_id).to_bytes())


def _write(folder: Path, name: str, data: bytes) -> Path | None:
    """The path that was written; None where it, or a numbered one of its name, has these bytes already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [path.name for path in folder.iterdir()]
        base = name.removesuffix(SUFFIX)
        alike = [folder / other for other in there if other == name or other.startswith(f"{base} (")]
        if any(other.is_file() and other.read_bytes() == data for other in alike):
            return None
        path = folder / unique_name(name, there)
        partial = path.with_name(f".{path.name}.partial")
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)  # where the disk is full
    except OSError as cause:
        raise DeliveryError(
            f"{folder} cannot be written to ({cause.strerror}). Choose another with --to."
        ) from cause
    return path
