"""Finds what is plugged in, ours exactly as a stranger's: by entry point."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from bridge.errors import RegistryError


def names(group: str) -> tuple[str, ...]:
    """The names registered under an entry-point group such as ``bridge.separators``, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=group)}))


def load(group: str, name: str) -> Any:
    """The object registered under ``name``; RegistryError with the near name where there is none."""
    found = [point for point in entry_points(group=group) if point.name == name]
    if not found:
        raise RegistryError(_unknown(group, name))
    return _load_point(found[0])


def _load_point(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as cause:
        raise RegistryError(
            f"{point.group} '{point.name}' ({point.value}) does not import: {cause}. "
            "Reinstall the package that brings it, or remove it from the configuration."
        ) from cause


def _unknown(group: str, name: str) -> str:
    known = names(group)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"No '{name}' is registered in {group}; there is: {', '.join(known) or 'nothing'}.{hint}"
