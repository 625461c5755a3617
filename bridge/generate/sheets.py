"""The style sheets: grooves, harmony, instruments and mix of each style."""

from __future__ import annotations

from .sheets_acoustic import ACOUSTIC
from .sheets_beats import BEATS
from .sheets_club import CLUB
from .spec import Style
from .styles import StyleSheet

SHEETS: dict[Style, StyleSheet] = {**ACOUSTIC, **BEATS, **CLUB}


def sheet_of(style: Style) -> StyleSheet:
    """The sheet of a style."""
    return SHEETS[style]
