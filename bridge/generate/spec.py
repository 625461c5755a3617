"""What a composed song should be, as a frozen value."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from bridge.values import Value

from .theory import parse_key

MAX_DURATION_S = 600.0
"""Songs are made in memory: about 2 GB while ten minutes are mixed at 44.1 kHz, half of it afterwards."""
MIN_DURATION_S = 6.0
SIGNATURES = frozenset({(2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (7, 4), (6, 8), (9, 8), (12, 8)})


class Style(StrEnum):
    """The styles; each has its grooves, chords, instruments and mix (sheets.py)."""

    POP = "pop"
    ROCK = "rock"
    HOUSE = "house"
    HIP_HOP = "hip-hop"
    LOFI = "lofi"
    FOLK = "folk"
    AMBIENT = "ambient"
    FUNK = "funk"
    BALLAD = "ballad"
    DRUM_AND_BASS = "drum-and-bass"
    SYNTHWAVE = "synthwave"


class Instrument(StrEnum):
    """What can play."""

    ACOUSTIC_KIT = "acoustic kit"
    BRUSH_KIT = "brush kit"
    HOUSE_KIT = "house kit"
    TRAP_KIT = "trap kit"
    LOFI_KIT = "lofi kit"
    BREAK_KIT = "break kit"
    RETRO_KIT = "retro kit"
    CINEMA_KIT = "cinema kit"
    FINGER_BASS = "finger bass"
    PICK_BASS = "pick bass"
    UPRIGHT_BASS = "upright bass"
    SAW_BASS = "saw bass"
    SUB_BASS = "sub bass"
    REESE_BASS = "reese bass"
    PIANO = "piano"
    ELECTRIC_PIANO = "electric piano"
    ORGAN = "organ"
    BELL = "bell"
    PAD = "pad"
    STRINGS = "strings"
    SUPERSAW = "supersaw"
    PLUCK = "pluck"
    LEAD = "lead"
    BRASS = "brass"
    ACOUSTIC_GUITAR = "acoustic guitar"
    CLEAN_GUITAR = "clean guitar"
    OVERDRIVEN_GUITAR = "overdriven guitar"

    @property
    def is_kit(self) -> bool:
        """Whether it is a drum kit."""
        return self.value.endswith("kit")

    @property
    def is_bass(self) -> bool:
        """Whether it plays the bass line."""
        return self.value.endswith("bass")


class SectionKind(StrEnum):
    """The parts of a song's form."""

    INTRO = "intro"
    VERSE = "verse"
    CHORUS = "chorus"
    BRIDGE = "bridge"
    OUTRO = "outro"


class SectionSpec(Value):
    """A section that is asked for."""

    kind: SectionKind
    bars: Annotated[int, Field(ge=1, le=64)]


class SongSpec(Value):
    """What to compose. The same spec gives the same bytes on the same machine."""

    title: Annotated[str, Field(min_length=1, max_length=200)] = "Sketch"
    style: Style = Style.POP
    tempo_bpm: Annotated[float, Field(ge=50, le=220)] | None = None
    """Beats a minute (quarters in x/4, dotted quarters in x/8); None takes the style's usual one."""
    key: str = "A minor"
    time_signature: tuple[int, int] = (4, 4)
    duration_s: Annotated[float, Field(ge=MIN_DURATION_S, le=MAX_DURATION_S)] = 60.0
    """Length of the song to the sample; with ``sections`` it follows from them instead."""
    sections: tuple[SectionSpec, ...] = ()
    """The form; empty lets the composer choose one for the length."""
    instruments: tuple[Instrument, ...] = ()
    """Exactly who plays: a kit, a bass and others; who is not named is absent. Empty: the style's own."""
    voice: bool = True
    """Whether a formant voice sings (syllables such as "la" and "ooh", never words)."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @field_validator("key")
    @classmethod
    def _know_the_key(cls, key: str) -> str:
        return parse_key(key).name

    @field_validator("time_signature")
    @classmethod
    def _know_the_signature(cls, signature: tuple[int, int]) -> tuple[int, int]:
        if signature not in SIGNATURES:
            known = ", ".join(f"{count}/{unit}" for count, unit in sorted(SIGNATURES))
            raise ValueError(f"found {signature[0]}/{signature[1]}; wanted one of {known}")
        return signature

    @model_validator(mode="after")
    def _expect_somebody(self) -> Self:
        if self.instruments and len({i for i in self.instruments if i.is_kit}) > 1:
            raise ValueError("found more than one kit among the instruments; name one")
        if self.instruments and len({i for i in self.instruments if i.is_bass}) > 1:
            raise ValueError("found more than one bass among the instruments; name one")
        return self
