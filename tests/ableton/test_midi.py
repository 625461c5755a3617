"""The MIDI file, read back by mido's own clock."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from ableton.midi import MidiExporter, midi_file
from bridge.generate import ComposedSong
from bridge.music import BeatGrid, Chord, Music, Note, Part
from bridge.protocols import Exporter, no_progress
from bridge.values import Role
from tests.ableton.songs import TITLE, music_of, song_to_export


@pytest.fixture(scope="module")
def read(composed: ComposedSong, tmp_path_factory: pytest.TempPathFactory) -> mido.MidiFile:
    folder = tmp_path_factory.mktemp("midi")
    paths = MidiExporter().export(song_to_export(composed, folder), folder, no_progress)
    assert [path.relative_to(folder).as_posix() for path in paths] == ["MIDI/Nachtfahrt – 夜 & (Tag).mid"]
    return mido.MidiFile(paths[0], charset="utf-8")


def track(file: mido.MidiFile, name: str) -> mido.MidiTrack:
    return next(track for track in file.tracks if track.name == name)


Heard = list[tuple[float, mido.Message]]


def heard(file: mido.MidiFile, name: str) -> Heard:
    """A track's messages at their seconds, by mido's own reckoning of the tempo track."""
    one = mido.MidiFile(type=1, ticks_per_beat=file.ticks_per_beat)
    tempi = mido.MidiTrack()
    now = 0
    for message in file.tracks[0]:
        now += message.time
        if message.type == "set_tempo":
            tempi.append(message.copy(time=now))
            now = 0
    one.tracks.extend([tempi, track(file, name)])
    seconds, messages = 0.0, []
    for message in one:
        seconds += message.time
        messages.append((seconds, message))
    return messages


def sounding(messages: Heard) -> list[tuple[float, float, int]]:
    """Start, end and pitch of each note; a note that never ends, or starts while it sounds, fails."""
    open_since: dict[int, float] = {}
    notes = []
    for seconds, message in messages:
        if message.type == "note_on":
            assert message.note not in open_since
            open_since[message.note] = seconds
        elif message.type == "note_off":
            notes.append((open_since.pop(message.note), seconds, message.note))
    assert not open_since
    return sorted(notes)


def test_it_is_an_exporter() -> None:
    """With a name and a version."""
    assert isinstance(MidiExporter(), Exporter)


@pytest.mark.parametrize(
    ("name", "role"), [("Bass", Role.BASS), ("Vocals", Role.VOCALS), ("Drums", Role.DRUMS)]
)
def test_notes_sound_where_they_were_played(
    composed: ComposedSong, read: mido.MidiFile, name: str, role: Role
) -> None:
    """Every onset within a millisecond, at its pitch."""
    played = sorted({(note.pitch, round(note.onset_s, 3)) for note in composed.truth.notes_of(role)})
    found = sorted((pitch, start) for start, _, pitch in sounding(heard(read, name)))
    assert [pitch for pitch, _ in found] == [pitch for pitch, _ in played]
    assert [start for _, start in found] == pytest.approx([start for _, start in played], abs=0.0015)


def test_drums_are_on_the_channel_of_drums(read: mido.MidiFile) -> None:
    """And nothing else is."""
    for found in read.tracks:
        channels = {message.channel for message in found if message.type == "note_on"}
        assert channels <= ({9} if found.name == "Drums" else set(range(16)) - {9})
        assert len(channels) <= 1


def test_sections_are_markers(composed: ComposedSong, read: mido.MidiFile) -> None:
    """At their beginning."""
    marks = [(s, m.text) for s, m in heard(read, TITLE) if m.type == "marker"]
    assert [text for _, text in marks] == [span.kind for span in composed.truth.sections]
    assert [s for s, _ in marks] == pytest.approx(
        [span.start_s for span in composed.truth.sections], abs=0.001
    )


def test_beats_are_cue_points(composed: ComposedSong, read: mido.MidiFile) -> None:
    """Named by bar and beat."""
    cues = [(s, m.text) for s, m in heard(read, "Beats") if m.type == "cue_marker"]
    assert [s for s, _ in cues] == pytest.approx(composed.truth.beats_s, abs=0.001)
    bars = [s for s, text in cues if text.endswith(".1")]
    assert bars == pytest.approx(composed.truth.downbeats_s, abs=0.001)


def test_tempo_and_meter_stand_at_the_start(composed: ComposedSong, read: mido.MidiFile) -> None:
    """One tempo for a steady song, in the song's key."""
    head = [message for message in read.tracks[0] if message.time == 0]
    tempi = [message for message in read.tracks[0] if message.type == "set_tempo"]
    assert [mido.tempo2bpm(message.tempo) for message in tempi] == pytest.approx(
        [composed.truth.tempo_bpm], abs=0.05
    )
    assert {"set_tempo", "time_signature", "key_signature"} <= {message.type for message in head}


