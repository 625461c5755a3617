"""The limiter keeps its ceiling between the samples, and touches nothing below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from bridge.audio import Audio, Samples, read_audio, write_audio
from bridge.dsp import LimiterProcessor, limit_file
from bridge.errors import AudioError
from bridge.measure import TruePeakMeter
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.values import SampleFormat

from .signals import RATE_HZ, difference_db, drums, gain_db, noise, samples, shared, through, tone


def limiter(
    rate_hz: int = RATE_HZ,
    channels: int = 2,
    ceiling_dbtp: float = -1,
    gain: float = 0,
    release_ms: float = 100,
) -> LimiterProcessor:
    return LimiterProcessor(
        ceiling_dbtp=-1, gain_db=gain, release_ms=release_ms, rate_hz=rate_hz, channels=channels
    )


def true_peak_dbtp(whole: Samples, rate_hz: int = RATE_HZ) -> float:
    meter = TruePeakMeter(rate_hz, len(whole))
    meter.add(whole)
    return float(20 * np.log10(meter.peak))


def peak_at_4x_db(whole: Samples) -> float:
    """The plain 4x reading by SciPy's polyphase resampler, which shares no code with the limiter."""
    return float(20 * np.log10(np.abs(resample_poly(whole.astype(float), 4, 1, axis=1)).max()))


def stereo(wave: np.ndarray) -> Samples:
    return samples(np.stack([wave, wave]))


