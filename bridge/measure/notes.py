"""Notes of one voice: which pitch sounds from when to when, in a bass line or a sung melody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridge.audio import open_audio
from bridge.measure.activity import Activity, activity_of
from bridge.measure.bands import LONG_FRAME_S, BandMeter, loud_moments_db
from bridge.measure.meter import feed, heard_channels
from bridge.measure.nets import network
from bridge.measure.noteline import Span, note_line
from bridge.measure.pitches import BASS, VOICE, PitchMeter, PitchTrack, Register
from bridge.music import Note
from bridge.protocols import Progress, no_progress
from bridge.values import Role

_SILENT_DB = -80.0
"""A stem whose loud moments stay below this has no notes."""
_ATTACK_STEPS = 12
"""Steps from a note's start in which its velocity is measured."""
_HARD = 100
"""Velocity of loud notes."""
_DB_PER_TENFOLD = 26.0
"""A note of ten times the velocity is this much louder."""


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """How the notes of a kind of voice are found."""

    register: Register
    net: str
    """The network that knows when it sounds."""
    change: float
    """What a new note costs, in steps of full strength."""
    reward: float
    """What a sure beginning gives towards it."""
    shortest_s: float


BASS_LINE = Hearing(register=BASS, net="bass", change=4.0, reward=7.0, shortest_s=0.05)
MELODY = Hearing(register=VOICE, net="voice", change=10.0, reward=20.0, shortest_s=0.08)


def notes_of_melody(stem: Path, role: Role, progress: Progress = no_progress) -> tuple[Note, ...]:
    """The notes of a stem that plays one at a time, in order of their start.

    A bass is heard from 30 to 400 Hz, every other role from 70 to 1,100 Hz, as a voice is. Where several
    sing, the strongest is followed. Pitches count from the stem's own tuning; velocities follow the level
    against the loud notes. Silence has no notes. Raises AudioError where the file cannot be decoded.
    """
    hearing = BASS_LINE if role is Role.BASS else MELODY
    with open_audio(stem) as reader:
        pitches = PitchMeter(reader.info.rate_hz, hearing.register)
        bands = BandMeter(reader.info.rate_hz, heard_channels(reader), LONG_FRAME_S)
        feed(reader, pitches, bands, progress=progress)
    return notes_from(pitches.track(), activity_of(bands.levels(), network(hearing.net)), hearing)


def notes_from(track: PitchTrack, activity: Activity, hearing: Hearing) -> tuple[Note, ...]:
    """The notes of a pitch track and of what is known of each of its steps."""
    if not len(track.levels_db):
        return ()
    loud_db = loud_moments_db(track.levels_db)
    if loud_db < _SILENT_DB:
        return ()
    line = note_line(track, activity, change=hearing.change, reward=hearing.reward)
    return tuple(
        _note(span, track, loud_db)
        for span in line
        if (span.stop - span.start) * track.step_s >= hearing.shortest_s
    )


def _note(span: Span, track: PitchTrack, loud_db: float) -> Note:
    attack_db = float(track.levels_db[span.start : min(span.stop, span.start + _ATTACK_STEPS)].max())
    velocity = _HARD * 10 ** ((attack_db - loud_db) / _DB_PER_TENFOLD)
    return Note(
        start_s=span.start * track.step_s,
        end_s=span.stop * track.step_s,
        pitch=span.pitch,
        velocity=int(np.clip(round(velocity), 1, 127)),
    )
