"""What a song is as music: beats, key, chords, sections and notes, whether heard or composed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.values import Confidence, Role, Seconds, Value

Pitch = Annotated[int, Field(ge=0, le=127)]
"""A MIDI number: 69 is A4 = 440 Hz; for drums the General MIDI key."""


SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
"""Names of the pitch classes, C is 0."""
FLAT_MAJORS = frozenset({5, 10, 3, 8, 1})
"""Tonics of the major keys that are spelt with flats."""


class Note(Value):
    """One note or drum hit, where it sounds."""

    start_s: Seconds
    end_s: Seconds
    pitch: Pitch
    velocity: Annotated[int, Field(ge=1, le=127)] = 90


class Part(Value):
    """The notes of one stem."""

    name: str
    """The stem's label, such as "bass"."""
    role: Role
    is_drums: bool = False
    """Whether pitches are drums of General MIDI."""
    notes: tuple[Note, ...] = ()
    """In order of their start."""


class Chord(Value):
    """A chord and where it holds."""

    start_s: Seconds
    end_s: Seconds
    name: str
    """Such as "Am", "F#m7", "Cmaj7"; "" where none is heard."""


class Section(Value):
    """A part of the form and where it holds. Equal names sound alike."""

    start_s: Seconds
    end_s: Seconds
    name: str
    """A letter: "A", "B"."""


class BeatGrid(Value):
    """Where the beats fall. Music without a pulse has no beats and tempo 0."""

    tempo_bpm: Annotated[float, Field(ge=0)]
    confidence: Confidence
    half_bpm: float = 0.0
    """The same music counted half as fast; 0 where that makes no sense."""
    double_bpm: float = 0.0
    beats_s: tuple[float, ...] = ()
    beats_per_bar: Annotated[int, Field(ge=1, le=12)] = 4
    first_downbeat: Annotated[int, Field(ge=0)] = 0
    """Which of ``beats_s`` is the first to begin a bar."""

    @property
    def downbeats_s(self) -> tuple[float, ...]:
        """Where bars begin."""
        return self.beats_s[self.first_downbeat :: self.beats_per_bar]


class Music(Value):
    """All that was heard of a song. Where nothing was heard, the part in question is empty."""

    duration_s: Seconds
    grid: BeatGrid
    key: str = ""
    """Such as "A minor" or "Eb major"."""
    key_confidence: Confidence = 0.0
    chords: tuple[Chord, ...] = ()
    sections: tuple[Section, ...] = ()
    parts: tuple[Part, ...] = ()
