"""The long-term spectrum: known signals have known bands, centres and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, firwin, oaconvolve, sosfilt

from bridge.audio import Audio, read_audio
from bridge.measure import SpectrumMeter, spectrum_of

from .signals import SHARED, audio, joined, noise, scaled, silence, tone


def low_passed(sound: Audio, cutoff_hz: float) -> Audio:
    """A steep linear-phase low-pass, like a codec's."""
    taps = firwin(801, cutoff_hz, fs=sound.rate_hz)
    return audio(oaconvolve(sound.samples, taps[None], axes=1), sound.rate_hz)


def pink(seconds: float, seed: int = 0) -> Audio:
    """Noise with equal power in every octave."""
    frames = round(seconds * 44_100)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=(2, frames)))
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    wave = np.fft.irfft(spectrum, frames)
    return audio(0.1 * wave / wave.std(), 44_100)


def test_bands_sum_to_the_power() -> None:
    """All bands together are the mean square of the sound."""
    sound = noise(5, 0.1)
    powers = 10 ** (np.array(spectrum_of(sound).band_db) / 10)
    assert 10 * np.log10(powers.sum()) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 96_000])
@pytest.mark.parametrize("hertz", [125.0, 1000.0, 4000.0])
def test_a_sine_is_in_its_band_at_its_level(rate_hz: int, hertz: float) -> None:
    """A sine at -6 dBFS has -9 dB in its band, far less an octave away, its centroid at its frequency."""
    found = spectrum_of(tone(hertz, 3, -6, rate_hz=rate_hz))
    levels = dict(zip(found.band_hz, found.band_db, strict=True))
    assert max(levels, key=lambda band: levels[band]) == pytest.approx(hertz, rel=0.01)
    assert max(levels.values()) == pytest.approx(-9.03, abs=0.2)
    assert levels[min(levels, key=lambda band: abs(band - 2 * hertz))] < -60
    assert found.centroid_hz == pytest.approx(hertz, rel=0.05)
    assert found.rolloff_hz == pytest.approx(hertz, rel=0.1)
    assert found.flatness < 0.01


def test_white_noise_is_flat_and_bright() -> None:
    """White noise: flatness 1, centroid at a quarter of the rate, 3 dB an octave up, no edge."""
    found = spectrum_of(noise(10))
    assert found.flatness == pytest.approx(1.0, abs=0.03)
    assert found.centroid_hz == pytest.approx(11_025, rel=0.01)
    assert found.slope_db_per_octave == pytest.approx(3.01, abs=0.15)
    assert found.bandwidth_hz == pytest.approx(22_050, rel=0.01)


def test_pink_noise_has_level_bands() -> None:
    """Pink noise has no slope, and its balance against 0 dB an octave is even."""
    found = spectrum_of(pink(20))
    assert found.slope_db_per_octave == pytest.approx(0, abs=0.15)
    inside = [
        over for band, over in zip(found.band_hz, found.balance_db(0.0), strict=True) if 100 <= band <= 10_000
    ]
    assert max(map(abs, inside)) < 1.5
    assert found.balance_db(-3.0)[-1] - found.balance_db(0.0)[-1] > 9


@pytest.mark.parametrize("cutoff_hz", [8000, 10_000, 12_000, 16_000])
def test_a_cut_off_is_found(cutoff_hz: float) -> None:
    """The edge that a lossy codec leaves is found within 300 Hz, surely."""
    found = spectrum_of(low_passed(pink(6), cutoff_hz))
    assert found.bandwidth_hz == pytest.approx(cutoff_hz, abs=300)
    assert found.bandwidth_confidence > 0.8


def test_a_gentle_slope_is_no_cut_off() -> None:
    """A 12 dB low-pass is a sound, not a codec."""
    dark = sosfilt(butter(2, 4000, fs=44_100, output="sos"), pink(6).samples.astype(float), axis=1)
    assert spectrum_of(audio(dark, 44_100)).bandwidth_hz > 18_000


@pytest.mark.parametrize(
    ("name", "low_hz", "high_hz"),
    [
        ("demucs_test.mp3", 19_500, 20_800),
        ("real_vs_codec/real_000134.mp3", 15_700, 16_500),
        ("falcon69/mixture.wav", 15_300, 16_500),
    ],
)
def test_real_songs_end_where_they_do(name: str, low_hz: float, high_hz: float) -> None:
    """The cut-off of real songs from lossy sources."""
    if not (SHARED / "audio" / name).exists():
        pytest.skip("no real songs beside the checkout")
    assert low_hz < spectrum_of(read_audio(SHARED / "audio" / name)).bandwidth_hz < high_hz


def test_gain_moves_the_bands_alone() -> None:
    """A louder copy has the same shape."""
    quiet, loud = spectrum_of(pink(4)), spectrum_of(scaled(pink(4), 12))
    assert np.subtract(loud.band_db, quiet.band_db) == pytest.approx(12, abs=0.02)
    assert loud.centroid_hz == pytest.approx(quiet.centroid_hz, rel=1e-4)
    assert loud.flatness == pytest.approx(quiet.flatness, rel=1e-3)


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same spectrum."""
    sound = noise(3)
    meter = SpectrumMeter(44_100, 2)
    for part in np.split(sound.samples, [100, 5000, 70_001], axis=1):
        meter.add(part)
    assert meter.result().band_db == pytest.approx(spectrum_of(sound).band_db, abs=0.011)


def test_silence_has_no_spectrum() -> None:
    """Silence is at the floor with no confidence, and is JSON."""
    found = spectrum_of(silence(3))
    assert (found.centroid_hz, found.bandwidth_hz, found.centroid_confidence) == (0, 0, 0)
    assert set(found.band_db) == {-144.0}
    assert "Infinity" not in found.model_dump_json()


def test_confidence_grows_with_sound_not_with_silence() -> None:
    """Silence around a sound makes nothing surer; more of it does."""
    short, long = noise(1), noise(12)
    assert spectrum_of(short).centroid_confidence < 0.6
    assert spectrum_of(long).centroid_confidence > 0.9
    padded = spectrum_of(joined(short, silence(20)))
    assert padded.centroid_confidence == pytest.approx(spectrum_of(short).centroid_confidence, abs=0.1)


@pytest.mark.parametrize("frames", [1, 50, 3000])
def test_less_than_a_frame_is_measured(frames: int) -> None:
    """A click of a sound has a spectrum, with little confidence."""
    sound = audio(noise(0.1).samples[:, :frames].astype(float), 44_100)
    assert spectrum_of(sound).bandwidth_confidence < 0.3