HARD = {
    "between the samples": stereo(tone(RATE_HZ / 4, 0.5, 0, degrees=45)),
    "square": stereo(0.9 * np.sign(tone(441, 0.5) + 1e-9)),
    "noise": noise(22_050, rms=0.5),
    "clipped": np.clip(3 * drums(1.0), -1, 1),
    "a full-scale impulse": np.eye(1, 20_000, 9000, dtype=np.float32).repeat(2, axis=0),
    "bursts": stereo(tone(7000, 0.5, 0) * (np.arange(22_050) // 200 % 7 == 0)),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("gain", [0, 6, 14])
def test_the_ceiling_is_kept(name: str, gain: float) -> None:
    """By two meters, within 0.1 dB in noise up to half the rate, however hard it is driven."""
    made = through(limiter(gain=gain), HARD[name])
    assert peak_at_4x_db(made) <= -1 + (0.05 if name == "noise" else 0.0)
    assert true_peak_dbtp(made) <= -1 + (0.1 if name == "noise" else 0.05)


@pytest.mark.parametrize("rate_hz", [8000, 22_050, 48_000, 96_000, 192_000])
def test_the_ceiling_is_kept_at_every_rate(rate_hz: int) -> None:
    """From 8 to 192 kHz."""
    made = through(limiter(rate_hz, gain=8), drums(0.5, rate_hz=rate_hz))
    assert true_peak_dbtp(made, rate_hz) <= -1 + 0.05


def test_what_stays_below_the_ceiling_is_not_touched() -> None:
    """Bit by bit."""
    whole = noise(30_000, rms=0.05)
    made = limiter()
    np.testing.assert_array_equal(through(made, whole), whole)
    assert made.figures()["max_gain_reduction_db"] == 0


def test_a_steady_tone_loses_what_it_must() -> None:
    """6 dB too much: 6 dB less, a clean sine, and the report says 6."""
    made = limiter(channels=1, gain=5)
    wave = samples(tone(1000, 2.0, 0))
    out = through(made, wave)[:, 44_100:]
    assert gain_db(out, wave[:, 44_100:]) == pytest.approx(-1, abs=0.05)
    assert made.figures()["max_gain_reduction_db"] == pytest.approx(6, abs=0.05)
    spectrum = np.abs(np.fft.rfft(out[0] * np.hanning(out.shape[1])))
    harmonics = spectrum[[2000, 3000, 4000, 5000]]
    assert 20 * np.log10(harmonics.max() / spectrum.max()) < -80


def test_the_gain_comes_before_the_peak_and_leaves_after_it() -> None:
    """No step: the gain changes by less than 0.2 dB a frame, is down at the peak, and recovers."""
    wave = np.full(40_000, 0.1)
    wave[20_000] = 2.0
    gain = through(limiter(channels=1, release_ms=50), samples(wave))[0] / wave
    decibels = 20 * np.log10(gain)
    assert decibels[20_000] < -6.9
    assert np.abs(np.diff(decibels)).max() < 0.2
    assert abs(decibels[19_800]) < 1e-5
    assert decibels[20_000 + 2205] == pytest.approx(decibels[20_000] * 0.37, abs=0.4)
    assert decibels[-1] > -0.3


def test_both_channels_go_down_together() -> None:
    """The image stands still while one channel peaks."""
    whole = samples(np.stack([tone(500, 0.5, 0), tone(500, 0.5, -20)]))
    made = through(limiter(gain=6), whole)
    np.testing.assert_allclose(made[1], made[0] * 0.1, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("sample_format", [SampleFormat.FLOAT32, SampleFormat.INT24])
def test_a_file_keeps_its_ceiling_by_another_meter(tmp_path: Path, sample_format: SampleFormat) -> None:
    """FFmpeg's true-peak meter agrees that the ceiling holds; length and rate stay."""
    source, target = tmp_path / "source.wav", tmp_path / "master.wav"
    write_audio(source, Audio(samples=drums(4.0, rate_hz=48_000), rate_hz=48_000))
    report = limit_file(source, target, ceiling_dbtp=-1, gain_db=9, sample_format=sample_format)
    assert report.is_kept
    assert report.true_peak_dbtp <= -1
    assert report.passes <= 2
    assert report.max_gain_reduction_db > 3
    assert ffmpeg_loudness(target).true_peak_dbtp <= -1 + 0.02
    made = read_audio(target)
    assert (made.frames, made.rate_hz) == (192_000, 48_000)


def test_a_file_that_passes_the_ceiling_is_limited_again(tmp_path: Path) -> None:
    """Full-band noise reads higher between the points looked at: the next pass aims lower, and it holds."""
    source, target = tmp_path / "noise.wav", tmp_path / "limited.wav"
    write_audio(source, Audio(samples=noise(88_200, rms=1.0), rate_hz=RATE_HZ))
    report = limit_file(source, target, ceiling_dbtp=-1, gain_db=12)
    assert report.is_kept
    assert report.passes > 1
    assert true_peak_dbtp(read_audio(target).samples) <= -1


def test_silence_is_limited_to_silence(tmp_path: Path) -> None:
    """No sound, no reduction, no error."""
    source, target = tmp_path / "silence.wav", tmp_path / "limited.wav"
    write_audio(source, Audio(samples=np.zeros((1, 5000), np.float32), rate_hz=RATE_HZ))
    report = limit_file(source, target, ceiling_dbtp=-1, gain_db=20)
    assert (report.true_peak_dbtp, report.max_gain_reduction_db, report.passes) == (-144, 0, 1)
    assert not read_audio(target).samples.any()


def test_progress_rises_to_one(tmp_path: Path) -> None:
    """Also over several passes."""
    source = tmp_path / "noise.wav"
    write_audio(source, Audio(samples=noise(200_000, rms=1.0), rate_hz=RATE_HZ))
    told: list[float] = []
    limit_file(source, tmp_path / "out.wav", ceiling_dbtp=-1, gain_db=12, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert told[0] < 0.8


def test_a_source_is_never_its_own_target(tmp_path: Path) -> None:
    """Sources are not overwritten."""
    source = tmp_path / "song.wav"
    write_audio(source, Audio(samples=noise(1000), rate_hz=RATE_HZ))
    with pytest.raises(AudioError, match="itself"):
        limit_file(source, source, ceiling_dbtp=-1)


@pytest.mark.parametrize("name", ["falcon69/mixture.wav", "demucs_test.mp3"])
def test_a_real_song_keeps_its_ceiling(name: str, tmp_path: Path) -> None:
    """A mastered song driven 6 dB: the independent meter stays under the ceiling."""
    song = read_audio(shared(name), frames=10 * RATE_HZ)
    source, target = tmp_path / "song.wav", tmp_path / "master.wav"
    write_audio(source, song)
    report = limit_file(source, target, ceiling_dbtp=-1, gain_db=6, sample_format=SampleFormat.INT24)
    assert report.is_kept
    assert ffmpeg_loudness(target).true_peak_dbtp <= -1 + 0.02
    made = read_audio(target).samples
    assert difference_db(made, song.samples * 10 ** (6 / 20)) < 0
