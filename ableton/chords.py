"""The pitches that a chord's name stands for."""

from __future__ import annotations

import re

from bridge.generate.theory import QUALITIES, parse_key

LOWEST_ROOT = 48
"""C3: chords lie above the bass and below the voice."""
_NAME = re.compile(r"(?P<root>[A-G][#b]?)(?P<quality>[^/]*)(?:/.*)?")


def chord_pitches(name: str) -> tuple[int, ...]:
    """MIDI pitches in close position, from the root between C3 and B3 up; empty where the name says none.

    "Am7" is 57, 60, 64, 67. A quality that is not known sounds as the longest known one that it begins with.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return ()
    root = LOWEST_ROOT + parse_key(found["root"]).tonic
    return tuple(root + interval for interval in _intervals(found["quality"]))


def _intervals(quality: str) -> tuple[int, ...]:
    is_major = quality.startswith("maj")
    known = (name for name in QUALITIES if not is_major or not name.startswith("m") or name.startswith("maj"))
    return QUALITIES[max((name for name in known if quality.startswith(name)), key=len)]
