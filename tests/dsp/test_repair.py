"""Repair: offset, clicks, hiss. What is not broken stays, bit by bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import sawtooth, square

from bridge.audio import Samples, read_audio, write_audio
from bridge.dsp import (
    ClickProcessor,
    HissMeter,
    HissProcessor,
    HissProfile,
    OffsetKind,
    OffsetMeter,
    reduce_hiss,
    remove_offset,
    repair_clicks,
)

from .signals import (
    RATE_HZ,
    Wave,
    audio,
    difference_db,
    drums,
    gain_db,
    noise,
    samples,
    shared,
    through,
    tone,
)

# --- offset


def file_of(wave: Wave | Samples, tmp_path: Path) -> Path:
    path = tmp_path / "source.wav"
    write_audio(path, audio(wave))
    return path


def test_a_constant_offset_is_subtracted(tmp_path: Path) -> None:
    """Each channel's own, and nothing else changes."""
    clean = drums(5.0)
    found = remove_offset(file_of(clean + np.array([[0.02], [-0.05]]), tmp_path), tmp_path / "out.wav")
    assert found.kind is OffsetKind.CONSTANT
    assert found.amplitudes == pytest.approx((0.02, -0.05), abs=1e-3)
    made = read_audio(tmp_path / "out.wav").samples
    change = made - clean
    assert np.ptp(change, axis=1) == pytest.approx(0, abs=1e-6), "a shift, nothing but a shift"
    assert np.abs(made.mean(axis=1)).max() < 3e-3


