"""Which engines a stage may use, as part of its parameters."""

from __future__ import annotations

from collections.abc import Iterable

from bridge import registry
from bridge.errors import RegistryError
from bridge.values import Value


class EngineChoice(Value):
    """An engine by name; its version is part of the result's key."""

    name: str
    version: str


def choices(group: str, names: Iterable[str]) -> tuple[EngineChoice, ...]:
    """The engines of those names in an entry-point group, with the versions that are installed.

    The version of one that is not installed is "absent".
    """
    return tuple(EngineChoice(name=name, version=_version(group, name)) for name in names)


def _version(group: str, name: str) -> str:
    try:
        return str(registry.load(group, name).version)
    except RegistryError:
        return "absent"
