"""What is heard agrees with the truth: onsets, pitches, balance, spectrum; measured on the audio."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from scipy import signal

from bridge.generate import ComposedSong, SectionKind, SectionSpec, SongSpec, Style, compose
from bridge.generate.players import SOUNDS
from bridge.generate.spec import Instrument
from bridge.generate.synth.drums import KITS, drum
from bridge.generate.synth.tones import Tone, band, envelope, modes, plucked
from bridge.generate.synth.voice import SungNote, Throat, phrase
from bridge.generate.truth import PlayedNote
from bridge.values import Role

RATE_HZ = 44_100
Mono = NDArray[np.float64]


def cents_off(wave: Mono, pitch: float) -> float:
    """How far the strongest period within half an octave of the truth is from it, by autocorrelation."""
    expected = 440 * 2 ** ((pitch - 69) / 12)
    wave = (wave - wave.mean()) * np.hanning(len(wave))
    size = 2 * len(wave)
    power = np.abs(np.fft.rfft(wave, size)) ** 2
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(len(wave)), size)) ** 2)
    low, high = int(RATE_HZ / expected / 1.4), int(RATE_HZ / expected * 1.4) + 2
    likeness = np.fft.irfft(power)[: high + 2] / window[: high + 2]
    at = low + int(np.argmax(likeness[low:high]))
    before, here, after = likeness[at - 1 : at + 2]
    lag = at + 0.5 * (before - after) / (before - 2 * here + after)
    return float(1200 * np.log2(RATE_HZ / lag / expected))


def heard(song: ComposedSong, note: PlayedNote, role: Role, skip_s: float) -> Mono:
    start, stop = note.onset_s + skip_s, note.onset_s + note.duration_s - 0.03
    part = song.stems[role].samples[:, int(start * RATE_HZ) : int(stop * RATE_HZ)]
    return np.asarray(part.mean(axis=0), np.float64)


@pytest.mark.parametrize("instrument", list(SOUNDS), ids=[sound.value for sound in SOUNDS])
@pytest.mark.parametrize("pitch", [40, 64])
def test_instruments_are_in_tune_and_end_in_silence(instrument: Instrument, pitch: int) -> None:
    """Pitch within 30 cents, no click at either end, no offset."""
    tone = Tone(pitch=pitch, held_s=0.6, velocity=0.7, rate_hz=RATE_HZ)
    wave = np.atleast_2d(SOUNDS[instrument](tone, np.random.default_rng(1)))
    peak = np.abs(wave).max()
    assert np.isfinite(wave).all()
    assert np.abs(wave[:, -4:]).max() < 0.01 * peak
    assert np.abs(wave[:, :2]).max() < 0.05 * peak
    assert np.abs(wave.mean(axis=1)).max() < 0.02 * peak
    body = band(wave.mean(axis=0), RATE_HZ, high_hz=4 * tone.frequency_hz)[4000:26_000]
    assert abs(cents_off(body.astype(float), pitch)) < 30


@pytest.mark.parametrize("style", [Style.POP, Style.BALLAD, Style.HIP_HOP, Style.LOFI, Style.DRUM_AND_BASS])
def test_the_bass_plays_the_pitches_of_the_truth(songs: dict[Style, ComposedSong], style: Style) -> None:
    """Each note long enough to be measured is within 30 cents."""
    song = songs[style]
    notes = [note for note in song.truth.notes_of(Role.BASS) if note.duration_s > 0.18]
    errors = [
        cents_off(band(heard(song, note, Role.BASS, 0.06), RATE_HZ, high_hz=500).astype(float), note.pitch)
        for note in notes
    ]
    assert len(notes) >= 3
    assert np.max(np.abs(errors)) < 30


@pytest.mark.parametrize("style", [Style.POP, Style.ROCK, Style.AMBIENT])
def test_the_voice_sings_the_pitches_of_the_truth(style: Style) -> None:
    """Vibrato and drift stay around the note: the median error is small, nine in ten within 30 cents."""
    form = (SectionSpec(kind=SectionKind.VERSE, bars=5),)
    alone = (Instrument.ELECTRIC_PIANO,)
    song = compose(SongSpec(style=style, sections=form, instruments=alone, seed=5, key="D minor"))
    notes = [note for note in song.truth.notes_of(Role.VOCALS) if note.duration_s > 0.3]
    errors = np.array([cents_off(heard(song, note, Role.VOCALS, 0.12), note.pitch) for note in notes])
    assert len(notes) >= 5
    assert np.abs(np.median(errors)) < 10
    assert np.quantile(np.abs(errors), 0.9) < 30


def test_the_voice_stays_in_a_singers_range(song: ComposedSong) -> None:
    """Fundamentals from 110 to 500 Hz."""
    pitches = [note.pitch for note in song.truth.notes_of(Role.VOCALS)]
    assert pitches
    assert 440 * 2 ** ((min(pitches) - 69) / 12) >= 109.9
    assert 440 * 2 ** ((max(pitches) - 69) / 12) <= 500


def test_vowels_have_their_formants() -> None:
    """Sung at 110 Hz, "ah" is strong near 1.2 kHz where "hoo" is not."""
    throat = Throat(is_high=False, breath=0.0, vibrato_cents=0.0)

    def share_db(syllable: str) -> float:
        note = SungNote(onset_s=0, duration_s=1.0, pitch=45, velocity=1, syllable=syllable)
        wave = phrase([note], throat, RATE_HZ, np.random.default_rng(0))[15_000:35_000]
        f, power = signal.welch(wave, RATE_HZ, nperseg=8192)
        return float(10 * np.log10(power[(f > 1000) & (f < 1500)].sum() / power[(f > 80) & (f < 550)].sum()))

    assert share_db("ah") > share_db("hoo") + 8


@pytest.mark.parametrize("kit", list(KITS), ids=[kit.value for kit in KITS])
def test_every_drum_speaks_within_ten_milliseconds(kit: Instrument) -> None:
    """The sound starts where the note starts: half of the peak's height is reached at once."""
    from bridge.generate.drumming import KEYS

    for name in KEYS:
        wave = np.abs(drum(name, KITS[kit], 0.8, RATE_HZ, np.random.default_rng(2))).max(axis=0)
        assert wave[: RATE_HZ // 100].max() > 0.3 * wave.max(), name
        assert wave[-3:].max() < 1e-3


@pytest.mark.parametrize("style", [Style.ROCK, Style.HOUSE, Style.FUNK])
def test_drums_rise_where_the_truth_says(songs: dict[Style, ComposedSong], style: Style) -> None:
    """At kicks and snares the level within 10 ms after is well above that of the 10 ms before."""
    song = songs[style]
    level = np.abs(song.stems[Role.DRUMS].samples).max(axis=0)
    step = RATE_HZ // 100
    rises = []
    for note in song.truth.notes_of(Role.DRUMS):
        at = int(note.onset_s * RATE_HZ)
        if note.sound in ("kick", "snare") and note.velocity > 70 and at > step:
            rises.append(level[at : at + step].max() / (level[at - step : at - 8].max() + 1e-6))
    assert len(rises) >= 8
    assert np.mean(np.array(rises) > 1.5) > 0.9


def test_the_first_hit_starts_on_its_sample() -> None:
    """Nothing before the first onset of the truth, sound within 10 ms after it."""
    song = compose(SongSpec(style=Style.HOUSE, duration_s=6, voice=False, seed=2))
    first = round(song.truth.notes_of(Role.DRUMS)[0].onset_s * RATE_HZ)
    level = np.abs(song.stems[Role.DRUMS].samples).max(axis=0)
    assert not level[: first - 200].any()
    assert level[first : first + RATE_HZ // 100].max() > 0.05


def test_the_mixture_sounds_like_a_song(song: ComposedSong) -> None:
    """Crest 10 to 16 dB, a falling spectrum, a mono bottom, no offset."""
    mixture = song.mixture.samples.astype(np.float64)
    crest_db = 20 * np.log10(np.abs(mixture).max() / np.sqrt((mixture**2).mean()))
    assert 10 <= crest_db <= 16
    assert np.abs(mixture.mean(axis=1)).max() < 1e-3
    assert np.corrcoef(mixture)[0, 1] > 0
    bottom = band(mixture, RATE_HZ, high_hz=100, order=4)
    assert np.corrcoef(bottom)[0, 1] > 0.98
    assert -7 < slope_db_per_octave(mixture.mean(axis=0)) < -3


def slope_db_per_octave(wave: Mono) -> float:
    """Fall of the power density over the octaves from 63 Hz to 16 kHz."""
    f, power = signal.welch(wave, RATE_HZ, nperseg=8192)
    centres = 62.5 * 2.0 ** np.arange(9)
    levels = [10 * np.log10(power[(f > c / 1.414) & (f < c * 1.414)].mean()) for c in centres]
    return float(np.polyfit(np.arange(9), levels, 1)[0])


def test_the_balance_is_a_songs(song: ComposedSong) -> None:
    """Each stem lies 1 to 12 LU under the mixture; voice and drums are not buried."""
    meter = pyloudnorm.Meter(RATE_HZ)
    whole = meter.integrated_loudness(song.mixture.samples.T.astype(float))
    under = {r: meter.integrated_loudness(s.samples.T.astype(float)) - whole for r, s in song.stems.items()}
    assert all(-12 < value < -1 for value in under.values()), under
    assert -7.5 < under[Role.VOCALS] < -1


def test_modes_are_the_sinusoids_they_stand_for() -> None:
    """The matrix product equals the plain sum of decaying cosines."""
    t = np.arange(20_000) / RATE_HZ
    plain = np.exp(-np.log(1000) * t / 0.5) * np.cos(2 * np.pi * 441 * t + 0.3) + 0.5 * np.cos(
        2 * np.pi * 3000 * t
    )
    made = modes([441, 3000], [0.5, 1e9], [1, 0.5], [0.3, 0], 20_000, RATE_HZ)
    assert np.abs(made - plain).max() < 1e-4


def test_a_plucked_string_is_in_tune_to_a_cent() -> None:
    """Whole periods are made, then read at the exact pitch."""
    hz = 440 * 2 ** ((52 - 69) / 12)
    wave = plucked(hz, 40_000, RATE_HZ, np.random.default_rng(0), brightness=0.5, t60_s=5, pick=0.2)
    assert abs(cents_off(wave[2000:30_000].astype(float), 52)) < 1


def test_envelopes_start_and_end_at_zero() -> None:
    """No step at either edge of a note, however short."""
    for held_s in (0.01, 0.5):
        shape = envelope(Tone(pitch=60, held_s=held_s, velocity=1, rate_hz=RATE_HZ), 0.01, 0.2, 0.5, 0.1)
        assert shape[0] == 0
        assert shape[-1] < 1e-3
        assert shape.max() > 0.4
