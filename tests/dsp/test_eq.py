"""The equaliser: its filters do what they say at their frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import sosfreqz

from bridge.dsp import EqProcessor, eq_response_db
from bridge.dsp.filters import butterworth_qs
from bridge.dsp.multiband import band_sections
from presets.chain import Eq, EqBand

from .signals import RATE_HZ, gain_db, noise, samples, through, tone


def heard_db(band: EqBand, hertz: float, rate_hz: int = RATE_HZ) -> float:
    """The gain that a tone gets, measured on its steady second half."""
    whole = samples(tone(hertz, 0.8, rate_hz=rate_hz))
    made = through(EqProcessor(Eq(bands=(band,)), rate_hz=rate_hz, channels=1), whole)
    half = whole.shape[1] // 2
    return gain_db(made[:, half:], whole[:, half:])


@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
@pytest.mark.parametrize("slope", [12, 24, 48])
@pytest.mark.parametrize("shape", ["highpass", "lowpass"])
def test_passes_are_3_db_down_at_the_corner(shape: str, slope: int, rate_hz: int) -> None:
    """Butterworth at q 0.71, whatever the slope."""
    band = EqBand(shape=shape, frequency_hz=1000, slope_db_per_octave=slope)
    assert heard_db(band, 1000, rate_hz) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize("slope", [12, 24, 48])
def test_passes_fall_with_their_slope(slope: int) -> None:
    """Two octaves below a high-pass a tone is twice the slope down."""
    band = EqBand(shape="highpass", frequency_hz=2000, slope_db_per_octave=slope)
    expected = -10 * np.log10(1 + 4.0 ** (2 * slope / 6))
    assert heard_db(band, 500) == pytest.approx(expected, abs=0.02 * slope)


@pytest.mark.parametrize("gain", [-12, -3, 6, 18])
@pytest.mark.parametrize("q", [0.3, 1, 8])
def test_a_bell_gives_its_gain_at_the_centre(gain: float, q: float) -> None:
    """At the centre exactly, far away nothing."""
    band = EqBand(shape="bell", frequency_hz=1000, gain_db=gain, q=q)
    assert heard_db(band, 1000) == pytest.approx(gain, abs=0.02)
    assert abs(heard_db(EqBand(shape="bell", frequency_hz=8000, gain_db=gain, q=4), 100)) < 0.05


@pytest.mark.parametrize(
    ("shape", "inside", "outside"), [("low_shelf", 30, 12_000), ("high_shelf", 15_000, 50)]
)
def test_a_shelf_gives_its_gain_on_its_side(shape: str, inside: float, outside: float) -> None:
    """The whole gain on the shelf, half of it at the midpoint, none on the other side."""
    band = EqBand(shape=shape, frequency_hz=800, gain_db=6)
    assert heard_db(band, inside) == pytest.approx(6, abs=0.05)
    assert heard_db(band, 800) == pytest.approx(3, abs=0.02)
    assert heard_db(band, outside) == pytest.approx(0, abs=0.05)


def test_the_response_is_what_is_heard() -> None:
    """The drawn curve agrees with measured tones."""
    bands = (EqBand(shape="bell", frequency_hz=500, gain_db=5), EqBand(shape="highpass", frequency_hz=80))
    drawn = eq_response_db(bands, RATE_HZ, np.array([60.0, 500.0, 5000.0]))
    whole = [samples(tone(hertz, 1.0)) for hertz in (60, 500, 5000)]
    heard = [through(EqProcessor(Eq(bands=bands), rate_hz=RATE_HZ, channels=1), one) for one in whole]
    measured = [gain_db(a[:, 22_050:], b[:, 22_050:]) for a, b in zip(heard, whole, strict=True)]
    np.testing.assert_allclose(drawn, measured, atol=0.05)


def test_bands_above_the_rate_are_left_out() -> None:
    """At 8 kHz a band at 5 kHz does nothing, bit by bit, and the report says so."""
    eq = EqProcessor(Eq(bands=(EqBand(shape="lowpass", frequency_hz=5000),)), rate_hz=8000, channels=2)
    whole = noise(5000)
    np.testing.assert_array_equal(eq.process(whole), whole)
    assert eq.figures() == {"bands_left_out": 1.0}


@pytest.mark.parametrize(("channel", "sign"), [("mid", 1), ("side", -1)])
def test_mid_and_side_leave_the_other_alone(channel: str, sign: int) -> None:
    """What is not on the filtered channel passes bit by bit; what is gets the gain."""
    eq = Eq(channel=channel, bands=(EqBand(shape="bell", frequency_hz=1000, gain_db=6),))
    wave = tone(1000, 0.5)
    other, own = samples(np.stack([wave, -sign * wave])), samples(np.stack([wave, sign * wave]))
    np.testing.assert_array_equal(through(EqProcessor(eq, rate_hz=RATE_HZ, channels=2), other), other)
    made = through(EqProcessor(eq, rate_hz=RATE_HZ, channels=2), own)
    assert gain_db(made[:, 11_025:], own[:, 11_025:]) == pytest.approx(6, abs=0.02)


def test_the_side_of_mono_is_empty() -> None:
    """An equaliser on the side does nothing to a mono signal."""
    eq = Eq(channel="side", bands=(EqBand(shape="bell", frequency_hz=1000, gain_db=6),))
    whole = noise(5000, channels=1)
    np.testing.assert_array_equal(EqProcessor(eq, rate_hz=RATE_HZ, channels=1).process(whole), whole)


def test_butterworth_sections_have_the_known_quality_factors() -> None:
    """The table values of 4th and 8th order."""
    assert butterworth_qs(4) == pytest.approx((0.5412, 1.3066), abs=1e-4)
    assert butterworth_qs(8) == pytest.approx((0.5098, 0.6013, 0.9000, 2.5629), abs=1e-4)


@pytest.mark.parametrize("rate_hz", [8000, 44_100, 192_000])
def test_crossover_bands_sum_flat(rate_hz: int) -> None:
    """Three Linkwitz-Riley bands sum to 0 dB within 0.01 dB at every frequency."""
    frequencies_hz = np.geomspace(10, 0.49 * rate_hz, 500)
    bands = band_sections(160, 3000, rate_hz)
    total = sum(sosfreqz(band, worN=frequencies_hz, fs=rate_hz)[1] for band in bands)
    assert np.abs(20 * np.log10(np.abs(total))).max() < 1e-6


def test_each_band_holds_its_own_range() -> None:
    """A tone in the middle of a band is at least 40 dB down in the others, -6 dB at a crossover."""
    bands = band_sections(200, 4000, RATE_HZ)
    levels = np.array(
        [
            [abs(sosfreqz(band, worN=[hertz], fs=RATE_HZ)[1][0]) for hertz in (40, 900, 16_000)]
            for band in bands
        ]
    )
    decibels = 20 * np.log10(levels)
    assert np.abs(np.diag(decibels)).max() < 0.1
    assert decibels[~np.eye(3, dtype=bool)].max() < -40
    at_crossover = [20 * np.log10(abs(sosfreqz(band, worN=[200], fs=RATE_HZ)[1][0])) for band in bands[:2]]
    assert at_crossover == pytest.approx([-6.02, -6.02], abs=0.01)