def test_a_wandering_offset_is_filtered(tmp_path: Path) -> None:
    """An offset that comes and goes is taken away by a filter that leaves 40 Hz alone."""
    seconds = np.arange(8 * RATE_HZ) / RATE_HZ
    wave = tone(40, 8.0, -12)
    found = remove_offset(file_of(wave + 0.2 * np.clip(seconds - 3, 0, 2), tmp_path), tmp_path / "out.wav")
    assert found.kind is OffsetKind.WANDERING
    made = read_audio(tmp_path / "out.wav").samples[0]
    assert abs(made[-RATE_HZ:].mean()) < 1e-3
    assert gain_db(made[-RATE_HZ:], wave[-RATE_HZ:]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("level", [0.0, 5e-4])
def test_no_offset_is_no_change(level: float, tmp_path: Path) -> None:
    """What is below -60 dBFS stays; the samples are the same bits."""
    whole = drums(3.0) + np.float32(level)
    found = remove_offset(file_of(whole, tmp_path), tmp_path / "out.wav")
    assert found.kind is OffsetKind.NONE
    np.testing.assert_array_equal(read_audio(tmp_path / "out.wav").samples, whole)


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_what_is_short_has_no_offset(seconds: float) -> None:
    """Half a second of a low note looks like an offset; it is left alone."""
    meter = OffsetMeter(RATE_HZ, 1)
    meter.add(samples(np.full(round(seconds * RATE_HZ), 0.1)))
    assert meter.result().kind is OffsetKind.NONE


def test_silence_between_is_no_constant_offset() -> None:
    """An offset in the sound and none in the pauses: subtracting would put it into the pauses."""
    meter = OffsetMeter(RATE_HZ, 1)
    meter.add(samples(np.repeat([0.1, 0.1, 0.0, 0.1, 0.0, 0.1], RATE_HZ)))
    assert meter.result().kind is OffsetKind.WANDERING


# --- clicks


def clicks(whole: Samples, rate_hz: int = RATE_HZ) -> tuple[Samples, ClickProcessor]:
    processor = ClickProcessor(rate_hz=rate_hz, channels=len(whole))
    return through(processor, whole), processor


def harmonies(seconds: float) -> Samples:
    """Chords with vibrato over soft noise, on two channels: music that goes on."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    notes = (110, 220.4, 277.3, 329.7, 1318)
    waves = [
        np.sin(2 * np.pi * f * time_s + 2 * np.sin(2 * np.pi * 5 * time_s)) / n
        for n, f in enumerate(notes, 1)
    ]
    return samples(0.15 * sum(waves) + 0.002 * np.random.default_rng(5).normal(0, 1, (2, len(time_s))))


def planted(whole: Samples, lengths: tuple[int, ...], amplitude: float, seed: int = 2) -> tuple[Samples, int]:
    """Random bursts of some lengths, three times in two seconds, on one channel and the other by turns."""
    random, made = np.random.default_rng(seed), whole.copy()
    starts = range(25_000, whole.shape[1] - 25_000, 30_011)
    for number, start in enumerate(starts):
        burst = random.normal(0, 1, lengths[number % len(lengths)])
        made[number % len(made), start : start + len(burst)] += amplitude * burst / np.abs(burst).max()
    return made, len(starts)


def si_sdr_db(found: Samples, wanted: Samples) -> float:
    target = (np.vdot(found, wanted) / np.vdot(wanted, wanted)) * wanted.astype(float)
    return -difference_db(found, target)


@pytest.mark.parametrize("amplitude", [0.2, 0.8])
@pytest.mark.parametrize("lengths", [(1,), (2, 3), (8, 20)], ids=["single", "short", "long"])
def test_planted_clicks_are_repaired(lengths: tuple[int, ...], amplitude: float) -> None:
    """All are found, the signal comes back, and what was not hit is the same bits."""
    clean = harmonies(5.0)
    broken, count = planted(clean, lengths, amplitude)
    made, processor = clicks(broken)
    assert processor.clicks == count
    assert si_sdr_db(made, clean) > si_sdr_db(broken, clean) + 10
    assert processor.repaired_frames <= count * 60
    assert np.count_nonzero(made != broken) <= processor.repaired_frames


def test_clicks_are_repaired_the_same_for_any_block_size() -> None:
    """The windows lie on their own grid: bit by bit."""
    broken, _ = planted(harmonies(2.0), (3,), 0.5)
    wanted, _ = clicks(broken)
    for frames in (480, 7919):
        found = through(ClickProcessor(rate_hz=RATE_HZ, channels=2), broken, frames)
        np.testing.assert_array_equal(found, wanted)


TIME_S = np.arange(4 * RATE_HZ) / RATE_HZ
BEAT_S = TIME_S % 0.5
SOFT = 1e-3 * np.random.default_rng(7).normal(0, 1, len(TIME_S))
CLEAN = {
    "sawtooth": 0.3 * sawtooth(2 * np.pi * 55 * TIME_S),
    "slow sawtooth": 0.3 * sawtooth(2 * np.pi * 12 * TIME_S),
    "chopped square": 0.3 * square(2 * np.pi * 41 * TIME_S) * (BEAT_S < 0.25),
    "sine kick": 0.8 * np.sin(2 * np.pi * 50 * BEAT_S) * np.exp(-BEAT_S / 0.15),
    "kick that starts with a step": 0.8 * np.cos(2 * np.pi * 50 * BEAT_S) * np.exp(-BEAT_S / 0.15) + SOFT,
    "rim": 0.5 * np.sin(2 * np.pi * 1700 * BEAT_S) * np.exp(-BEAT_S / 0.003) + SOFT,
    "hi-hat": 300 * SOFT * np.exp(-(TIME_S % 0.125) / 0.01),
    "pluck": sum(
        0.2 * np.sin(2 * np.pi * 220 * k * BEAT_S) * np.exp(-BEAT_S * k * 3) / k for k in range(1, 30)
    ),
    "gated sine": 0.4 * np.sin(2 * np.pi * 441 * TIME_S) * (BEAT_S < 0.3) + SOFT,
    "noise": 100 * SOFT,
    "silence": 0 * SOFT,
}


@pytest.mark.parametrize("name", CLEAN)
def test_synthetic_music_is_not_touched(name: str) -> None:
    """Attacks, pulses and hard edges of instruments are no clicks: bit by bit."""
    whole = samples(CLEAN[name])
    made, processor = clicks(whole)
    assert processor.clicks == 0
    np.testing.assert_array_equal(made, whole)


@pytest.mark.parametrize(
    "name",
    [
        "demucs_test.mp3",
        "falcon69/mixture.wav",
        "falcon69/drums.wav",
        "falcon69/vocals.wav",
        "real_vs_codec/real_000002.mp3",
        "real_vs_codec/real_000134.mp3",
    ],
)
def test_real_music_is_not_touched(name: str) -> None:
    """At most one false repair in ten seconds of real songs and stems; none is the rule."""
    song = read_audio(shared(name), start=2048, frames=12 * RATE_HZ)
    whole = song.samples[:, :-2048] if "falcon" in name else song.samples
    _, processor = clicks(whole, song.rate_hz)
    assert processor.clicks <= song.duration_s / 10


def test_a_repaired_song_is_nearer_to_the_clean_one(tmp_path: Path) -> None:
    """Planted clicks in a real song: found, and the error falls."""
    song = read_audio(shared("demucs_test.mp3"), frames=10 * RATE_HZ)
    broken, count = planted(song.samples, (1, 3, 8), 0.5)
    report = repair_clicks(file_of(broken, tmp_path), tmp_path / "out.wav")
    made = read_audio(tmp_path / "out.wav").samples
    assert report.clicks >= 0.6 * count
    assert si_sdr_db(made, song.samples) > si_sdr_db(broken, song.samples) + 3


@pytest.mark.parametrize("rate_hz", [8000, 96_000, 192_000])
def test_clicks_are_found_at_other_rates(rate_hz: int) -> None:
    """A single wrong sample in a chord, at any rate."""
    time_s = np.arange(2 * rate_hz) / rate_hz
    wave = sum(0.1 * np.sin(2 * np.pi * f * time_s) for f in (220, 277, 330))
    wave = wave + 1e-4 * np.random.default_rng(0).normal(0, 1, len(wave))
    broken = wave.copy()
    broken[rate_hz] += 0.5
    made, processor = clicks(samples(broken), rate_hz)
    assert processor.clicks == 1
    assert difference_db(made[0], wave) < -60


# --- hiss


def hiss_of(whole: Samples, rate_hz: int = RATE_HZ) -> HissProfile:
    meter = HissMeter(rate_hz, len(whole))
    for start in range(0, whole.shape[1], 65_536):
        meter.add(whole[:, start : start + 65_536])
    return meter.result()


def with_pauses(seconds: float) -> Wave:
    """Phrases of chords with pauses between them, as a voice has."""
    phrases = harmonies(seconds)[0].astype(float)
    time_s = np.arange(len(phrases)) / RATE_HZ
    return np.asarray(phrases * np.clip(3 * np.sin(2 * np.pi * 0.4 * time_s), 0, 1))


@pytest.mark.parametrize("level", [-75, -60, -50])
def test_hiss_is_found_at_its_level(level: float) -> None:
    """In the pauses of a phrase; rather too little than too much."""
    hiss = np.random.default_rng(1).normal(0, 10 ** (level / 20), 15 * RATE_HZ)
    assert hiss_of(samples(with_pauses(15.0) + hiss)).level_dbfs == pytest.approx(level, abs=2)


@pytest.mark.parametrize("level", [-60, -50])
def test_hiss_is_turned_down_and_the_music_is_not(level: float) -> None:
    """In the pauses by nearly the limit; the error falls, the phrase keeps its level."""
    clean = with_pauses(15.0)
    noisy = clean + np.random.default_rng(1).normal(0, 10 ** (level / 20), len(clean))
    whole = samples(noisy)
    made = through(HissProcessor(hiss_of(whole), most_db=10, rate_hz=RATE_HZ, channels=1), whole)[0]
    time_s = np.arange(len(clean)) / RATE_HZ
    pauses, phrases = np.sin(2 * np.pi * 0.4 * time_s) < -0.3, np.sin(2 * np.pi * 0.4 * time_s) > 0.4
    assert -10.1 < gain_db(made[pauses], noisy[pauses]) < -7
    assert abs(gain_db(made[phrases], clean[phrases])) < 0.1
    assert difference_db(made, clean) < difference_db(noisy, clean) - 2


def test_what_is_left_of_the_hiss_is_smooth() -> None:
    """No musical noise: bins that stick out of it by far are hardly more than in the hiss itself."""
    hiss = noise(15 * RATE_HZ, rms=1e-3, channels=1)
    made = through(HissProcessor(hiss_of(hiss), rate_hz=RATE_HZ, channels=1), hiss)[0]

    def outliers(wave: Wave | Samples) -> float:
        spectra = np.abs(np.fft.rfft(wave[: 600 * 1024].reshape(-1, 1024) * np.hanning(1024)))[:, 20:] ** 2
        return float(np.mean(spectra > 8 * spectra.mean()))

    assert outliers(made) < 4 * outliers(hiss[0])
    assert gain_db(made, hiss) < -8


def test_music_has_no_hiss() -> None:
    """Chords with their own breath of noise, hits over a bass, loops of them, silence: nothing is found."""
    chords = harmonies(15.0) * (1.2 + np.sin(np.arange(15 * RATE_HZ) / 30_000)).astype(np.float32)
    for whole in (chords, drums(15.0), np.tile(drums(0.5), 30), np.zeros((2, 15 * RATE_HZ), np.float32)):
        assert hiss_of(whole).is_silent


@pytest.mark.parametrize("name", ["demucs_test.mp3", "real_vs_codec/real_000134.mp3"])
def test_a_clean_song_passes_bit_by_bit(name: str, tmp_path: Path) -> None:
    """No hiss is found in a mix, and nothing is taken away."""
    song = read_audio(shared(name), frames=15 * RATE_HZ)
    report = reduce_hiss(file_of(song.samples, tmp_path), tmp_path / "out.wav")
    assert report.level_dbfs == -144
    np.testing.assert_array_equal(read_audio(tmp_path / "out.wav").samples, song.samples)


def test_speech_with_hiss_gets_nearer_to_the_clean_one(tmp_path: Path) -> None:
    """Real speech with hiss added: the error falls by 2 dB or more."""
    clean = read_audio(shared("speech/clean_freesound_33711.wav"))
    hiss = np.random.default_rng(0).normal(0, 10 ** (-50 / 20), clean.samples.shape)
    source = tmp_path / "noisy.wav"
    write_audio(source, audio(clean.samples + hiss, clean.rate_hz))
    report = reduce_hiss(source, tmp_path / "out.wav")
    made = read_audio(tmp_path / "out.wav").samples
    before = difference_db(read_audio(source).samples, clean.samples)
    assert report.level_dbfs == pytest.approx(-50, abs=2)
    assert difference_db(made, clean.samples) < before - 2


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 96_000])
@pytest.mark.parametrize("frames", [100, 480, 65_536])
def test_gains_of_one_give_the_input_back(rate_hz: int, frames: int) -> None:
    """Analysis and synthesis are exact to 100 dB and more, in time, for any block size."""
    whole = noise(30_000)
    bins = np.ones(2 ** round(np.log2(rate_hz * 0.046)) // 2 + 1)
    profile = HissProfile(power=bins, rate_hz=rate_hz, level_dbfs=-60)
    processor = HissProcessor(profile, most_db=0, rate_hz=rate_hz, channels=2)
    assert difference_db(through(processor, whole, frames), whole) < -120


def test_hiss_is_reduced_the_same_for_any_block_size() -> None:
    """Within -120 dB."""
    hiss = noise(12 * RATE_HZ, rms=1e-3, channels=1)
    profile, part = hiss_of(hiss), hiss[:, :50_000]
    whole = through(HissProcessor(profile, rate_hz=RATE_HZ, channels=1), part)
    for frames in (333, 5000):
        cut = through(HissProcessor(profile, rate_hz=RATE_HZ, channels=1), part, frames)
        assert difference_db(cut, whole) < -120
