"""Notes of bass lines and voices: pitch, time, level, and what has none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.errors import AudioError, JobCancelled
from bridge.generate import Style, compose, random_spec
from bridge.measure.activity import activity_of
from bridge.measure.bands import BANDS
from bridge.measure.meter import blocks_of
from bridge.measure.nets import network
from bridge.measure.notes import MELODY, notes_from, notes_of_melody
from bridge.measure.pitches import BASS, VOICE, PitchMeter, Register
from bridge.music import Note
from bridge.values import Role, SampleFormat

from .note_songs import events_of, scored, true_events
from .signals import audio, joined, noise, scaled, silence, tone

RATE_HZ = 44_100


def hertz(pitch: float) -> float:
    """The frequency of a MIDI number."""
    return 440.0 * 2 ** ((pitch - 69) / 12)


def plucked(pitch: float, seconds: float, level_dbfs: float = -12.0, rate_hz: int = RATE_HZ) -> Audio:
    """Twelve decaying harmonics with a fast attack."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = sum(np.sin(2 * np.pi * hertz(pitch) * count * time_s) / count for count in range(1, 13)) * np.exp(
        -time_s / 0.4
    )
    wave *= np.minimum(1, time_s / 0.003) * np.minimum(1, (seconds - time_s) / 0.01)
    return audio(np.tile(10 ** (level_dbfs / 20) * wave, (2, 1)), rate_hz)


def line(pitches: Sequence[float], seconds: float = 0.3, rate_hz: int = RATE_HZ) -> Audio:
    """One pluck after the other."""
    return joined(*(plucked(pitch, seconds, rate_hz=rate_hz) for pitch in pitches))


def heard(sound: Audio, folder: Path, role: Role = Role.BASS) -> tuple[Note, ...]:
    """The notes of a sound that was written to a file."""
    path = folder / "stem.wav"
    write_audio(path, sound, SampleFormat.FLOAT32)
    return notes_of_melody(path, role)


def test_a_bass_line_is_written_down(tmp_path: Path) -> None:
    """Pitches right, onsets within 20 ms, each note ending before the next."""
    pitches = [28, 31, 33, 40, 45, 38, 52, 33]
    notes = heard(line(pitches), tmp_path)
    assert [note.pitch for note in notes] == pitches
    assert [note.start_s for note in notes] == pytest.approx(np.arange(8) * 0.3, abs=0.02)
    assert all(one.end_s <= other.start_s for one, other in pairwise(notes))


def test_a_repeated_pitch_is_several_notes(tmp_path: Path) -> None:
    """Attacks part notes of one pitch."""
    notes = heard(line([33] * 12, 0.2), tmp_path)
    assert [note.pitch for note in notes] == [33] * 12
    assert [note.start_s for note in notes] == pytest.approx(np.arange(12) * 0.2, abs=0.02)


def test_a_held_pitch_is_one_note(tmp_path: Path) -> None:
    """A steady sound has one beginning and one end."""
    (note,) = heard(joined(silence(0.5), tone(55, 2, -12, rate_hz=RATE_HZ), silence(0.5)), tmp_path)
    assert note.pitch == 33
    assert (note.start_s, note.end_s) == pytest.approx((0.5, 2.5), abs=0.06)


def test_a_note_in_a_silent_minute_is_found(tmp_path: Path) -> None:
    """A stem that plays once is judged by what it plays."""
    (note,) = heard(joined(silence(40), plucked(40, 0.5), silence(20)), tmp_path)
    assert (note.pitch, note.start_s) == (40, pytest.approx(40, abs=0.03))
    assert note.velocity > 90


def test_a_rest_is_silent(tmp_path: Path) -> None:
    """Notes end where the sound does."""
    notes = heard(joined(plucked(33, 0.4), silence(0.6), plucked(36, 0.4), silence(0.6)), tmp_path)
    assert [note.pitch for note in notes] == [33, 36]
    assert notes[0].end_s == pytest.approx(0.4, abs=0.08)


@pytest.mark.parametrize("cents", [-40, -20, 25, 40])
def test_pitches_count_from_the_stems_own_tuning(cents: int, tmp_path: Path) -> None:
    """A recording that is a quarter tone off has the same notes."""
    pitches = [33, 40, 36, 45, 38, 33]
    found = [note.pitch for note in heard(line([pitch + cents / 100 for pitch in pitches]), tmp_path)]
    assert found == pitches


@pytest.mark.parametrize("gain_db", [-40, -20, 10])
def test_notes_do_not_depend_on_level(gain_db: float, tmp_path: Path) -> None:
    """A quieter stem has the same notes, as hard as before."""
    sound = line([33, 33, 40, 38, 36])
    usual, changed = heard(sound, tmp_path), heard(scaled(sound, gain_db), tmp_path)
    assert [note.pitch for note in changed] == [note.pitch for note in usual] == [33, 33, 40, 38, 36]
    for one, other in zip(usual, changed, strict=True):
        assert other.start_s == pytest.approx(one.start_s, abs=0.025)
        assert other.velocity == pytest.approx(one.velocity, abs=2)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000, 96_000])
def test_notes_do_not_depend_on_the_rate(rate_hz: int, tmp_path: Path) -> None:
    """Files of any rate hold the same pitches at the same times."""
    pitches = [33, 40, 36, 45]
    notes = heard(line(pitches, rate_hz=rate_hz), tmp_path)
    assert [note.pitch for note in notes] == pitches
    assert [note.start_s for note in notes] == pytest.approx(np.arange(4) * 0.3, abs=0.02)


