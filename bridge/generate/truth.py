"""The truth about a composed song: what is played when, ready for JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.values import Role, Seconds, Value


class PlayedNote(Value):
    """One note or drum hit, where it sounds (humanised), not where a grid would have it."""

    part: str
    role: Role
    instrument: str
    onset_s: Seconds
    duration_s: Annotated[float, Field(gt=0)]
    pitch: Annotated[int, Field(ge=0, le=127)]
    """MIDI number, 69 is A4 = 440 Hz; for drums the General MIDI key."""
    velocity: Annotated[int, Field(ge=1, le=127)]
    sound: str = ""
    """The drum's name ("kick"), the syllable sung ("la"), else empty."""


class ChordSpan(Value):
    """A chord and where it holds; spans follow each other without gaps from 0 to the song's end."""

    start_s: Seconds
    end_s: Seconds
    symbol: str
    root: Annotated[int, Field(ge=0, le=11)]
    pitch_classes: tuple[int, ...]


class SectionSpan(Value):
    """A section and where it holds; spans follow each other without gaps from 0 to the song's end."""

    start_s: Seconds
    end_s: Seconds
    kind: str
    bars: int


class SongTruth(Value):
    """All that is known about a song because it was composed, not measured."""

    title: str
    style: str
    tempo_bpm: float
    """Beats a minute; the beat is a quarter in x/4 and a dotted quarter in 6/8, 9/8 and 12/8."""
    key: str
    time_signature: tuple[int, int]
    duration_s: Seconds
    rate_hz: int
    seed: int
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    chords: tuple[ChordSpan, ...]
    sections: tuple[SectionSpan, ...]
    notes: tuple[PlayedNote, ...]
    """In order of onset."""

    def notes_of(self, role: Role) -> tuple[PlayedNote, ...]:
        """The notes of one stem."""
        return tuple(note for note in self.notes if note.role is role)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in order of their first note."""
        return tuple(dict.fromkeys(note.part for note in self.notes))
