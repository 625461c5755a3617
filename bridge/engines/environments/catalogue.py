"""Which engines live in environments of their own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import tomli

from bridge.errors import EngineError
from bridge.values import Value


class Engine(Value):
    """An engine with an environment of its own."""

    name: str
    title: str
    licence: str
    modules: tuple[str, ...]
    """What has to import before it can be used."""


@cache
def catalogue() -> Mapping[str, Engine]:
    """All engines that have environments, by name."""
    found = tomli.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))
    return {name: Engine.model_validate({"name": name, **fields}) for name, fields in found.items()}


def engine_named(name: str) -> Engine:
    """The engine of that name; EngineError with the near one where there is none."""
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise EngineError(f"There is no engine '{name}'; there is: {', '.join(known)}.{hint}")
