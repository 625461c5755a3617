"""Loudness targets: how loud a master should be, and what may be spent to get there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from presets.errors import PresetError
from presets.resources import shipped_text
from presets.values import PresetValue, did_you_mean, parse_value, read_toml


class Target(PresetValue):
    """A loudness goal."""

    name: Annotated[str, Field(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    title: str
    aliases: tuple[str, ...] = ()
    """Other words that ``target`` finds it by."""
    integrated_lufs: Annotated[float, Field(strict=True, ge=-40, le=-5)]
    """Integrated loudness after ITU-R BS.1770-4, gated."""
    ceiling_dbtp: Annotated[float, Field(strict=True, ge=-12, le=0)]
    """The highest true peak, BS.1770-4 annex 2."""
    max_limiting_db: Annotated[float, Field(strict=True, ge=0, le=24)]
    """The most gain reduction of the limiter, but for a hundredth of the time; past it the target is not
    forced."""
    description: str = ""


def targets_from_toml(text: str, source: str = "targets.toml") -> Mapping[str, Target]:
    """The targets in ``text``, one table each, by name; ``PresetError`` for a wrong key or number."""
    table = read_toml(text, source)
    found = {name: _target_of(name, data, source) for name, data in table.items()}
    return MappingProxyType(found)


def _target_of(name: str, data: object, source: str) -> Target:
    if isinstance(data, dict):
        return parse_value(Target, {"name": name, **data}, f"{source}, [{name}]")
    raise PresetError(f"{source}: found {name} = {data!r}, wanted a table [{name}] with integrated_lufs.")


TARGETS: Final = targets_from_toml(shipped_text("targets.toml"))
"""The shipped targets by name."""


def target(name: str, known: Mapping[str, Target] = TARGETS) -> Target:
    """The target of that name or alias; ``PresetError`` with the nearest name where there is none.

    >>> target("Spotify").integrated_lufs
    -14.0
    """
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    for candidate in known.values():
        if wanted == candidate.name or wanted in candidate.aliases:
            return candidate
    words = [word for each in known.values() for word in (each.name, *each.aliases)]
    raise PresetError(f"There is no target {name!r}; {did_you_mean(wanted, words)}")
