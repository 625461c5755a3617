"""True peak: never below the plain grid, right against the known waveform."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import firwin, resample

from bridge.measure import TruePeakMeter, loudness_of

from .signals import audio, noise, tone


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("share_of_rate", [0.03, 0.11, 0.23, 0.31, 0.41])
def test_a_sine_reads_its_amplitude(rate_hz: int, share_of_rate: float) -> None:
    """The crest of a sine is found wherever the samples fall, within 0.05 dB and hardly below."""
    sound = tone(share_of_rate * rate_hz, 0.5, -6, rate_hz=rate_hz, channels=1, degrees=17)
    middle = audio(sound.samples * np.hanning(sound.frames), rate_hz)
    assert -0.045 < loudness_of(middle).true_peak_dbtp + 6 < 0.05


@pytest.mark.parametrize("seed", range(5))
def test_noise_reads_what_a_long_resampling_reads(seed: int) -> None:
    """Noise up to 0.42 of the rate agrees with an ideal (Fourier) 32x resampling, never below its 4x grid."""
    cut = firwin(255, 0.42, fs=1)
    padded = np.pad(np.convolve(noise(0.2, 0.2, channels=1, seed=seed).samples[0], cut), 2000)
    ideal = np.abs(resample(padded, 32 * len(padded)))
    found = 10 ** (loudness_of(audio(padded[None], 44_100)).true_peak_dbtp / 20)
    assert found >= ideal[::8].max() * 0.9995
    assert found == pytest.approx(ideal.max(), rel=0.005)


def test_the_largest_channel_counts() -> None:
    """A peak on either channel is the peak."""
    rows = np.concatenate([tone(1000, 0.5, -20, channels=1).samples, tone(1000, 0.5, -3, channels=1).samples])
    assert loudness_of(audio(rows, 48_000)).true_peak_dbtp == pytest.approx(-3, abs=0.02)


def test_a_click_at_the_very_end_is_seen() -> None:
    """The waveform goes on after the last sample: two equal samples peak between and above them."""
    meter = TruePeakMeter(44_100, 1)
    meter.add(audio(np.pad([[0.5, 0.5]], ((0, 0), (3000, 0))), 44_100).samples)
    assert meter.peak == pytest.approx(0.5 * 4 / np.pi, rel=0.01)
    assert meter.sample_peak == 0.5


def test_skipping_quiet_blocks_changes_nothing() -> None:
    """What cannot reach the maximum is not oversampled, and the peak is that of the loud part alone."""
    loud, quiet = noise(0.3, 0.2, channels=1), noise(2, 0.01, channels=1, seed=1)
    meter = TruePeakMeter(44_100, 1)
    for part in (loud.samples, *np.split(quiet.samples, 9, axis=1)):
        meter.add(part)
    alone = TruePeakMeter(44_100, 1)
    alone.add(loud.samples)
    alone.add(quiet.samples[:, :100])
    assert meter.peak == pytest.approx(alone.peak, rel=1e-6)
