"""What the players are given: notes in seconds, part by part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bridge.values import Role

from .form import Form
from .spec import Instrument, SectionKind
from .styles import PartSheet

ENERGY = {
    SectionKind.INTRO: 0.8,
    SectionKind.VERSE: 0.86,
    SectionKind.CHORUS: 1.0,
    SectionKind.BRIDGE: 0.82,
    SectionKind.OUTRO: 0.84,
}
"""How hard each section is played, as a factor on velocity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note of a part, on the humanised time at which it sounds."""

    onset_s: float
    duration_s: float
    pitch: int
    velocity: int
    sound: str = ""
    accent: bool = False


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one player plays from start to end."""

    name: str
    role: Role
    instrument: Instrument | None
    """None for the voice."""
    sheet: PartSheet
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Score:
    """The whole song on paper."""

    form: Form
    parts: tuple[Part, ...]

    def of(self, role: Role) -> tuple[Part, ...]:
        """The parts of one stem."""
        return tuple(part for part in self.parts if part.role is role)


class Hand:
    """A player's hand: where and how hard notes fall around what is written."""

    def __init__(self, form: Form, draw: np.random.Generator, timing_ms: float) -> None:
        self._form = form
        self._draw = draw
        self._timing_s = timing_ms / 1000

    def onset_s(self, bar: int, beat: float) -> float:
        """The time of a beat, a little early or late, within 2.5 standard deviations."""
        drift = float(np.clip(self._draw.normal(), -2.5, 2.5)) * self._timing_s
        return max(0.0, self._form.time_s(bar, beat) + drift)

    def velocity(self, written: float) -> int:
        """A MIDI velocity around the written one."""
        return int(np.clip(round(written * float(self._draw.uniform(0.93, 1.05))), 1, 127))
