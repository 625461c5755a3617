"""Which VST3 plug-ins are installed: found by their files, none is loaded."""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge.config import Vst3Settings, home_path
from bridge.errors import EngineError
from bridge.hashes import hash_file
from bridge.values import Value
from presets import PresetError, Vst3
from presets.folders import is_hidden, known_presets, named_preset
from presets.values import did_you_mean
from presets.vstpreset import VstPreset

SUFFIX = ".vst3"
DEEPEST = 3
"""Folders below a plug-in folder that are looked into: vendors sort theirs."""


class InstalledPlugin(Value):
    """A plug-in's bundle on this machine."""

    name: str
    path: Path


def plugin_folders(settings: Vst3Settings, system: str = sys.platform) -> tuple[Path, ...]:
    """Where plug-ins lie: the user's folders, then the system's (Steinberg VST 3, "Plug-in Locations")."""
    more = [home_path(folder) for folder in settings.folders]
    home = Path.home()
    if system == "win32":
        programs = Path(os.environ.get("COMMONPROGRAMFILES", "C:/Program Files/Common Files"))
        local = Path(os.environ.get("LOCALAPPDATA", str(home / "AppData/Local")))
        own = [local / "Programs/Common/VST3", programs / "VST3"]
    elif system == "darwin":
        own = [home / "Library/Audio/Plug-Ins/VST3", Path("/Library/Audio/Plug-Ins/VST3")]
    else:
        own = [home / ".vst3", Path("/usr/lib/vst3"), Path("/usr/local/lib/vst3")]
    return (*more, *own)


def installed_plugins(settings: Vst3Settings) -> tuple[InstalledPlugin, ...]:
    """The plug-ins of this machine, by name; of two with one name the first that is met counts."""
    found: dict[str, InstalledPlugin] = {}
    for folder in plugin_folders(settings):
        for path in sorted(_bundles(folder, DEEPEST)):
            found.setdefault(path.stem.lower(), InstalledPlugin(name=path.stem, path=path))
    return tuple(found[name] for name in sorted(found))


def find_plugin(name: str, settings: Vst3Settings) -> InstalledPlugin:
    """The plug-in of that name, whatever its capitals; EngineError with the near one where there is none."""
    known = {plugin.name.lower(): plugin for plugin in installed_plugins(settings)}
    wanted = name.removesuffix(SUFFIX).lower()
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    hint = f"Did you mean {known[near[0]].name!r}?" if near else "See those that are: stembridge doctor."
    raise EngineError(f"The plug-in {name!r} is not installed. {hint}")


def find_preset(effect: Vst3, plugin: InstalledPlugin) -> Path | None:
    """The preset's file, for the plug-in that the effect names; None where it names no preset.

    Raises EngineError where it is not there or is no whole .vstpreset: hosts have crashed on such files.
    """
    if not effect.preset:
        return None
    title = effect.component or plugin.name
    path = _as_path(effect.preset) or named_preset(effect.preset, title)
    if path is None:
        known = known_presets(title)
        nothing = "a preset folder of that name holds none; give the file's path."
        hint = did_you_mean(effect.preset, known) if known else nothing
        raise EngineError(f"{title} has no preset {effect.preset!r}; {hint}")
    try:
        VstPreset.read(path)
    except PresetError as cause:
        raise EngineError(str(cause)) from cause
    return path


def mark_of(effect: Vst3, settings: Vst3Settings) -> str:
    """What changes when the plug-in or its preset on this machine does; "missing" without one of them."""
    try:
        plugin = find_plugin(effect.plugin, settings)
        preset = find_preset(effect, plugin)
        digest = hashlib.sha256(hash_file(preset).encode() if preset else b"")
        for path in [plugin.path, *sorted(plugin.path.rglob("*"))]:
            status = path.stat()
            digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode("utf-8", "replace"))
    except (EngineError, OSError):
        return "missing"
    return digest.hexdigest()


def _as_path(preset: str) -> Path | None:
    """``preset`` where it is written as a path."""
    path = home_path(preset)
    return path if path.is_absolute() else None


def _bundles(folder: Path, depth: int) -> Iterator[Path]:
    """Bundles are folders on every system, and may be plain files on Windows; nothing in them counts."""
    try:
        with os.scandir(folder) as found:
            entries = [(folder / entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except OSError:
        return
    for path, is_folder in entries:
        if path.suffix.lower() == SUFFIX and not is_hidden(path):
            yield path
        elif depth > 0 and is_folder:
            yield from _bundles(path, depth - 1)
