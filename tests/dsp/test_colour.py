"""Transient shaper, saturator and stereo width."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.dsp import SaturatorProcessor, StereoWidthProcessor, TransientShaperProcessor
from presets.chain import Saturator, StereoWidth, TransientShaper

from .signals import RATE_HZ, Wave, difference_db, drums, gain_db, noise, samples, through, tone


def shaped(settings: TransientShaper, wave: Wave) -> Wave:
    return through(TransientShaperProcessor(settings, rate_hz=RATE_HZ, channels=1), samples(wave))[0]


BOTH = TransientShaper(attack_db=9, sustain_db=-9)


@pytest.mark.parametrize("hertz", [50, 440, 5000])
@pytest.mark.parametrize("level", [-40, -6])
def test_steady_tones_keep_their_level(hertz: float, level: float) -> None:
    """Nothing begins, nothing ends: within 0.05 dB."""
    wave = tone(hertz, 2.0, level)
    assert abs(gain_db(shaped(BOTH, wave)[44_100:], wave[44_100:])) < 0.05


def test_steady_noise_keeps_its_level() -> None:
    """Noise fluctuates but does not begin: within 0.3 dB."""
    wave = noise(88_200, channels=1)[0]
    assert abs(gain_db(shaped(BOTH, wave)[44_100:], wave[44_100:])) < 0.3


@pytest.mark.parametrize("level_db", [0, -20])
def test_attacks_rise_and_sustain_falls(level_db: float) -> None:
    """The first 10 ms of a hit get louder, the rest softer, alike for loud and soft hits."""
    wave = 10 ** (level_db / 20) * drums(3.0, channels=1)[0]
    since = np.arange(len(wave)) / RATE_HZ % 0.5
    attack, sustain = (since > 0.001) & (since < 0.012), (since > 0.08) & (since < 0.15)
    attack[:22_050] = sustain[:22_050] = False
    up, down = shaped(TransientShaper(attack_db=6), wave), shaped(TransientShaper(sustain_db=-6), wave)
    assert gain_db(up[attack], wave[attack]) > 4
    assert abs(gain_db(up[sustain], wave[sustain])) < 0.5
    assert gain_db(down[sustain], wave[sustain]) < -2
    assert abs(gain_db(down[attack], wave[attack])) < 0.5


def test_gains_stay_within_what_was_asked() -> None:
    """Never more than attack_db, never less than sustain_db."""
    shaper = TransientShaperProcessor(
        TransientShaper(attack_db=6, sustain_db=-4), rate_hz=RATE_HZ, channels=2
    )
    through(shaper, drums(2.0))
    figures = shaper.figures()
    assert 5 < figures["max_gain_db"] <= 6
    assert -4 <= figures["min_gain_db"] < -2


def saturated(settings: Saturator, wave: Wave, rate_hz: int = RATE_HZ) -> Wave:
    return through(SaturatorProcessor(settings, rate_hz=rate_hz, channels=1), samples(wave))[0]


def test_small_signals_pass_at_unity() -> None:
    """60 dB below full scale even 12 dB of drive change nothing that could be heard."""
    wave = noise(20_000, rms=1e-4, channels=1)[0]
    assert difference_db(saturated(Saturator(drive_db=12, mix=1), wave), wave) < -90


def test_no_mix_is_no_change() -> None:
    """Mix 0 passes bit by bit, latency compensated."""
    wave = drums(0.5, channels=1)[0]
    np.testing.assert_array_equal(saturated(Saturator(drive_db=24, mix=0), wave), wave)


def test_loud_signals_follow_the_curve() -> None:
    """A slow tone comes out as ``tanh(d x) / d``."""
    wave = tone(60, 0.5, -3)
    drive = 10 ** (12 / 20)
    made = saturated(Saturator(drive_db=12, mix=1), wave)
    assert difference_db(made[2000:-2000], (np.tanh(drive * wave) / drive)[2000:-2000]) < -80
    assert gain_db(saturated(Saturator(drive_db=12, mix=1, output_db=6), wave), made) == pytest.approx(
        6, abs=1e-3
    )


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("cycles", [1237, 2741, 4999])
def test_aliases_are_80_db_down(rate_hz: int, cycles: int) -> None:
    """What is no harmonic stays 80 dB below the tone at moderate drive (6 dB into a tone at -3 dBFS)."""
    frames = 2**15
    wave = 10 ** (-3 / 20) * np.sin(2 * np.pi * cycles * np.arange(3 * frames) / frames)
    made = saturated(Saturator(drive_db=6, mix=1), wave, rate_hz)[frames : 2 * frames]
    spectrum = np.abs(np.fft.rfft(made)) / (frames / 2)
    harmonics = np.arange(cycles, frames // 2, cycles)
    third = spectrum[harmonics[2]] if len(harmonics) > 2 else 1.0
    spectrum[harmonics] = 0
    assert 20 * np.log10(spectrum.max() / 10 ** (-3 / 20)) < -80
    assert 20 * np.log10(third) > -60, "a saturator makes harmonics"


def test_saturation_reports_what_it_added() -> None:
    """More drive adds more."""
    added = []
    for drive_db in (0, 6, 12):
        saturator = SaturatorProcessor(Saturator(drive_db=drive_db, mix=1), rate_hz=RATE_HZ, channels=2)
        through(saturator, drums(1.0))
        added.append(saturator.figures()["added_db"])
    assert added == sorted(added)
    assert -60 < added[0] < added[2] < 0


def widened(settings: StereoWidth, left: Wave, right: Wave) -> Wave:
    whole = samples(np.stack([left, right]))
    return through(StereoWidthProcessor(settings, rate_hz=RATE_HZ, channels=2), whole)


@pytest.mark.parametrize("width", [0.0, 0.5, 1.0, 2.0])
def test_width_scales_the_side(width: float) -> None:
    """The side is multiplied, the mid stays; width 1 is bit-exact."""
    whole = noise(20_000)
    made = widened(StereoWidth(width=width), whole[0], whole[1])
    np.testing.assert_allclose(made[0] + made[1], whole[0] + whole[1], atol=1e-6)
    np.testing.assert_allclose(made[0] - made[1], width * (whole[0] - whole[1]), atol=1e-6)
    if width == 1:
        np.testing.assert_array_equal(made, whole)


def test_lows_become_mono_and_highs_keep_their_place() -> None:
    """A low tone on the left comes out in the middle, a higher one stays on the left."""
    settings, none = StereoWidth(mono_below_hz=150), np.zeros(RATE_HZ)
    low = widened(settings, tone(40, 1.0), none)[:, 22_050:]
    assert gain_db(low[0], low[1]) == pytest.approx(0, abs=0.2)
    high = widened(settings, tone(1000, 1.0), none)[:, 22_050:]
    assert gain_db(high[1], high[0]) < -50
    assert gain_db(high[0], tone(1000, 1.0)[22_050:]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("hertz", [40, 120, 150, 400, 5000])
def test_mono_content_keeps_its_level(hertz: float) -> None:
    """What is in the middle passes flat, at the crossover too."""
    wave = tone(hertz, 1.0)
    made = widened(StereoWidth(width=1.5, mono_below_hz=150), wave, wave)[:, 22_050:]
    assert gain_db(made[0], wave[22_050:]) == pytest.approx(0, abs=0.01)


def test_mono_files_pass_untouched() -> None:
    """There is no side to widen."""
    whole = noise(10_000, channels=1)
    width = StereoWidthProcessor(StereoWidth(width=2, mono_below_hz=200), rate_hz=RATE_HZ, channels=1)
    np.testing.assert_array_equal(width.process(whole), whole)
