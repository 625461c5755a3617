"""The data that ships inside the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from presets.values import read_toml


@cache
def shipped_text(path: str) -> str:
    """The text of ``presets/data/<path>``."""
    return files("presets").joinpath("data", *path.split("/")).read_text("utf-8")


def shipped_table(path: str) -> dict[str, Any]:
    """The TOML table in ``presets/data/<path>``."""
    return read_toml(shipped_text(path), path)


def shipped_names(folder: str, suffix: str = ".toml") -> list[str]:
    """The names, without suffix, in a folder of ``presets/data``, sorted; empty where there is none."""
    place = files("presets").joinpath("data", *folder.split("/"))
    if not place.is_dir():
        return []
    return sorted(entry.name.removesuffix(suffix) for entry in place.iterdir() if entry.name.endswith(suffix))
