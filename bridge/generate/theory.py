"""Keys, scales, chords by Roman numerals, and voicings that move as little as they can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, pairwise

from bridge.errors import InputError
from bridge.music import FLAT_MAJORS, FLATS, SHARPS

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
_NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII")

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "dim": (0, 3, 6),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
}
"""Semitones above the root for each chord quality, by its usual suffix."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A tonic (pitch class, C is 0) with its major or natural minor scale."""

    tonic: int
    is_minor: bool

    @property
    def name(self) -> str:
        """Such as "A minor" or "Eb major"."""
        return f"{self.spell(self.tonic)} {'minor' if self.is_minor else 'major'}"

    @property
    def scale(self) -> tuple[int, ...]:
        """The seven pitch classes, from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in (MINOR if self.is_minor else MAJOR))

    def spell(self, pitch_class: int) -> str:
        """A pitch class by name, with flats in flat keys."""
        relative_major = (self.tonic + 3) % 12 if self.is_minor else self.tonic
        return (FLATS if relative_major in FLAT_MAJORS else SHARPS)[pitch_class % 12]

    def pitches(self, low: int, high: int) -> tuple[int, ...]:
        """The MIDI pitches of the scale from ``low`` to ``high``."""
        scale = self.scale
        return tuple(pitch for pitch in range(low, high + 1) if pitch % 12 in scale)


def parse_key(text: str) -> Key:
    """A key from words such as "A minor", "f# major", "Bbm" or "C".

    Raises InputError where the words are no key.
    """
    match = re.fullmatch(r"([A-Ga-g])\s*([#b♯♭]?)\s*(major|maj|minor|min|m|)", text.strip())
    if match is None:
        raise InputError(f'The key "{text}" is not known; wanted one such as "A minor" or "Eb major".')
    letter, sign, mode = match.groups()
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1, "": 0}[sign]
    return Key(tonic=(SHARPS.index(letter.upper()) + shift) % 12, is_minor=mode in ("minor", "min", "m"))


@dataclass(frozen=True, kw_only=True)
class Chord:
    """A root (pitch class), the semitones above it, and the name."""

    root: int
    intervals: tuple[int, ...]
    symbol: str

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The chord's pitch classes, root first."""
        return tuple((self.root + step) % 12 for step in self.intervals)


def chord_of(numeral: str, key: Key) -> Chord:
    """The chord that a Roman numeral stands for: "i", "bVII", "IVmaj7", "ii7", "V7", "viio", "Isus2".

    Upper case is major, lower case minor; in a minor key the degrees are those of the natural minor scale.
    Raises InputError where it cannot be read.
    """
    match = re.fullmatch(r"([b#]?)([iv]+|[IV]+)(.*)", numeral)
    if match is None or match[2].upper() not in _NUMERALS:
        raise InputError(f'The chord "{numeral}" cannot be read; wanted a Roman numeral such as "IVmaj7".')
    sign, degree, suffix = match.groups()
    steps = (MINOR if key.is_minor else MAJOR)[_NUMERALS.index(degree.upper())]
    root = (key.tonic + steps + {"b": -1, "#": 1, "": 0}[sign]) % 12
    quality = _quality(suffix, is_minor=degree.islower())
    return Chord(root=root, intervals=QUALITIES[quality], symbol=key.spell(root) + quality)


def _quality(suffix: str, *, is_minor: bool) -> str:
    if suffix in ("o", "dim"):
        return "dim"
    quality = f"m{suffix}" if is_minor and not suffix.startswith(("m", "sus")) else suffix
    if quality not in QUALITIES:
        raise InputError(f'The chord quality "{suffix}" is not known; wanted one of {sorted(QUALITIES)}.')
    return quality


def voicing(chord: Chord, previous: tuple[int, ...], low: int, high: int, voices: int) -> tuple[int, ...]:
    """Pitches for a chord between ``low`` and ``high`` that lie nearest to the previous ones.

    Chord tones that colour it (third, seventh, ninth) are kept before the fifth where there are more tones
    than voices; where there are fewer, tones are doubled.
    """
    wanted = _essential(chord, voices)
    pool = [pitch for pitch in range(low, high + 1) if pitch % 12 in wanted]
    centre = previous or (round((low + high) / 2),) * voices
    candidates = [c for c in combinations(pool, min(voices, len(pool))) if _covers(c, wanted)]
    if not candidates:
        return tuple(pool[:voices])
    return min(candidates, key=lambda c: (_movement(c, centre), c))


def _essential(chord: Chord, voices: int) -> frozenset[int]:
    order = sorted(chord.intervals, key=lambda step: {7: 2, 0: 1}.get(step, 0))
    return frozenset((chord.root + step) % 12 for step in order[:voices])


def _covers(pitches: tuple[int, ...], wanted: frozenset[int]) -> bool:
    gaps = [high - low for low, high in pairwise(pitches)]
    return {pitch % 12 for pitch in pitches} == wanted and all(1 < gap < 12 for gap in gaps)


def _movement(pitches: tuple[int, ...], previous: tuple[int, ...]) -> float:
    pairs = zip(sorted(pitches), sorted(previous), strict=False)
    return sum(abs(new - old) for new, old in pairs) + 0.1 * (pitches[-1] - pitches[0])
