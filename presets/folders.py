"""Where hosts look for .vstpreset files, by system (Steinberg VST 3, "Preset Locations")."""

from __future__ import annotations

import sys
from pathlib import Path

from presets.presetfiles import safe_name


def presets_root(system: str = sys.platform) -> Path:
    """The user's own folder of VST3 presets; it may not be there yet."""
    if system == "win32":
        import platformdirs

        return platformdirs.user_documents_path() / "VST3 Presets"
    if system == "darwin":
        return Path.home() / "Library/Audio/Presets"
    return Path.home() / ".vst3/presets"


def preset_folder(vendor: str, plugin: str, root: Path | None = None) -> Path:
    """Where the presets of a plug-in lie: ``<root>/<Vendor>/<Plugin>``."""
    return (root or presets_root()) / safe_name(vendor) / safe_name(plugin)


def named_preset(name: str, plugin: str, root: Path | None = None) -> Path | None:
    """The preset of that name in the plug-in's folder, whoever its vendor is; None where there is none."""
    file = f"{safe_name(name.removesuffix('.vstpreset'))}.vstpreset"
    found = sorted((root or presets_root()).glob(f"*/{_literal(safe_name(plugin))}/{_literal(file)}"))
    return found[0] if found else None


def known_presets(plugin: str, root: Path | None = None) -> list[str]:
    """The names of the presets in the plug-in's folder, sorted."""
    found = (root or presets_root()).glob(f"*/{_literal(safe_name(plugin))}/*.vstpreset")
    return sorted(path.stem for path in found if not is_hidden(path))


def is_hidden(path: Path) -> bool:
    """Whether a file is nobody's: macOS lays a "._Air.vstpreset" beside "Air.vstpreset" on some disks."""
    return path.name.startswith(".")


def _literal(name: str) -> str:
    import glob

    return glob.escape(name)
