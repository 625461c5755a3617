"""Composed songs as exporters get them, their music known instead of heard."""

from __future__ import annotations

from pathlib import Path

from bridge.audio import write_audio
from bridge.generate import ComposedSong, SongTruth
from bridge.hashes import hash_file
from bridge.music import BeatGrid, Chord, Music, Note, Part, Section
from bridge.protocols import SongToExport, StemToExport
from bridge.values import Asset, Role, Tags, Track

TITLE = "Nachtfahrt – 夜 & <Tag>"
"""What file names hold and XML does not."""


def music_of(truth: SongTruth) -> Music:
    """The truth of a composed song as what could be heard of it."""
    return Music(
        duration_s=truth.duration_s,
        grid=grid_of(truth),
        key=truth.key,
        key_confidence=1.0,
        chords=tuple(
            Chord(start_s=span.start_s, end_s=span.end_s, name=span.symbol) for span in truth.chords
        ),
        sections=tuple(
            Section(start_s=span.start_s, end_s=span.end_s, name=span.kind) for span in truth.sections
        ),
        parts=tuple(
            _part(truth, role) for role in (Role.VOCALS, Role.DRUMS, Role.BASS) if truth.notes_of(role)
        ),
    )


def grid_of(truth: SongTruth) -> BeatGrid:
    return BeatGrid(
        tempo_bpm=truth.tempo_bpm,
        confidence=1.0,
        beats_s=truth.beats_s,
        beats_per_bar=round((len(truth.beats_s) - 1) / max(1, len(truth.downbeats_s) - 1)),
        first_downbeat=truth.beats_s.index(truth.downbeats_s[0]),
    )


def _part(truth: SongTruth, role: Role) -> Part:
    notes = (
        Note(
            start_s=note.onset_s,
            end_s=note.onset_s + note.duration_s,
            pitch=note.pitch,
            velocity=note.velocity,
        )
        for note in truth.notes_of(role)
    )
    return Part(name=role.value, role=role, is_drums=role is Role.DRUMS, notes=tuple(notes))


def song_to_export(song: ComposedSong, folder: Path, **changes: object) -> SongToExport:
    """The song with its stems as files below ``folder``."""
    stems = []
    for role, audio in song.stems.items():
        path = folder / f"{role.value}.wav"
        write_audio(path, audio)
        stems.append(
            StemToExport(
                label=role.value,
                role=role,
                asset=Asset(path=path, sha256=hash_file(path), role=f"dry/{role.value}"),
                delivered_path=f"Stems/{TITLE.replace('<', '(').replace('>', ')')} - {role.value}.wav",
            )
        )
    whole = SongToExport(
        track=Track(title=TITLE, tags=Tags(artist="Ärzte & Co", comment="made by night")),
        title="Nachtfahrt – 夜 & (Tag)",
        rate_hz=song.mixture.rate_hz,
        frames=song.mixture.frames,
        music=music_of(song.truth),
        stems=tuple(stems),
        delivery=folder / "project" / "StemBridge" / "Nachtfahrt",
    )
    return whole.evolve(**changes)
