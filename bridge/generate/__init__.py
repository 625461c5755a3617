"""Songs from parameters or words."""

from .composer import ComposedSong, WrittenSong, compose, write_song
from .spec import Instrument, SectionKind, SectionSpec, SongSpec, Style
from .suggest import demo_spec, random_spec
from .truth import ChordSpan, PlayedNote, SectionSpan, SongTruth

__all__ = [
    "ChordSpan",
    "ComposedSong",
    "Instrument",
    "PlayedNote",
    "SectionKind",
    "SectionSpan",
    "SectionSpec",
    "SongSpec",
    "SongTruth",
    "Style",
    "WrittenSong",
    "compose",
    "demo_spec",
    "random_spec",
    "write_song",
]