def test_velocity_follows_level(tmp_path: Path) -> None:
    """A note 12 dB below the others is a third as hard."""
    sound = joined(*(plucked(33, 0.4) if count % 4 else plucked(40, 0.4, -24) for count in range(8)))
    notes = heard(sound, tmp_path)
    hard = [note.velocity for note in notes if note.pitch == 33]
    soft = [note.velocity for note in notes if note.pitch == 40]
    assert (len(hard), len(soft)) == (6, 2)
    assert min(hard) > 90
    assert max(soft) == pytest.approx(34, abs=6)


def test_a_gliding_voice_with_vibrato_is_one_note(tmp_path: Path) -> None:
    """Half a semitone of vibrato to either side breaks no note."""
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    pitch = 60 + 0.5 * np.sin(2 * np.pi * 5.5 * time_s)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE_HZ
    wave = sum(np.sin(count * phase) / count for count in range(1, 9)) * 0.1
    (note,) = heard(audio(wave[None], RATE_HZ), tmp_path, Role.VOCALS)
    assert note.pitch == 60
    assert note.end_s - note.start_s == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(silence(0.001), id="a moment"),
        pytest.param(audio(np.zeros((1, 1)), RATE_HZ), id="one sample"),
        pytest.param(scaled(line([33]), -90), id="nearly silent"),
        pytest.param(audio(np.full((2, RATE_HZ), np.nan), RATE_HZ), id="NaN"),
        pytest.param(audio(np.full((2, RATE_HZ), 0.5), RATE_HZ), id="offset"),
    ],
)
@pytest.mark.parametrize("role", [Role.BASS, Role.VOCALS])
def test_what_has_no_notes(sound: Audio, role: Role, tmp_path: Path) -> None:
    """Nothing sounds, nothing is written."""
    assert heard(sound, tmp_path, role) == ()


def test_noise_has_hardly_any_notes(tmp_path: Path) -> None:
    """White noise repeats at no pitch."""
    assert len(heard(noise(5), tmp_path, Role.VOCALS)) <= 2


def test_a_file_that_is_no_audio(tmp_path: Path) -> None:
    """The error is that of decoding."""
    (tmp_path / "stem.wav").write_text("no audio")
    with pytest.raises(AudioError):
        notes_of_melody(tmp_path / "stem.wav", Role.BASS)


def test_cancelling_passes_through(tmp_path: Path) -> None:
    """What the progress callback raises comes out."""
    write_audio(tmp_path / "stem.wav", line([33]), SampleFormat.FLOAT32)

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        notes_of_melody(tmp_path / "stem.wav", Role.BASS, cancel)


@pytest.mark.parametrize("register", [BASS, VOICE], ids=["bass", "voice"])
@pytest.mark.parametrize("frames", [1, 997, 65_536])
def test_readings_do_not_depend_on_blocks(register: Register, frames: int) -> None:
    """Any way of cutting gives the same pitches."""
    sound = line([45, 57], 0.15 if frames == 1 else 0.5)
    whole, cut = PitchMeter(RATE_HZ, register), PitchMeter(RATE_HZ, register)
    whole.add(sound.samples)
    for block in blocks_of(sound.samples, frames):
        cut.add(block)
    assert np.array_equal(whole.track().strengths > 0.2, cut.track().strengths > 0.2)
    np.testing.assert_allclose(whole.track().pitches[:, 0], cut.track().pitches[:, 0], atol=1e-3)


@pytest.mark.parametrize("pitch", [24, 28, 33, 45, 55, 67])
def test_bass_readings_are_exact(pitch: int) -> None:
    """The strongest reading of a rich steady tone is within 8 cents, octave included."""
    meter = PitchMeter(RATE_HZ, BASS)
    meter.add(plucked(pitch, 1.0).samples)
    middle = meter.track().pitches[20:60, 0]
    assert np.abs(middle - pitch).max() < 0.08


def test_nothing_was_added() -> None:
    """A meter that heard nothing has no readings, and these no notes."""
    track = PitchMeter(RATE_HZ, VOICE).track()
    assert track.pitches.shape == (0, 4)
    assert notes_from(track, activity_of(np.zeros((0, BANDS), np.float32), network("voice")), MELODY) == ()


@pytest.mark.parametrize(("style", "least"), [(Style.ROCK, 0.9), (Style.HOUSE, 0.9), (Style.BALLAD, 0.85)])
def test_composed_basses_are_found(style: Style, least: float, tmp_path: Path) -> None:
    """Played, not written: humanised notes of a pick, a saw and a finger bass."""
    song = compose(random_spec(3, duration_s=16, style=style))
    notes = heard(song.stem(Role.BASS), tmp_path)
    assert scored(true_events(song.truth, Role.BASS), events_of(notes)).f1 >= least


@pytest.mark.parametrize("style", [Style.ROCK, Style.HIP_HOP])
def test_composed_voices_are_found(style: Style, tmp_path: Path) -> None:
    """The lead is followed though others sing along."""
    song = compose(random_spec(3, duration_s=24, style=style, voice=True))
    notes = heard(song.stem(Role.VOCALS), tmp_path, Role.VOCALS)
    assert scored(true_events(song.truth, Role.VOCALS), events_of(notes)).f1 >= 0.75
