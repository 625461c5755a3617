"""The shape of a style: what a sheet of it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .spec import Instrument, SectionKind

Groove = Mapping[str, str]
"""A pattern for each drum: "X" accent, "x" normal, "o" ghost."""

EVERYWHERE = frozenset(SectionKind)
LOUD = frozenset({SectionKind.CHORUS})
SUNG = frozenset({SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE})


@dataclass(frozen=True, kw_only=True)
class PartSheet:
    """One instrument of the accompaniment: what it plays, where, and how it sits in the mix."""

    instrument: Instrument
    name: str = ""
    low: int = 52
    high: int = 76
    voices: int = 3
    verse: tuple[str, ...] = ("x---x---x---x---",)
    """Patterns to draw from: "X", "x", "o" chords by strength; "1" to "6" single tones of the chord."""
    chorus: tuple[str, ...] = ()
    """Those of the chorus; empty takes the verse's."""
    sections: frozenset[SectionKind] = EVERYWHERE
    level_db: float = 0.0
    """Loudness against the other parts of the same stem."""
    pan: float = 0.0
    """-1 left to 1 right."""
    spread: float = 0.3
    """How far low and high notes lie apart."""
    is_doubled: bool = False
    """Two takes, hard left and right."""
    reverb: float = 0.2
    lowcut_hz: float = 120.0
    highcut_hz: float = 18_000.0
    drive: float = 0.0
    strum_s: float = 0.0

    @property
    def title(self) -> str:
        """What the part is called."""
        return self.name or self.instrument.value


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Loudness of each stem against the song, in LU, and the room it stands in."""

    vocals_lu: float = -4.0
    drums_lu: float = -4.5
    bass_lu: float = -7.5
    other_lu: float = -6.0
    reverb_s: float = 1.6
    vocal_reverb: float = 0.22
    drum_reverb: float = 0.10
    drum_drive: float = 0.5
    pump_db: float = 0.0
    """How far the kick ducks bass and accompaniment."""
    crest_db: float = 12.5
    """Crest factor that the shared bus limiter leaves."""


@dataclass(frozen=True, kw_only=True)
class Singing:
    """How the style is sung."""

    is_high: bool = True
    """A high voice (G3 to B4) or a low one (A2 to F4)."""
    verse: str = "steady"
    chorus: str = "steady"
    breath: float = 0.5
    vibrato_cents: float = 28.0


@dataclass(frozen=True, kw_only=True)
class StyleSheet:
    """All that makes a style."""

    tempo_bpm: tuple[float, float]
    swing: float = 0.5
    major: tuple[str, ...]
    """Progressions in major for verses and choruses: a Roman numeral a bar, "ii,V" two in one."""
    minor: tuple[str, ...]
    kit: Instrument
    verse: Groove
    chorus: Groove
    bass: Instrument
    bass_verse: tuple[str, ...]
    bass_chorus: tuple[str, ...]
    parts: tuple[PartSheet, ...]
    lead: Instrument = Instrument.LEAD
    """Plays the melody in intros, and everywhere when nobody sings."""
    singing: Singing = field(default_factory=Singing)
    mix: Mix = field(default_factory=Mix)
    timing_ms: float = 5.0
    """Standard deviation of the players' timing."""
    has_fills: bool = True
