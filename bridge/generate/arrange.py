"""The arrangement: who plays in a song, and what."""

from __future__ import annotations

from dataclasses import replace

from bridge.values import Role

from .accompaniment import bass_notes, part_notes
from .drumming import drum_notes
from .form import Form, form_of
from .melody import Line, harmony_notes, melody_notes
from .score import Note, Part, Score
from .sheets import SHEETS, sheet_of
from .spec import Instrument, SectionKind, SongSpec
from .styles import SUNG, PartSheet, StyleSheet

HIGH_VOICE = (55, 71)
"""G3 to B4, fundamentals of 196 to 494 Hz."""
LOW_VOICE = (45, 65)
"""A2 to F4, fundamentals of 110 to 349 Hz."""
LEAD_RANGE = (62, 84)
_VOICED = SUNG | {SectionKind.OUTRO}


def arrange(spec: SongSpec) -> Score:
    """The score of a spec: the sheet of its style, or the instruments that it names."""
    form, sheet = form_of(spec), sheet_of(spec.style)
    parts = [
        *_voices(form, sheet, spec),
        *_rhythm_section(form, sheet, spec),
        *(_accompanist(form, part, sheet, spec.seed) for part in _accompaniment(sheet, spec)),
        *_leads(form, sheet, spec),
    ]
    cut = [_within(part, form.duration_s - 0.02) for part in parts]
    return Score(form=form, parts=tuple(part for part in cut if part.notes))


def voice_range(sheet: StyleSheet) -> tuple[int, int]:
    """The lowest and highest pitch that a style's voice sings."""
    return HIGH_VOICE if sheet.singing.is_high else LOW_VOICE


def _voices(form: Form, sheet: StyleSheet, spec: SongSpec) -> list[Part]:
    if not spec.voice:
        return []
    low, high = voice_range(sheet)
    line = Line(
        name="voice",
        low=low,
        high=high,
        verse=sheet.singing.verse,
        chorus=sheet.singing.chorus,
        sections=_VOICED,
        timing_ms=sheet.timing_ms + 3,
    )
    lead = melody_notes(form, line, spec.seed)
    backing = harmony_notes(form, lead, low, high)
    reverb = sheet.mix.vocal_reverb
    return [
        _voice_part("lead vocal", lead, PartSheet(instrument=Instrument.LEAD, reverb=reverb, lowcut_hz=90)),
        _voice_part(
            "backing vocals",
            backing,
            PartSheet(
                instrument=Instrument.LEAD, reverb=reverb + 0.1, level_db=-8, is_doubled=True, lowcut_hz=150
            ),
        ),
    ]


def _voice_part(name: str, notes: tuple[Note, ...], sheet: PartSheet) -> Part:
    return Part(name=name, role=Role.VOCALS, instrument=None, sheet=sheet, notes=notes)


def _rhythm_section(form: Form, sheet: StyleSheet, spec: SongSpec) -> list[Part]:
    kit = _named(spec, sheet.kit, "is_kit")
    bass = _named(spec, sheet.bass, "is_bass")
    parts = []
    if kit:
        room = PartSheet(instrument=kit, reverb=sheet.mix.drum_reverb, lowcut_hz=28)
        notes = drum_notes(form, sheet, spec.seed)
        parts.append(Part(name="drums", role=Role.DRUMS, instrument=kit, sheet=room, notes=notes))
    if bass:
        dry = PartSheet(instrument=bass, reverb=0.0, lowcut_hz=28, spread=0.0)
        notes = bass_notes(form, sheet, spec.seed)
        parts.append(Part(name="bass", role=Role.BASS, instrument=bass, sheet=dry, notes=notes))
    return parts


def _named(spec: SongSpec, usual: Instrument, kind: str) -> Instrument | None:
    if not spec.instruments:
        return usual
    return next((instrument for instrument in spec.instruments if getattr(instrument, kind)), None)


def _accompaniment(sheet: StyleSheet, spec: SongSpec) -> list[PartSheet]:
    if not spec.instruments:
        return list(sheet.parts)
    wanted = [i for i in dict.fromkeys(spec.instruments) if not i.is_kit and not i.is_bass]
    return [_sheet_for(instrument, sheet) for instrument in wanted]


def _sheet_for(instrument: Instrument, sheet: StyleSheet) -> PartSheet:
    """How a style plays an instrument: from its own sheet, from another style's, or plain chords."""
    pool = [*sheet.parts, *(part for other in SHEETS.values() for part in other.parts)]
    return next((part for part in pool if part.instrument is instrument), PartSheet(instrument=instrument))


def _accompanist(form: Form, part: PartSheet, sheet: StyleSheet, seed: int) -> Part:
    notes = part_notes(form, part, sheet.timing_ms, seed)
    return Part(name=part.title, role=Role.OTHER, instrument=part.instrument, sheet=part, notes=notes)


def _leads(form: Form, sheet: StyleSheet, spec: SongSpec) -> list[Part]:
    """The melody instrument: in the intro of a sung song, everywhere in one that is not."""
    others = [i for i in spec.instruments if not i.is_kit and not i.is_bass]
    if spec.instruments and not others:
        return []
    lead = sheet.lead if not spec.instruments or sheet.lead in others else others[0]
    line = Line(
        name="lead",
        low=LEAD_RANGE[0],
        high=LEAD_RANGE[1],
        verse=sheet.singing.verse,
        chorus=sheet.singing.chorus,
        sections=frozenset({SectionKind.INTRO}) if spec.voice else frozenset(SectionKind),
        timing_ms=sheet.timing_ms,
    )
    notes = tuple(replace(note, sound="") for note in melody_notes(form, line, spec.seed))
    mix = PartSheet(
        instrument=lead,
        name=f"{lead.value} melody",
        level_db=1 if spec.voice else 2,
        pan=0.08,
        spread=0.1,
        reverb=0.3,
        lowcut_hz=150,
        drive=8 if lead is Instrument.OVERDRIVEN_GUITAR else 0,
    )
    return [Part(name=mix.title, role=Role.OTHER, instrument=lead, sheet=mix, notes=notes)]


def _within(part: Part, end_s: float) -> Part:
    """The part without what would start after, or ring past, the end of the song."""
    notes = (
        replace(note, duration_s=min(note.duration_s, end_s - note.onset_s))
        for note in part.notes
        if note.onset_s < end_s - 0.05
    )
    return replace(part, notes=tuple(notes))
