"""Bounded changes of chains: one number of one effect, by a step or to a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from pydantic import Field, model_validator

from presets.chain import Bounds, Chain, bounds_of
from presets.errors import PresetError
from presets.values import PresetValue, did_you_mean, parse_value


class ChainEdit(PresetValue):
    """One number of one effect of a chain, moved by ``delta`` or set to ``value``.

    A ``delta`` goes as far as the setting's bounds allow; a ``value`` out of bounds is a ``PresetError``.

    >>> from presets.chain import Chain, Compressor
    >>> chain = Chain(name="Bass", role="bass", effects=(Compressor(ratio=2.0),))
    >>> edit = ChainEdit(effect="compressor", setting="ratio", delta=1.0)
    >>> edit.apply(chain).effects[0].ratio
    3.0
    """

    effect: int | str
    """Index in the chain, an effect's name, or a kind that occurs once."""
    setting: str = Field(min_length=1)
    """The field, with dots into parts: ``ratio``, ``low.threshold_db``, ``bands.0.gain_db``."""
    value: float | None = None
    delta: float | None = None
    reason: str = ""
    """Why, for the report."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.value is None) == (self.delta is None):
            raise ValueError("either a value or a delta")
        return self

    def apply(self, chain: Chain) -> Chain:
        """``chain`` with the number changed; ``PresetError`` where there is no such effect or setting."""
        index = self._index_in(chain)
        where = f"{chain.name}, {chain.effects[index].kind}"
        changed = _replaced(chain.effects[index], self.setting.split("."), self, where)
        data = (*chain.effects[:index], changed, *chain.effects[index + 1 :])
        return chain.evolve(effects=data)

    def found_in(self, chain: Chain) -> float:
        """The number that ``apply`` would change, as it is now."""
        part: Any = chain.effects[self._index_in(chain)]
        for key in self.setting.split("."):
            part = _part(part, key, chain.name)
        return _as_number(part, f"{chain.name}, {self.setting}")

    def _index_in(self, chain: Chain) -> int:
        if isinstance(self.effect, int):
            return _checked_index(self.effect, len(chain.effects), chain.name)
        named = [i for i, effect in enumerate(chain.effects) if effect.name == self.effect]
        found = named or [i for i, effect in enumerate(chain.effects) if effect.kind == self.effect]
        if len(found) == 1:
            return found[0]
        raise PresetError(_not_one(self.effect, found, chain))


def apply_edits(chain: Chain, edits: Iterable[ChainEdit]) -> Chain:
    """``chain`` after each edit in turn."""
    for edit in edits:
        chain = edit.apply(chain)
    return chain


def _not_one(effect: str, found: list[int], chain: Chain) -> str:
    if found:
        places = ", ".join(str(index) for index in found)
        return f"{chain.name} has {len(found)} effects {effect!r}, at {places}. Give the index instead."
    known = {effect.name or effect.kind for effect in chain.effects} | {e.kind for e in chain.effects}
    return f"{chain.name} has no effect {effect!r}; {did_you_mean(effect, known)}"


def _checked_index(index: int, count: int, name: str) -> int:
    if 0 <= index < count:
        return index
    raise PresetError(f"{name} has no effect {index}; it has {count}, counted from 0.")


def _replaced(part: Any, keys: list[str], edit: ChainEdit, where: str) -> Any:
    """``part`` with the number at ``keys`` changed as ``edit`` says."""
    old = _part(part, keys[0], where)
    new = _replaced(old, keys[1:], edit, where) if keys[1:] else _changed(part, keys[0], edit, where)
    if isinstance(part, tuple):
        index = int(keys[0])
        return (*part[:index], new, *part[index + 1 :])
    known = {name: getattr(part, name) for name in type(part).model_fields}
    return parse_value(type(part), {**known, keys[0]: new}, where)


def _part(part: Any, key: str, where: str) -> Any:
    if isinstance(part, PresetValue):
        if key in type(part).model_fields:
            return getattr(part, key)
        raise PresetError(f"{where} has no setting {key!r}; {did_you_mean(key, type(part).model_fields)}")
    if isinstance(part, tuple) and key.isascii() and key.isdigit():
        return part[_checked_index(int(key), len(part), where)]
    raise PresetError(f"{where}: {key!r} leads nowhere; wanted: a setting, or the index of a band.")


def _changed(part: Any, setting: str, edit: ChainEdit, where: str) -> Any:
    bounds = bounds_of(type(part), setting) if isinstance(part, PresetValue) else None
    number = _as_number(getattr(part, setting, None), f"{where}, {setting}")
    if edit.delta is None:
        return _in_choice(number, edit.value)
    if isinstance(bounds, Bounds):
        return bounds.clamped(number + edit.delta)
    raise PresetError(f"{where}: {setting} is one of a few choices; set a value instead of a delta.")


def _as_number(found: Any, where: str) -> float:
    if isinstance(found, int | float):
        return found
    raise PresetError(f"{where}: found {found!r}; wanted: a setting that is a number.")


def _in_choice(old: float, value: float | None) -> Any:
    """``value`` in the type of the old number: a slope of 24.0 is the choice 24."""
    return int(value) if isinstance(old, int) and value is not None and value.is_integer() else value
