"""Melodies: motifs of two bars that come back, changed where the chords ask for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .chance import dice
from .form import ChordSlot, Form, Section
from .meter import bars_of, events_of
from .score import ENERGY, Hand, Note
from .spec import SectionKind

RHYTHMS = {
    "calm": (
        "x-------x---x---x-----------....",
        "....x---x---x---x---------......",
        "x-----x-x-------x---x-------....",
        "x-----------x---x-------........",
    ),
    "wide": (
        "x---x---x-----x-x---x-------....",
        "x-----x-x---x---x-----------....",
        "x-----x---x-x---x---x---x---....",
        "..x-x---x-----x-x-------x---....",
    ),
    "steady": (
        "x-x-x---x-x-x---x---x-------....",
        "..x-x-x-x---x---x-x-x-------....",
        "x---x-x-x---x-x-x-x-x---x---....",
        "....x-x-x-x-x---x---x-x-----....",
    ),
    "busy": (
        "x-x-x-x-x-xxx---x-x-x-x-x---....",
        "..xxx-x-x-x-x-x-x---xxx-x---....",
        "x-xxx---x-xxx---x-x-x-xxx---....",
        "..x-x-xxx---x-x-..x-x-x-x---....",
    ),
}
"""Two bars each, by how many notes they have."""
SYLLABLES = {
    "verse": ("la", "doo", "na", "da", "oh", "sha", "no"),
    "chorus": ("oh", "sha", "hey", "la", "ah", "hoo", "na"),
    "long": ("ah", "ooh", "oh", "hoo"),
}
_STEPS = (0, 1, -1, 2, -2, 3, -3, 4)
_CHANCES = (0.16, 0.27, 0.27, 0.11, 0.11, 0.03, 0.03, 0.02)


@dataclass(frozen=True, kw_only=True)
class Motif:
    """A rhythm of two bars with its steps on the scale and its syllables."""

    bars: tuple[str, ...]
    start: float
    """Where in the register it begins, 0 low to 1 high."""
    moves: tuple[int, ...]
    syllables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Who sings or plays a melody: range, character and sections."""

    name: str
    low: int
    high: int
    verse: str
    chorus: str
    sections: frozenset[SectionKind]
    timing_ms: float


def melody_notes(form: Form, line: Line, seed: int) -> tuple[Note, ...]:
    """A melody over the sections in which the line is heard; sections of a kind sing the same."""
    hand = Hand(form, dice(seed, "singer", line.name), line.timing_ms)
    notes: list[Note] = []
    for section in form.sections:
        if section.kind in line.sections:
            notes += _section(form, section, line, hand, seed)
    return _breathing(notes)


def harmony_notes(form: Form, notes: tuple[Note, ...], low: int, high: int) -> tuple[Note, ...]:
    """A second voice on the chord tone next above each note (below at the top), for choruses only."""
    found = []
    for note in notes:
        section = section_at(form, note.onset_s + 0.05)
        if section.kind is SectionKind.CHORUS:
            tones = _tones(slot_at(form, note.onset_s + 0.05), low, high)
            pitch = next((tone for tone in tones if tone >= note.pitch + 3), None)
            pitch = pitch or next((tone for tone in reversed(tones) if tone <= note.pitch - 3), note.pitch)
            found.append(_moved(note, pitch))
    return tuple(found)


def section_at(form: Form, time_s: float) -> Section:
    """The section that holds at a time."""
    return next((s for s in reversed(form.sections) if form.time_s(s.first_bar) <= time_s), form.sections[0])


def slot_at(form: Form, time_s: float) -> ChordSlot:
    """The chord that holds at a time."""
    return next((s for s in reversed(form.chords) if form.time_s(s.bar, s.beat) <= time_s), form.chords[0])


def _section(form: Form, section: Section, line: Line, hand: Hand, seed: int) -> list[Note]:
    is_chorus = section.kind in (SectionKind.CHORUS, SectionKind.OUTRO)
    first, second = _motifs(form, section, line, seed, is_chorus)
    notes: list[Note] = []
    for at in range(0, section.bars, 2):
        motif = second if at % 8 == 4 else first  # A A B A over eight bars
        bars = range(section.first_bar + at, min(section.first_bar + at + 2, section.end_bar))
        ends = at % 4 == 2 or at + 2 >= section.bars
        notes += _phrase(form, motif, bars, line, hand, ENERGY[section.kind], ends)
    return notes


