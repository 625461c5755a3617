"""Bass lines and accompaniment: patterns laid over the chords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .chance import dice
from .form import ChordSlot, Form, Section
from .meter import Event, bars_of, events_of
from .score import ENERGY, Hand, Note
from .spec import SectionKind
from .styles import PartSheet, StyleSheet
from .theory import voicing

BASS_LOW, BASS_HIGH = 28, 50
_SHORT = 0.92
"""Share of its written length that a note is held."""
_STRENGTHS = {"X": 108, "x": 90, "o": 58}


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """An event of a pattern over one chord."""

    bar: int
    beat: float
    beats: float
    token: str
    slot: ChordSlot
    energy: float


def bass_notes(form: Form, sheet: StyleSheet, seed: int) -> tuple[Note, ...]:
    """The bass line: one note at a time, on the chords' roots, fifths, octaves and approaches."""
    draw = dice(seed, "bass line")
    hand = Hand(form, dice(seed, "bassist"), sheet.timing_ms)
    verse, chorus = _choice(sheet.bass_verse, draw.random()), _choice(sheet.bass_chorus, draw.random())
    strokes = [
        stroke
        for section in form.sections
        if section.kind is not SectionKind.INTRO or section.bars < 3
        for stroke in _strokes(form, section, chorus if section.kind is SectionKind.CHORUS else verse, "R")
    ]
    return _monophonic([_bass_note(form, stroke, hand) for stroke in strokes])


def _bass_note(form: Form, stroke: Stroke, hand: Hand) -> Note:
    strength = 100 if stroke.beat == int(stroke.beat) else 86
    return Note(
        onset_s=hand.onset_s(stroke.bar, stroke.beat),
        duration_s=stroke.beats * form.beat_s * _SHORT,
        pitch=_bass_pitch(form, stroke),
        velocity=hand.velocity(strength * stroke.energy),
    )


def _bass_pitch(form: Form, stroke: Stroke) -> int:
    root = _low_root(stroke.slot.chord.root)
    steps = {"R": 0, "5": 7, "8": 12, "3": stroke.slot.chord.intervals[1]}
    if stroke.token != "a":
        return root + steps[stroke.token]
    following = [slot for slot in form.chords if (slot.bar, slot.beat) > (stroke.bar, stroke.beat)]
    goal = _low_root(following[0].chord.root) if following else root
    scale = form.key.pitches(goal - 3, goal - 1)
    return scale[-1] if scale else goal


def _low_root(pitch_class: int) -> int:
    return BASS_LOW + (pitch_class - BASS_LOW) % 12


def _monophonic(notes: list[Note]) -> tuple[Note, ...]:
    """Each note ends before the next begins, whatever the hand did."""
    ordered = sorted(notes, key=lambda note: note.onset_s)
    ends = [note.onset_s for note in ordered[1:]] + [float("inf")]
    return tuple(
        Note(
            onset_s=note.onset_s,
            duration_s=max(0.03, min(note.duration_s, end - note.onset_s - 0.005)),
            pitch=note.pitch,
            velocity=note.velocity,
        )
        for note, end in zip(ordered, ends, strict=True)
    )


def part_notes(form: Form, part: PartSheet, timing_ms: float, seed: int) -> tuple[Note, ...]:
    """What one instrument of the accompaniment plays."""
    draw = dice(seed, "patterns", part.title)
    hand = Hand(form, dice(seed, "player", part.title), timing_ms)
    voicings = _voicings(form, part)
    verse = _choice(part.verse, draw.random())
    chorus = _choice(part.chorus, draw.random()) if part.chorus else verse
    notes: list[Note] = []
    for section in _played(form, part):
        for stroke in _strokes(form, section, chorus if section.kind is SectionKind.CHORUS else verse, "x"):
            notes += _chord_notes(form, stroke, part, voicings[stroke.slot.bar, stroke.slot.beat], hand)
    return tuple(sorted(notes, key=lambda note: (note.onset_s, note.pitch)))


def _played(form: Form, part: PartSheet) -> list[Section]:
    """The sections in which a part plays; one that would never play plays in all."""
    return [s for s in form.sections if s.kind in part.sections] or list(form.sections)


def _voicings(form: Form, part: PartSheet) -> dict[tuple[int, float], tuple[int, ...]]:
    found: dict[tuple[int, float], tuple[int, ...]] = {}
    previous: tuple[int, ...] = ()
    for slot in form.chords:
        previous = voicing(slot.chord, previous, part.low, part.high, part.voices)
        found[slot.bar, slot.beat] = previous
    return found


def _chord_notes(
    form: Form, stroke: Stroke, part: PartSheet, pitches: tuple[int, ...], hand: Hand
) -> list[Note]:
    if stroke.token.isdigit():
        index = int(stroke.token) - 1
        octave, place = divmod(index, len(pitches))
        return [_note(form, stroke, pitches[place] + 12 * octave, 88, 0.0, hand)]
    return [
        _note(form, stroke, pitch, _STRENGTHS[stroke.token], order * part.strum_s, hand)
        for order, pitch in enumerate(pitches)
    ]


def _note(form: Form, stroke: Stroke, pitch: int, strength: float, late_s: float, hand: Hand) -> Note:
    return Note(
        onset_s=hand.onset_s(stroke.bar, stroke.beat) + late_s,
        duration_s=max(0.05, stroke.beats * form.beat_s * _SHORT - late_s),
        pitch=pitch,
        velocity=hand.velocity(strength * stroke.energy),
        accent=stroke.token == "X",
    )


def _strokes(form: Form, section: Section, pattern: str, last: str) -> Iterator[Stroke]:
    bars = bars_of(pattern, form.meter)
    energy = ENERGY[section.kind]
    for bar in range(section.first_bar, section.end_bar):
        if bar == form.bars - 1:
            yield _last(form, bar, last, energy)
            return
        for event in events_of(bars[(bar - section.first_bar) % len(bars)]):
            yield from _over_chords(form, bar, event, energy)


def _last(form: Form, bar: int, token: str, energy: float) -> Stroke:
    """The final chord, held to the end of the bar."""
    slot = form.slots_in(bar)[0]
    return Stroke(bar=bar, beat=0, beats=form.meter.beats, token=token, slot=slot, energy=energy)


def _over_chords(form: Form, bar: int, event: Event, energy: float) -> Iterator[Stroke]:
    """One stroke for each chord that an event lasts over."""
    start, end = form.meter.beat_at(event.step), form.meter.beat_at(event.step + event.steps)
    for slot in form.slots_in(bar):
        since, until = max(start, slot.beat), min(end, slot.beat + slot.beats)
        if until - since > 0.01:
            yield Stroke(
                bar=bar, beat=since, beats=until - since, token=event.token, slot=slot, energy=energy
            )


def _choice(options: tuple[str, ...], chance: float) -> str:
    return options[int(chance * len(options))]
