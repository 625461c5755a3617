"""Wishes: a producer's words ("punchy drums", "warm") as changes of chains."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from pydantic import Field

from presets.chain import Chain, Effect
from presets.edits import ChainEdit
from presets.errors import PresetError
from presets.library import MASTER
from presets.resources import shipped_table
from presets.values import PresetValue, did_you_mean, parse_value

ANY_ROLE: Final = "*"
_SEPARATORS: Final = re.compile(r"[,;+&/]|\band\b")
_SLIP: Final = 0.8
"""Likeness from which a word is a slip of the pen; "base" and "bass" are less alike than that."""
_NEGATED: Final = re.compile(r"\b(less|not|no|too|without)\s+_")


class WishEdit(PresetValue):
    """A step of one number of every effect of a kind."""

    kind: str
    setting: str
    delta: float


class WishChange(PresetValue):
    """What a wish does to the chains of some roles."""

    roles: tuple[str, ...]
    before: str = ""
    """Kind of the effect that the new ones go before; they go to the end where it is "" or absent."""
    effects: tuple[Effect, ...] = ()
    edits: tuple[WishEdit, ...] = ()


class Wish(PresetValue):
    """A word that chains answer to."""

    name: str
    title: str
    words: tuple[str, ...] = Field(min_length=1)
    description: str
    default_roles: tuple[str, ...] = Field(min_length=1)
    """Where it acts when the producer names no role."""
    changes: tuple[WishChange, ...] = Field(min_length=1)

    def change_for(self, role: str) -> WishChange | None:
        """The first change that lists ``role`` or every role."""
        return next((c for c in self.changes if role in c.roles or ANY_ROLE in c.roles), None)


class WishFor(PresetValue):
    """A wish and the roles it is meant for, as read from a producer's words."""

    wish: str
    roles: tuple[str, ...]
    said: str

    def concerns(self, role: str) -> bool:
        """Whether chains of ``role`` answer to it."""
        return role in self.roles or (ANY_ROLE in self.roles and role != MASTER)


@cache
def wishes() -> Mapping[str, Wish]:
    """The wishes by name."""
    table = shipped_table("wishes.toml")
    return {name: parse_value(Wish, {"name": name, **data}, "wishes.toml") for name, data in table.items()}


def parse_wishes(text: str) -> tuple[WishFor, ...]:
    """The wishes in a producer's words, each with its roles; ``PresetError`` for words that mean none.

    >>> [(found.wish, found.roles) for found in parse_wishes("Punchy drums, warm")]
    [('punchy', ('drums',)), ('warm', ('master',))]
    """
    phrases = [phrase.strip() for phrase in _SEPARATORS.split(text.lower()) if phrase.strip()]
    if not phrases:
        raise PresetError(f"The wish {text!r} is empty. Say what, and where: punchy drums, warm vocals.")
    return tuple(found for phrase in phrases for found in _parse_phrase(phrase))


def apply_wishes(chain: Chain, said: Iterable[str]) -> Chain:
    """``chain`` with the wishes that concern its role; errors as ``parse_wishes``.

    Thresholds of what is added follow the chain's level. Each added effect says in its reason which wish
    brought it.
    """
    for text in said:
        for found in parse_wishes(text):
            chain = _applied(chain, found)
    return chain


def _parse_phrase(phrase: str) -> list[WishFor]:
    names, rest = _take_words(phrase, {wish.name: wish.words for wish in wishes().values()})
    if not names or _NEGATED.search(rest):
        raise PresetError(_no_wish(phrase))
    roles, rest = _take_words(rest, _role_words())
    _expect_no_slip(phrase, rest)
    return [
        WishFor(wish=name, roles=tuple(roles) or wishes()[name].default_roles, said=phrase) for name in names
    ]


def _expect_no_slip(phrase: str, rest: str) -> None:
    """Words that say nothing to us may stay; one that is nearly a role's ("punchy drms") was meant as it."""
    words = [word for words in _role_words().values() for word in words]
    for said in re.findall(r"[^\W_]{4,}", rest):
        near = difflib.get_close_matches(said, words, n=1, cutoff=_SLIP)
        if near and not said.startswith(near[0]):
            raise PresetError(f"No part of a song is called {said!r} ({phrase!r}); did you mean {near[0]!r}?")


def _no_wish(phrase: str) -> str:
    words = [word for wish in wishes().values() for word in wish.words]
    if _take_words(phrase, {"": words})[0]:
        return f"{phrase!r} says what is not wanted; say the opposite, such as soft instead of less punchy."
    nearest = max(phrase.split(), key=lambda said: max(_likeness(said, word) for word in words))
    if difflib.get_close_matches(nearest, words, n=1):
        return f"No chain answers to {phrase!r}; {did_you_mean(nearest, words)}"
    known = ", ".join(wish.words[0] for wish in wishes().values())
    return f"No chain answers to {phrase!r}; known are {known} and words like them."


def _likeness(said: str, word: str) -> float:
    return difflib.SequenceMatcher(None, said, word).ratio()


def _take_words(phrase: str, table: Mapping[str, Iterable[str]]) -> tuple[list[str], str]:
    """The names whose words stand in ``phrase``, and the phrase with ``_`` in their place.

    Longer words go first, so that "backing vocals" are no vocals and "less bass" no bass.
    """
    pairs = sorted(
        ((word, name) for name, words in table.items() for word in words), key=lambda p: -len(p[0])
    )
    names: dict[str, None] = {}
    for word, name in pairs:
        phrase, count = re.subn(rf"(?<!\w){re.escape(word)}(?!\w)", "_", phrase)
        if count:
            names[name] = None
    return list(names), phrase


def _applied(chain: Chain, found: WishFor) -> Chain:
    change = wishes()[found.wish].change_for(chain.role) if found.concerns(chain.role) else None
    if change is None:
        return chain
    for edit in change.edits:
        chain = _edited(chain, edit)
    added = _at_level_of(chain, change.effects, found.said)
    place = _place(chain, change.before)
    return chain.evolve(effects=(*chain.effects[:place], *added, *chain.effects[place:]))


def _edited(chain: Chain, edit: WishEdit) -> Chain:
    for index, effect in enumerate(chain.effects):
        if effect.kind == edit.kind:
            chain = ChainEdit(effect=index, setting=edit.setting, delta=edit.delta).apply(chain)
    return chain


def _at_level_of(chain: Chain, effects: tuple[Effect, ...], said: str) -> tuple[Effect, ...]:
    told = tuple(effect.evolve(reason=f"{effect.reason} (Wish: {said}.)") for effect in effects)
    return Chain(name=chain.name, role=chain.role, effects=told).at_level(chain.level_lufs).effects


def _place(chain: Chain, kind: str) -> int:
    places = [index for index, effect in enumerate(chain.effects) if effect.kind == kind]
    return places[0] if places else len(chain.effects)


@cache
def _role_words() -> Mapping[str, tuple[str, ...]]:
    return {role: tuple(words) for role, words in shipped_table("roles.toml").items()}
