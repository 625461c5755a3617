"""Which weights there are, each file pinned by its SHA-256."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import tomli
from pydantic import Field

from bridge.errors import WeightsError
from bridge.values import Value

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Form(Value):
    """One file that holds a part, as it was published."""

    file: FileName
    size_bytes: Annotated[int, Field(gt=0)]
    is_size_exact: bool = True
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    url: str
    """Where it is published; begins with the name of a source in braces."""

    def may_have(self, size_bytes: int) -> bool:
        """Whether a file of that size can be this one."""
        if self.is_size_exact:
            return size_bytes == self.size_bytes
        return 0.8 < size_bytes / self.size_bytes < 1.25


class Part(Value):
    """One network of a set; any of its forms will do."""

    name: str
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]


class Weights(Value):
    """What an engine loads as one."""

    name: FileName
    title: str
    engine: str
    licence: str
    page: str
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
    own_file: FileName | None = None
    """A file that is made on this machine from the parts, or brought ready-made."""

    @property
    def size_bytes(self) -> int:
        """What there is to fetch."""
        return sum(part.forms[0].size_bytes for part in self.parts)


@cache
def catalogue() -> Mapping[str, Weights]:
    """All weights that stembridge knows, by name."""
    found = tomli.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))
    return {name: Weights.model_validate({"name": name, **fields}) for name, fields in found.items()}


def weights_named(name: str) -> Weights:
    """The weights of that name; WeightsError with the near one where there are none."""
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise WeightsError(f"There are no weights '{name}'; there are: {', '.join(known)}.{hint}")
