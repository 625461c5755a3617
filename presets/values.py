"""The base of the values in presets, and how data from a file becomes one with a helpful error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin

import tomli
import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from presets.errors import PresetError


class PresetValue(BaseModel):
    """Frozen, no unknown fields, changed only by making a new one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def evolve(self, **changes: Any) -> Self:
        """A copy with ``changes``, validated like any new value."""
        known = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**known, **changes})


MOST_NAMED = 40
"""Words that an error lists."""

ValueType = TypeVar("ValueType", bound=PresetValue)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word, or all of them (of many, some) where none is near."""
    words = sorted(known)
    lower = {word.lower(): word for word in words}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {lower[near[0]]!r}?"
    more = f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    return f"known are: {', '.join(words[:MOST_NAMED])}{more}."


def read_toml(text: str, source: str) -> dict[str, Any]:
    """The table in ``text``; ``PresetError`` with ``source`` in it where it is no TOML."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise PresetError(f"{source} is not valid TOML: {error}. Correct that line.") from error


def write_toml(data: Mapping[str, Any]) -> str:
    """``data`` as TOML text."""
    return tomli_w.dumps(data)


def parse_value(model: type[ValueType], data: Any, source: str) -> ValueType:
    """``data`` as a ``model``; ``PresetError`` that tells each wrong key and number in ``source``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = (_fault(model, detail) for detail in error.errors(include_url=False))
        raise PresetError(f"{source}: " + " ".join(faults)) from error


def _fault(model: type[BaseModel], detail: ErrorDetails) -> str:
    place = _dotted(detail["loc"])
    if detail["type"] == "extra_forbidden":
        hint = did_you_mean(str(detail["loc"][-1]), _known_keys(model, detail["loc"]))
        return f"{place}: unknown key; {hint}"
    if detail["type"] == "union_tag_invalid":
        tags = detail["ctx"]["expected_tags"].replace("'", "").split(", ")
        return f"{place}.kind: found {detail['ctx']['tag']!r}; {did_you_mean(detail['ctx']['tag'], tags)}"
    if detail["type"] in ("missing", "union_tag_not_found"):
        missing = "" if detail["type"] == "missing" else ".kind"
        return f"{place}{missing}: is missing; add it."
    return f"{place}: found {_short(detail['input'])}, wanted: {_wanted(detail['msg'])}."


def _dotted(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "the whole"


def _wanted(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _short(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."


def _known_keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """The keys allowed where ``loc`` (its last part the wrong key) points."""
    candidates = [model]
    for part in loc[:-1]:
        candidates = [new for old in candidates for new in _step(old, part)]
    return {name for candidate in candidates for name in candidate.model_fields}


def _step(model: type[BaseModel], part: int | str) -> list[type[BaseModel]]:
    if part in model.model_fields:
        return _models_in(model.model_fields[str(part)].annotation)
    kind = model.model_fields.get("kind")
    # An index, or the tag by which pydantic names the member of a union.
    return [model] if isinstance(part, int) or (kind and kind.default == part) else []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (tuple, list, dict, Union, UnionType, Annotated):
        return [model for part in get_args(annotation) for model in _models_in(part)]
    return []
