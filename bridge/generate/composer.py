"""The composer: a song from a spec, as stems with the truth about them.

Everything is synthesised here; nothing is sampled or learned. The voice sings syllables ("la", "ooh") through
formants: it is a stand-in for a singer, not an imitation of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import Audio, write_audio
from bridge.errors import InputError
from bridge.values import Role, SampleFormat, Value

from .arrange import arrange
from .form import Form
from .mixdown import mixed
from .score import Part, Score
from .sheets import sheet_of
from .spec import SongSpec
from .truth import ChordSpan, PlayedNote, SectionSpan, SongTruth

RATES_HZ = (16_000, 96_000)
"""The lowest and the highest rate that the synthesis is made for."""


@dataclass(frozen=True, kw_only=True)
class ComposedSong:
    """A song: stems by role, all of the same length, and the truth about it."""

    spec: SongSpec
    stems: Mapping[Role, Audio]
    """Only the roles that somebody plays: no vocals where nobody sings."""
    truth: SongTruth

    @property
    def mixture(self) -> Audio:
        """The plain float sum of the stems, made anew on each call.

        All samples lie on the 24-bit grid below full scale, so the sum is exact in any order.
        """
        parts = [stem.samples for stem in self.stems.values()]
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        return Audio(samples=total, rate_hz=self.truth.rate_hz)

    def stem(self, role: Role) -> Audio:
        """The stem of a role; silence where nobody plays it."""
        if role in self.stems:
            return self.stems[role]
        silence = np.zeros_like(next(iter(self.stems.values())).samples)
        return Audio(samples=silence, rate_hz=self.truth.rate_hz)


class WrittenSong(Value):
    """Where a song's files are."""

    mixture: Path
    stems: dict[Role, Path]
    truth: Path


def compose(spec: SongSpec, *, rate_hz: int = 44_100) -> ComposedSong:
    """Compose, play and mix a song.

    Takes a spec and a sample rate of 16,000 to 96,000 Hz. The stems are stereo float32; their sum peaks at
    -3 dBFS. Everything follows from the spec and the rate: the same two give the same bytes. Memory grows
    with the length: about 2 GB at the limit of ten minutes, at 44.1 kHz.

    Raises InputError for another rate, or where the spec leaves nobody to play.

    >>> song = compose(SongSpec(style="house", key="C minor", duration_s=6, voice=False))
    >>> sorted(role.value for role in song.stems)
    ['bass', 'drums', 'other']
    """
    low, high = RATES_HZ
    if not low <= rate_hz <= high:
        raise InputError(f"A song cannot be composed at {rate_hz} Hz; choose a rate from {low} to {high} Hz.")
    score = arrange(spec)
    if not score.parts:
        raise InputError("The spec names nobody who plays; add an instrument or the voice.")
    sheet = sheet_of(spec.style)
    stems = mixed(score, sheet, rate_hz, spec.seed)
    return ComposedSong(
        spec=spec,
        stems={role: Audio(samples=stem, rate_hz=rate_hz) for role, stem in stems.items()},
        truth=_truth(spec, score, rate_hz),
    )


def write_song(
    song: ComposedSong,
    folder: Path,
    *,
    mixture_format: SampleFormat = SampleFormat.INT24,
    stem_format: SampleFormat = SampleFormat.FLOAT32,
    mixture_name: str = "mixture",
) -> WrittenSong:
    """Write ``mixture.wav``, a WAV for each stem and ``truth.json`` into ``folder``, made if needed.

    With 24-bit or float files the written stems sum to the written mixture exactly; 16-bit rounds it.
    Raises AudioError where the disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mixture = folder / f"{mixture_name}.wav"
    write_audio(mixture, song.mixture, mixture_format)
    stems = {role: folder / f"{role.value}.wav" for role in song.stems}
    for role, path in stems.items():
        write_audio(path, song.stems[role], stem_format)
    truth = folder / "truth.json"
    truth.write_text(song.truth.model_dump_json(indent=1), encoding="utf-8")
    return WrittenSong(mixture=mixture, stems=stems, truth=truth)


def _truth(spec: SongSpec, score: Score, rate_hz: int) -> SongTruth:
    form = score.form
    beats = [form.time_s(bar, beat) for bar in range(form.bars) for beat in range(form.meter.beats)]
    notes = [note for part in score.parts for note in _played_notes(part)]
    return SongTruth(
        title=spec.title,
        style=spec.style.value,
        tempo_bpm=form.tempo_bpm,
        key=form.key.name,
        time_signature=spec.time_signature,
        duration_s=round(form.duration_s * rate_hz) / rate_hz,
        rate_hz=rate_hz,
        seed=spec.seed,
        beats_s=tuple(beats),
        downbeats_s=tuple(form.time_s(bar) for bar in range(form.bars)),
        chords=_chord_spans(form),
        sections=_section_spans(form),
        notes=tuple(sorted(notes, key=lambda note: (note.onset_s, note.part, note.pitch))),
    )


def _played_notes(part: Part) -> list[PlayedNote]:
    return [
        PlayedNote(
            part=part.name,
            role=part.role,
            instrument=part.instrument.value if part.instrument else "formant voice",
            onset_s=note.onset_s,
            duration_s=note.duration_s,
            pitch=note.pitch,
            velocity=note.velocity,
            sound=note.sound,
        )
        for note in part.notes
    ]


def _edges(starts: list[float], end_s: float) -> list[tuple[float, float]]:
    """Spans from the starts, the first moved to 0 and the last going on to the end."""
    bounds = [0.0, *starts[1:], end_s]
    return list(itertools.pairwise(bounds))


def _chord_spans(form: Form) -> tuple[ChordSpan, ...]:
    edges = _edges([form.time_s(slot.bar, slot.beat) for slot in form.chords], form.duration_s)
    return tuple(
        ChordSpan(
            start_s=start,
            end_s=end,
            symbol=slot.chord.symbol,
            root=slot.chord.root,
            pitch_classes=slot.chord.pitch_classes,
        )
        for slot, (start, end) in zip(form.chords, edges, strict=True)
    )


def _section_spans(form: Form) -> tuple[SectionSpan, ...]:
    edges = _edges([form.time_s(section.first_bar) for section in form.sections], form.duration_s)
    return tuple(
        SectionSpan(start_s=start, end_s=end, kind=section.kind.value, bars=section.bars)
        for section, (start, end) in zip(form.sections, edges, strict=True)
    )
