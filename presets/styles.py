"""Styles: the words by which people and generators name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from presets.resources import shipped_table
from presets.values import PresetValue, parse_value

NEUTRAL = "neutral"
"""The style of every role's own default chain."""


class Style(PresetValue):
    """A style that chains are written for."""

    name: str
    title: str
    words: tuple[str, ...]
    """What means it in a description: lower case."""


@cache
def styles() -> Mapping[str, Style]:
    """The styles by name."""
    table = shipped_table("styles.toml")
    return {name: parse_value(Style, {"name": name, **data}, "styles.toml") for name, data in table.items()}


def style_of(description: str) -> str:
    """The style that a free description means; ``neutral`` where no word of it is known.

    The longest word found wins, since "bedroom pop" is no pop; among equals the first in the text.

    >>> style_of("dark Synthwave, 90s, female vocals")
    'electronic'
    """
    text = description.lower()
    hits = [
        (-len(word), found.start(), style.name)
        for style in styles().values()
        for word in style.words
        if (found := re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))
    ]
    return min(hits)[2] if hits else NEUTRAL
