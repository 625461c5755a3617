"""Which engines a stage may use, as part of its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge import registry
from bridge.config import Config
from bridge.errors import RegistryError
from bridge.values import Value


class EngineChoice(Value):
    """An engine by name; its version is part of the result's key."""

    name: str
    version: str


def choices(group: str, names: Iterable[str], config: Config) -> tuple[EngineChoice, ...]:
    """The engines of those names in an entry-point group, with the versions that are installed.

    The version of one that is not installed is "absent".
    """
    return tuple(EngineChoice(name=name, version=_version(group, name, config)) for name in names)


def make(group: str, name: str, config: Config) -> Any:
    """The engine of that name: by its class's ``configured(config)`` where it has one, else without anything.

    Raises RegistryError where there is none.
    """
    engine = registry.load(group, name)
    configured = getattr(engine, "configured", None)
    return configured(config) if configured else engine()


def missing(engine: Any) -> str:
    """What has to be installed before an engine works, and how; "" where nothing is, or it does not say."""
    told = getattr(engine, "missing", None)
    return str(told()) if told else ""


def _version(group: str, name: str, config: Config) -> str:
    """A class with settings may have another version with each, such as that of its network."""
    try:
        engine = registry.load(group, name)
    except RegistryError:
        return "absent"
    configured = getattr(engine, "configured", None)
    if not configured:
        return str(engine.version)
    made = configured(config)
    return "absent" if missing(made) else str(made.version)