def _motifs(form: Form, section: Section, line: Line, seed: int, is_chorus: bool) -> tuple[Motif, Motif]:
    draw = dice(seed, "motif", line.name, section.kind.value)
    is_sparse = section.kind in (SectionKind.BRIDGE, SectionKind.OUTRO)
    rhythms = RHYTHMS["calm" if is_sparse else line.chorus if is_chorus else line.verse]
    order = draw.permutation(len(rhythms))
    words = SYLLABLES["chorus" if is_chorus else "verse"]
    start = 0.62 if is_chorus else 0.35
    return (
        _motif(form, rhythms[int(order[0])], start, words, draw),
        _motif(form, rhythms[int(order[1])], start + 0.15, words, draw),
    )


def _motif(form: Form, rhythm: str, start: float, words: tuple[str, ...], draw: np.random.Generator) -> Motif:
    bars = tuple(bars_of(rhythm, form.meter))
    lengths = [event.steps for bar in bars for event in events_of(bar)]
    weights = np.array(_CHANCES) / sum(_CHANCES)
    moves = tuple(int(draw.choice(_STEPS, p=weights)) for _ in lengths)
    sung = tuple(str(draw.choice(SYLLABLES["long"] if length >= 6 else words)) for length in lengths)
    return Motif(bars=bars, start=start, moves=moves, syllables=sung)


def _phrase(
    form: Form, motif: Motif, bars: range, line: Line, hand: Hand, energy: float, ends: bool
) -> list[Note]:
    written = [(bar, event) for bar, text in zip(bars, motif.bars, strict=False) for event in events_of(text)]
    scale = form.key.pitches(line.low, line.high)
    place = round(motif.start * (len(scale) - 1))
    notes: list[Note] = []
    for index, (bar, event) in enumerate(written):
        if bar == form.bars - 1:
            return [*notes, _final(form, line, bar, hand, notes)]
        start, end = form.meter.beat_at(event.step), form.meter.beat_at(event.step + event.steps)
        place = _reflected(place + motif.moves[index], len(scale))
        is_strong = event.step % 8 == 0 or event.steps >= 4 or (ends and index == len(written) - 1)
        slot = slot_at(form, form.time_s(bar, start) + 0.01)
        pitch = _snapped(scale[place], slot, line) if is_strong else scale[place]
        place = _nearest(scale, pitch)
        notes.append(_sung(form, bar, start, end, pitch, motif.syllables[index], hand, energy, is_strong))
    return notes


def _sung(
    form: Form,
    bar: int,
    start: float,
    end: float,
    pitch: int,
    sound: str,
    hand: Hand,
    energy: float,
    strong: bool,
) -> Note:
    return Note(
        onset_s=hand.onset_s(bar, start),
        duration_s=(end - start) * form.beat_s * 0.97,
        pitch=pitch,
        velocity=hand.velocity((100 if strong else 86) * energy),
        sound=sound,
    )


def _final(form: Form, line: Line, bar: int, hand: Hand, before: list[Note]) -> Note:
    near = before[-1].pitch if before else round((line.low + line.high) / 2)
    tones = [p for p in range(line.low, line.high + 1) if p % 12 == form.key.tonic]
    pitch = min(tones, key=lambda tone: abs(tone - near))
    return _sung(form, bar, 0, form.meter.beats, pitch, "ah", hand, 0.9, True)


def _snapped(pitch: int, slot: ChordSlot, line: Line) -> int:
    tones = _tones(slot, line.low, line.high)
    return min(tones, key=lambda tone: (abs(tone - pitch), tone))


def _tones(slot: ChordSlot, low: int, high: int) -> list[int]:
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in slot.chord.pitch_classes[:4]]


def _nearest(scale: tuple[int, ...], pitch: int) -> int:
    return min(range(len(scale)), key=lambda index: abs(scale[index] - pitch))


def _reflected(place: int, size: int) -> int:
    if place < 0:
        return -place
    return 2 * (size - 1) - place if place >= size else place


def _moved(note: Note, pitch: int) -> Note:
    return Note(
        onset_s=note.onset_s,
        duration_s=note.duration_s,
        pitch=pitch,
        velocity=note.velocity,
        sound=note.sound,
    )


def _breathing(notes: list[Note]) -> tuple[Note, ...]:
    """One note at a time: each ends where the next begins."""
    ordered = sorted(notes, key=lambda note: note.onset_s)
    found = []
    for note, after in zip(ordered, [*ordered, None][1:], strict=True):
        room = after.onset_s - note.onset_s if after else note.duration_s
        found.append(
            Note(
                onset_s=note.onset_s,
                duration_s=max(0.04, min(note.duration_s, room)),
                pitch=note.pitch,
                velocity=note.velocity,
                sound=note.sound,
            )
        )
    return tuple(found)