@pytest.mark.parametrize(
    ("first_s", "first_downbeat", "ticks"),
    [
        pytest.param(0.0, 0, [0], id="from the start"),
        pytest.param(0.02, 0, [0], id="a hair after it"),
        pytest.param(0.0, 2, [0, 2 * 960], id="after an upbeat"),
        pytest.param(0.5, 2, [0], id="after a bar of silence and upbeat"),
        pytest.param(0.5, 1, [0, 2 * 960], id="after silence and an upbeat"),
    ],
)
def test_bars_begin_with_the_first_downbeat(first_s: float, first_downbeat: int, ticks: list[int]) -> None:
    """Where that is the start of the song, there is no sliver of a bar before it; three beats to each."""
    beats = tuple(first_s + 0.5 * number for number in range(30))
    grid = BeatGrid(
        tempo_bpm=120, confidence=1, beats_s=beats, beats_per_bar=3, first_downbeat=first_downbeat
    )
    found, now = [], 0
    for message in midi_file(Music(duration_s=16, grid=grid), "x").tracks[0]:
        now += message.time
        if message.type == "time_signature":
            assert (message.numerator, message.denominator) == (3, 4)
            found.append(now)
    assert found == ticks


def test_parts_are_called_as_their_stems() -> None:
    """In the session and in the names of files, too."""
    note = Note(start_s=0, end_s=1, pitch=40)
    parts = tuple(
        Part(name=name, role=Role.FX, notes=(note,)) for name in ("fx", "backing_vocals", "synth 2")
    )
    file = midi_file(Music(duration_s=2, grid=BeatGrid(tempo_bpm=0, confidence=0), parts=parts), "x")
    assert [track.name for track in file.tracks[1:]] == ["FX", "Backing Vocals", "Synth 2"]


def test_chords_are_notes_with_their_names(composed: ComposedSong, read: mido.MidiFile) -> None:
    """As many chords as names, and what sounds between a name and the next is the chord."""
    messages = heard(read, "Chords")
    names = [message.text for _, message in messages if message.type == "text"]
    assert names == [span.symbol for span in composed.truth.chords]
    for span in composed.truth.chords:
        pitches = {
            pitch % 12
            for start, _, pitch in sounding(messages)
            if start == pytest.approx(span.start_s, abs=0.001)
        }
        assert pitches == set(span.pitch_classes)


def test_the_same_song_gives_the_same_bytes(composed: ComposedSong, tmp_path: Path) -> None:
    """Nothing in it depends on the moment."""
    for name in ("one", "two"):
        midi_file(music_of(composed.truth), "x").save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_note_ends_where_its_pitch_starts_again() -> None:
    """And of two at once there is one."""
    notes = [(0.0, 1.0), (0.5, 0.9), (0.5, 0.7), (1.0, 1.0)]
    played = tuple(Note(start_s=start, end_s=end, pitch=40) for start, end in notes)
    part = Part(name="bass", role=Role.BASS, notes=played)
    file = midi_file(Music(duration_s=2, grid=BeatGrid(tempo_bpm=0, confidence=0), parts=(part,)), "x")
    found = [(round(start, 2), round(end, 2)) for start, end, _ in sounding(heard(file, "Bass"))]
    assert found == [(0.0, 0.5), (0.5, 0.7), (1.0, 1.0)]


def test_of_silence_there_is_nothing_but_a_tempo() -> None:
    """No track without content."""
    file = midi_file(Music(duration_s=2, grid=BeatGrid(tempo_bpm=0, confidence=0)), "Silence")
    assert [found.name for found in file.tracks] == ["Silence"]


def test_a_chord_whose_name_says_no_notes_stays_as_a_name() -> None:
    """And a place without a chord has none."""
    chords = (Chord(start_s=0, end_s=1, name="?"), Chord(start_s=1, end_s=2, name=""))
    music = Music(duration_s=2, grid=BeatGrid(tempo_bpm=90, confidence=1), chords=chords)
    messages = heard(midi_file(music, "x"), "Chords")
    assert [m.text for _, m in messages if m.type == "text"] == ["?"]
    assert sounding(messages) == []
