"""Drum parts: grooves on the grid, fills at the ends of sections, cymbals where they begin."""

from __future__ import annotations

from .chance import dice
from .form import Form, Section
from .meter import bars_of
from .score import ENERGY, Hand, Note
from .spec import SectionKind
from .styles import Groove, StyleSheet

KEYS = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "clap": 39,
    "hat": 42,
    "low tom": 45,
    "open hat": 46,
    "mid tom": 47,
    "crash": 49,
    "high tom": 50,
    "ride": 51,
    "tambourine": 54,
    "shaker": 70,
}
"""General MIDI keys of the drums."""
LENGTHS_S = {"kick": 0.3, "open hat": 0.35, "crash": 2.0, "ride": 0.8, "low tom": 0.45, "mid tom": 0.4}
STRENGTHS = {"X": 116, "x": 94, "o": 50}
_TIMEKEEPERS = frozenset({"hat", "ride", "shaker"})
_FILLS = (
    ("high tom", "high tom", "mid tom", "low tom"),
    ("snare", "snare", "high tom", "low tom"),
    ("snare", "high tom", "mid tom", "mid tom"),
)


def drum_notes(form: Form, sheet: StyleSheet, seed: int) -> tuple[Note, ...]:
    """Every hit of the song, in order of onset."""
    hand = Hand(form, dice(seed, "drummer"), sheet.timing_ms)
    fills = dice(seed, "fills")
    notes: list[Note] = []
    for section in form.sections:
        for bar in range(section.first_bar, section.end_bar):
            if bar == form.bars - 1:
                notes += _ending(form, hand)
            else:
                fill = _FILLS[int(fills.integers(len(_FILLS)))]
                has_fill = sheet.has_fills and bar == section.end_bar - 1 and section.bars >= 2
                notes += _bar(
                    form,
                    _groove(section, bar, sheet),
                    bar,
                    hand,
                    ENERGY[section.kind],
                    fill if has_fill else (),
                )
        notes += _crash(form, section, hand, sheet)
    return tuple(sorted(_choked(notes), key=lambda note: (note.onset_s, note.pitch)))


def _groove(section: Section, bar: int, sheet: StyleSheet) -> Groove:
    if section.kind is SectionKind.CHORUS:
        return sheet.chorus
    if section.kind is SectionKind.INTRO and bar - section.first_bar < max(1, section.bars // 2):
        return {drum: bar for drum, bar in sheet.verse.items() if drum in _TIMEKEEPERS}
    if section.kind is SectionKind.BRIDGE:
        return _halved(sheet.verse)
    return sheet.verse


def _halved(groove: Groove) -> Groove:
    """Half time: one stroke on the third beat in place of the backbeat."""
    slow = {
        "kick": "X.......",
        "snare": "........X.......",
        "clap": "........x.......",
        "rim": "........x.......",
    }
    return {drum: slow.get(drum, bar).ljust(16, ".") for drum, bar in groove.items()}


def _bar(
    form: Form, groove: Groove, bar: int, hand: Hand, energy: float, fill: tuple[str, ...]
) -> list[Note]:
    fill_from = form.meter.steps - 4 if fill else form.meter.steps
    notes = [
        _hit(form, drum, bar, step, STRENGTHS[token] * energy, hand)
        for drum, pattern in groove.items()
        for step, token in enumerate(_fitted(form, drum, pattern))
        if token in STRENGTHS and (step < fill_from or drum == "kick")
    ]
    notes += [
        _hit(form, drum, bar, fill_from + index, (88 + 9 * index) * energy, hand)
        for index, drum in enumerate(fill)
    ]
    return notes


def _fitted(form: Form, drum: str, pattern: str) -> str:
    if form.meter.is_compound and drum in _TIMEKEEPERS:
        return "Xox." * form.meter.beats
    return bars_of(pattern, form.meter)[0]


def _hit(form: Form, drum: str, bar: int, step: int, strength: float, hand: Hand) -> Note:
    return Note(
        onset_s=hand.onset_s(bar, form.meter.beat_at(step)),
        duration_s=LENGTHS_S.get(drum, 0.15),
        pitch=KEYS[drum],
        velocity=hand.velocity(strength),
        sound=drum,
    )


def _crash(form: Form, section: Section, hand: Hand, sheet: StyleSheet) -> list[Note]:
    if section.kind not in (SectionKind.CHORUS, SectionKind.BRIDGE) or section.bars < 2:
        return []
    strength = 100 if section.kind is SectionKind.CHORUS else 70
    return [_hit(form, "crash", section.first_bar, 0, strength * (1 if sheet.has_fills else 0.6), hand)]


def _ending(form: Form, hand: Hand) -> list[Note]:
    return [_hit(form, drum, form.bars - 1, 0, 96, hand) for drum in ("kick", "crash")]


def _choked(notes: list[Note]) -> list[Note]:
    """An open hat rings until the closed one stops it."""
    closed = sorted(note.onset_s for note in notes if note.sound == "hat")
    return [_cut(note, closed) if note.sound == "open hat" else note for note in notes]


def _cut(note: Note, stops: list[float]) -> Note:
    after = [stop for stop in stops if note.onset_s + 0.03 < stop < note.onset_s + note.duration_s]
    if not after:
        return note
    return Note(
        onset_s=note.onset_s,
        duration_s=after[0] - note.onset_s,
        pitch=note.pitch,
        velocity=note.velocity,
        sound=note.sound,
    )
