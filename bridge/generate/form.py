"""The song's form: a grid of bars, the sections on it and the chords under them."""

from __future__ import annotations

from dataclasses import dataclass

from .chance import dice
from .meter import Meter, meter_of
from .sheets import sheet_of
from .spec import SectionKind, SectionSpec, SongSpec
from .styles import StyleSheet
from .theory import Chord, Key, chord_of, parse_key

LEAD_IN_S = 0.1
"""Silence before the first downbeat, so that nothing humanised falls before the file."""
RING_S = 1.5
"""How long the last chord rings where the form, not a duration, gives the length."""

_FORMS: tuple[tuple[tuple[SectionKind, float], ...], ...] = tuple(
    tuple((SectionKind(name), weight) for name, weight in form)
    for form in (
        (("chorus", 1),),
        (("verse", 4), ("chorus", 5)),
        (("intro", 2), ("verse", 4), ("chorus", 5)),
        (("intro", 4), ("verse", 8), ("chorus", 8), ("outro", 3)),
        (("intro", 4), ("verse", 8), ("chorus", 8), ("bridge", 4), ("chorus", 8), ("outro", 3)),
        (
            *(("intro", 4), ("verse", 8), ("chorus", 8), ("verse", 8), ("chorus", 8)),
            *(("bridge", 8), ("chorus", 8), ("outro", 4)),
        ),
    )
)
_MOST_BARS = (4, 9, 15, 27, 44)
"""Up to how many bars the forms above serve; the last serves up to the next."""
_LONG_BARS = 76
"""From here on verses and choruses come back until they are of the usual length again."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section on the grid."""

    kind: SectionKind
    first_bar: int
    bars: int
    is_last: bool = False

    @property
    def end_bar(self) -> int:
        """The bar after its last."""
        return self.first_bar + self.bars


@dataclass(frozen=True, kw_only=True)
class ChordSlot:
    """A chord on the grid."""

    bar: int
    beat: float
    beats: float
    chord: Chord


@dataclass(frozen=True, kw_only=True)
class Form:
    """Time and harmony of a song: what every player reads."""

    key: Key
    meter: Meter
    tempo_bpm: float
    duration_s: float
    sections: tuple[Section, ...]
    chords: tuple[ChordSlot, ...]

    @property
    def beat_s(self) -> float:
        """Length of a beat."""
        return 60.0 / self.tempo_bpm

    @property
    def bars(self) -> int:
        """How many bars there are; the last one holds only the final chord."""
        return self.sections[-1].end_bar

    def time_s(self, bar: int, beat: float = 0.0) -> float:
        """When a beat of a bar falls."""
        return LEAD_IN_S + (bar * self.meter.beats + beat) * self.beat_s

    def slots_in(self, bar: int) -> list[ChordSlot]:
        """The chords of one bar."""
        return [slot for slot in self.chords if slot.bar == bar]


def form_of(spec: SongSpec) -> Form:
    """The form that a spec asks for, or one that fits its duration."""
    sheet = sheet_of(spec.style)
    meter = meter_of(spec.time_signature, sheet.swing)
    tempo_bpm = spec.tempo_bpm or round(sum(sheet.tempo_bpm) / 2)
    bar_s = meter.beats * 60.0 / tempo_bpm
    sections = _asked(spec.sections) if spec.sections else _planned(spec.duration_s, bar_s)
    key = parse_key(spec.key)
    return Form(
        key=key,
        meter=meter,
        tempo_bpm=tempo_bpm,
        duration_s=_length_s(spec, sections[-1].end_bar, bar_s),
        sections=sections,
        chords=_harmony(sections, sheet, key, meter, spec.seed),
    )


def _length_s(spec: SongSpec, bars: int, bar_s: float) -> float:
    return LEAD_IN_S + bars * bar_s + RING_S if spec.sections else spec.duration_s


def _asked(wanted: tuple[SectionSpec, ...]) -> tuple[Section, ...]:
    return _laid_out([(section.kind, section.bars) for section in wanted])


def _planned(duration_s: float, bar_s: float) -> tuple[Section, ...]:
    bars = max(1, int((duration_s - LEAD_IN_S - 0.5) / bar_s))
    form = _long_form(bars) if bars > _LONG_BARS else _FORMS[sum(bars > most for most in _MOST_BARS)]
    total = sum(weight for _, weight in form)
    ends = _marks([weight / total * bars for _, weight in form], bars)
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    return _laid_out([(kind, size) for (kind, _), size in zip(form, sizes, strict=True) if size])


def _long_form(bars: int) -> tuple[tuple[SectionKind, float], ...]:
    """The longest form with as many verse-chorus pairs as fill the bars in about sixteen each."""
    intro, *_, bridge, chorus, outro = _FORMS[-1]
    pair = _FORMS[-1][1:3]
    turns = max(2, round((bars - 24) / 16))
    first = turns // 2 + 1
    return (intro, *pair * first, bridge, *pair * (turns - first), chorus, outro)


def _marks(sizes: list[float], bars: int) -> list[int]:
    """Where sections end: on even bars, except the last, so that phrases stay whole."""
    ends: list[int] = []
    reached = 0.0
    for size in sizes[:-1]:
        reached += size
        ends.append(min(bars, max(2 * round(reached / 2), 1)))
    return [*ends, bars]


def _laid_out(sizes: list[tuple[SectionKind, int]]) -> tuple[Section, ...]:
    sections: list[Section] = []
    at = 0
    for index, (kind, bars) in enumerate(sizes):
        sections.append(Section(kind=kind, first_bar=at, bars=bars, is_last=index == len(sizes) - 1))
        at += bars
    return tuple(sections)


def _harmony(
    sections: tuple[Section, ...], sheet: StyleSheet, key: Key, meter: Meter, seed: int
) -> tuple[ChordSlot, ...]:
    lines = _progressions(sheet, key, seed)
    slots: list[ChordSlot] = []
    for section in sections:
        line = lines[section.kind]
        for offset in range(section.bars):
            slots += _bar_of_chords(line[offset % len(line)], section.first_bar + offset, key, meter)
    last = sections[-1].end_bar - 1
    tonic = chord_of("i" if key.is_minor else "I", key)
    return (*(s for s in slots if s.bar < last), ChordSlot(bar=last, beat=0, beats=meter.beats, chord=tonic))


def _progressions(sheet: StyleSheet, key: Key, seed: int) -> dict[SectionKind, list[str]]:
    lines = sheet.minor if key.is_minor else sheet.major
    order = dice(seed, "harmony").permutation(len(lines))
    verse, chorus, bridge = (lines[int(order[i % len(lines)])].split() for i in range(3))
    return {
        SectionKind.INTRO: verse,
        SectionKind.VERSE: verse,
        SectionKind.CHORUS: chorus,
        SectionKind.BRIDGE: bridge,
        SectionKind.OUTRO: chorus,
    }


def _bar_of_chords(text: str, bar: int, key: Key, meter: Meter) -> list[ChordSlot]:
    numerals = text.split(",")
    if len(numerals) == 1:
        return [ChordSlot(bar=bar, beat=0, beats=meter.beats, chord=chord_of(text, key))]
    half = (meter.beats + 1) // 2
    first, second = (chord_of(numeral, key) for numeral in numerals)
    return [
        ChordSlot(bar=bar, beat=0, beats=half, chord=first),
        ChordSlot(bar=bar, beat=half, beats=meter.beats - half, chord=second),
    ]
