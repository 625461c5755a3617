"""The song as a MIDI file: tempo and time signature, sections, beats, chords, melodies and drums.

Standard MIDI File 1.0, format 1. Tick 0 is where the song begins, so the file goes beside the stems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import mido

from ableton.chords import chord_pitches
from ableton.tempomap import TempoMap, tempo_map
from bridge.music import BeatGrid, Chord, Music, Note, Part
from bridge.protocols import Progress, SongToExport
from bridge.stages.findings import stem_title
from bridge.values import Role

TICKS_PER_BEAT = 960
DRUM_CHANNEL = 9
MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
PROGRAMS = {Role.BASS: 33, Role.VOCALS: 53, Role.BACKING_VOCALS: 52, Role.STRINGS: 48, Role.GUITAR: 25}
"""Sounds of General MIDI, from 0: finger bass, voice, choir, strings, steel guitar; a piano for the rest."""
CHORD_VELOCITY = 64


class MidiExporter:
    """Writes ``MIDI/<Title>.mid``."""

    name = "midi"
    version = "1"

    def export(self, song: SongToExport, folder: Path, progress: Progress) -> tuple[Path, ...]:
        """One file with all that was written down of the song."""
        path = folder / "MIDI" / f"{song.title}.mid"
        path.parent.mkdir()
        midi_file(song.music, song.track.title).save(path)
        progress(1.0)
        return (path,)


class _Event(NamedTuple):
    """A message at its tick. Of those at one tick, notes end first and begin last."""

    tick: int
    order: int
    message: mido.Message | mido.MetaMessage


_END, _TEXT, _START = 0, 1, 2


def midi_file(music: Music, title: str) -> mido.MidiFile:
    """The song as tracks: the first holds tempo and sections; beats, chords and parts follow where heard."""
    score = _Score(tempo_map(music.grid))
    channels = cycle(MELODIC_CHANNELS)
    tracks = [_track(title, score.conductor(music))]
    if music.grid.beats_s:
        tracks.append(_track("Beats", score.beats(music.grid)))
    if music.chords:
        tracks.append(_track("Chords", score.chords(music.chords, next(channels))))
    for part in music.parts:
        channel = DRUM_CHANNEL if part.is_drums else next(channels)
        tracks.append(_track(stem_title(part.name), score.part(part, channel)))
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.extend(tracks)
    return file


def _track(name: str, events: Iterable[_Event]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for event in sorted(events, key=lambda event: event[:2]):
        track.append(event.message.copy(time=event.tick - now))
        now = event.tick
    return track


class _Score:
    """The song's values as events on the ticks of one tempo map."""

    def __init__(self, tempi: TempoMap) -> None:
        self._tempi = tempi

    def conductor(self, music: Music) -> Iterator[_Event]:
        """Tempo, time signature, key and sections."""
        for span in self._tempi.spans:
            tempo = mido.bpm2tempo(span.bpm)
            yield _meta(round(span.start_beat * TICKS_PER_BEAT), "set_tempo", tempo=tempo)
        bars_from = round(self._tempi.first_downbeat * TICKS_PER_BEAT) if self._tempi.lead_beats else 0
        for tick in sorted({0, bars_from}):
            yield _meta(tick, "time_signature", numerator=self._tempi.beats_per_bar, denominator=4)
        if music.key:
            key = music.key.replace(" minor", "m").replace(" major", "")
            yield _meta(0, "key_signature", key=key)
        for section in music.sections:
            yield _meta(self._tick(section.start_s), "marker", text=section.name)

    def beats(self, grid: BeatGrid) -> Iterator[_Event]:
        """A cue point for each beat, "12.3" being the third of bar 12; what goes before bar 1 is bar 0."""
        for number, time_s in enumerate(grid.beats_s):
            bar, beat = divmod(number - grid.first_downbeat, grid.beats_per_bar)
            yield _meta(self._tick(time_s), "cue_marker", text=f"{bar + 1}.{beat + 1}")

    def chords(self, chords: Iterable[Chord], channel: int) -> Iterator[_Event]:
        """Chords as notes, each with its name; those whose names say no notes have the name alone."""
        for chord in chords:
            if not chord.name:
                continue
            yield _meta(self._tick(chord.start_s), "text", text=chord.name)
            for pitch in chord_pitches(chord.name):
                note = Note(start_s=chord.start_s, end_s=chord.end_s, pitch=pitch, velocity=CHORD_VELOCITY)
                yield from self._note(note, self._tick(chord.end_s), channel)

    def part(self, part: Part, channel: int) -> Iterator[_Event]:
        """The notes of a stem; one that would sound on when the same pitch starts again ends there."""
        if not part.is_drums:
            program = PROGRAMS.get(part.role, 0)
            yield _Event(0, _TEXT, mido.Message("program_change", channel=channel, program=program))
        next_ticks: dict[int, int] = {}
        for note in reversed(part.notes):
            start = self._tick(note.start_s)
            end = min(self._tick(note.end_s), next_ticks.get(note.pitch, self._tick(note.end_s)))
            if next_ticks.get(note.pitch) != start:
                yield from self._note(note, end, channel)
            next_ticks[note.pitch] = start

    def _note(self, note: Note, end: int, channel: int) -> Iterator[_Event]:
        start = self._tick(note.start_s)
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)
        yield _Event(start, _START, on)
        yield _Event(max(end, start + 1), _END, off)

    def _tick(self, time_s: float) -> int:
        return round(self._tempi.beat_at(time_s) * TICKS_PER_BEAT)


def _meta(tick: int, kind: str, **what: object) -> _Event:
    return _Event(tick, _TEXT, mido.MetaMessage(kind, **what))
