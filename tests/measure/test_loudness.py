"""Loudness: the conformance signals of EBU Tech 3341 and 3342, BS.2217, and the meter's own rules."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import Audio
from bridge.errors import AudioError
from bridge.measure import LoudnessMeter, loudness_of, measure_loudness
from bridge.measure.loudness import k_weighting

from .signals import SHARED, audio, joined, noise, scaled, silence, tone


def steps(*parts: tuple[float, float]) -> Audio:
    """1 kHz on two channels: (level in dBFS, seconds) one after the other."""
    return joined(*(tone(1000, seconds, level) for level, seconds in parts))


@pytest.mark.parametrize(
    ("sound", "wanted_lufs"),
    [
        pytest.param(steps((-23, 20)), -23.0, id="case 1"),
        pytest.param(steps((-33, 20)), -33.0, id="case 2"),
        pytest.param(steps((-36, 10), (-23, 60), (-36, 10)), -23.0, id="case 3"),
        pytest.param(steps((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0, id="case 4"),
        pytest.param(steps((-26, 20), (-20, 20.1), (-26, 20)), -23.0, id="case 5"),
    ],
)
def test_tech_3341_integrated(sound: Audio, wanted_lufs: float) -> None:
    """The integrated loudness of EBU Tech 3341's signals is within its 0.1 LU."""
    assert loudness_of(sound).integrated_lufs == pytest.approx(wanted_lufs, abs=0.1)


def test_tech_3341_case_6_weighs_surround_channels() -> None:
    """Five channels with the standard's weights read -23 LUFS."""
    rows = [tone(1000, 20, level, channels=1).samples for level in (-28, -28, -24, -30, -30)]
    meter = LoudnessMeter(48_000, 5, weights=(1, 1, 1, 1.41, 1.41))
    meter.add(np.concatenate(rows))
    assert meter.result().integrated_lufs == pytest.approx(-23.0, abs=0.1)


def test_channels_without_weights_are_refused() -> None:
    """Nobody's surround channels are guessed."""
    with pytest.raises(AudioError, match="Found 6 channels"):
        LoudnessMeter(48_000, 6)


@pytest.mark.parametrize(
    ("levels", "wanted_lu"),
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
    ids=["case 1", "case 2", "case 3", "case 4"],
)
def test_tech_3342_range(levels: tuple[float, ...], wanted_lu: float) -> None:
    """The loudness range of EBU Tech 3342's signals is within its 1 LU."""
    assert loudness_of(steps(*((level, 20) for level in levels))).range_lu == pytest.approx(wanted_lu, abs=1)


@pytest.mark.parametrize(
    ("divisor", "degrees", "amplitude", "wanted_dbtp"),
    [(4, 0, 0.5, -6.0), (4, 45, 0.5, -6.0), (6, 60, 0.5, -6.0), (8, 67.5, 0.5, -6.0), (4, 45, 1.41, 3.0)],
    ids=["case 15", "case 16", "case 17", "case 18", "case 19"],
)
def test_tech_3341_true_peak(divisor: int, degrees: float, amplitude: float, wanted_dbtp: float) -> None:
    """True peaks between the samples are found within Tech 3341's +0.2 and -0.4 dB."""
    sound = tone(48_000 / divisor, 1.0, 20 * np.log10(amplitude), degrees=degrees)
    faded = audio(
        sound.samples * np.clip(np.minimum(np.arange(48_000), 47_999 - np.arange(48_000)) / 480, 0, 1), 48_000
    )
    assert -0.4 <= loudness_of(faded).true_peak_dbtp - wanted_dbtp <= 0.2


@pytest.mark.parametrize(("name", "wanted_lufs"), [("Abs", -69.5), ("Rel", -10.0)])
def test_bs_2217_gates(name: str, wanted_lufs: float) -> None:
    """ITU-R BS.2217's files for both gates are within 0.1 LU."""
    path = SHARED / "loudness" / f"1770-2_Comp_{name}GateTest.wav"
    if not path.exists():
        pytest.skip("no BS.2217 files beside the checkout")
    assert measure_loudness(path).integrated_lufs == pytest.approx(wanted_lufs, abs=0.1)


def test_k_weighting_is_the_standards_at_48_khz() -> None:
    """The derived filter has the coefficients of BS.1770's tables 1 and 2."""
    shelf, low_cut = k_weighting(48_000)
    assert shelf[:3] == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-10)
    assert shelf[4:] == pytest.approx([-1.69065929318241, 0.73248077421585], abs=1e-10)
    assert low_cut[4:] == pytest.approx([-1.99004745483398, 0.99007225036621], abs=1e-10)


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 22_050, 44_100, 88_200, 96_000, 192_000])
def test_any_rate_reads_the_same(rate_hz: int) -> None:
    """A 997 Hz sine at 0 dBFS on one channel is -3.01 LUFS, whatever the rate."""
    assert loudness_of(tone(997, 3, 0, rate_hz=rate_hz, channels=1)).integrated_lufs == pytest.approx(
        -3.01, abs=0.05
    )


def test_two_channels_are_3_db_louder_than_one() -> None:
    """Mono is one channel, and dual mono is two."""
    mono, stereo = (loudness_of(tone(500, 2, -20, channels=n)).integrated_lufs for n in (1, 2))
    assert stereo - mono == pytest.approx(3.01, abs=0.01)


def test_gain_moves_every_level_alike() -> None:
    """6 dB more are 6 LU and 6 dB more, and the range stays."""
    sound = joined(noise(4, 0.01), noise(4, 0.05, seed=1))
    quiet, loud = loudness_of(sound), loudness_of(scaled(sound, 6))
    for field in (
        "integrated_lufs",
        "momentary_max_lufs",
        "short_term_max_lufs",
        "sample_peak_dbfs",
        "true_peak_dbtp",
    ):
        assert getattr(loud, field) - getattr(quiet, field) == pytest.approx(6, abs=0.001)
    assert loud.range_lu == pytest.approx(quiet.range_lu, abs=0.001)
    assert loud.peak_to_loudness_lu == pytest.approx(quiet.peak_to_loudness_lu, abs=0.001)


@pytest.mark.parametrize("rate_hz", [44_100, 11_025])
def test_blocks_do_not_matter(rate_hz: int) -> None:
    """Any cutting into blocks gives the same result."""
    sound = noise(4, rate_hz=rate_hz)
    whole = loudness_of(sound)
    meter = LoudnessMeter(rate_hz, 2)
    cuts = np.sort(np.random.default_rng(1).integers(0, sound.frames, 40))
    for part in np.split(sound.samples, cuts, axis=1):
        meter.add(part)
    for name, value in meter.result():
        assert value == pytest.approx(getattr(whole, name), abs=1e-5), name


def test_silence_is_at_the_floors_and_json() -> None:
    """Digital silence has finite figures."""
    found = loudness_of(silence(5))
    assert (found.integrated_lufs, found.true_peak_dbtp, found.sample_peak_dbfs) == (-70, -144, -144)
    assert found.range_lu == 0
    assert found.is_silent
    assert "Infinity" not in found.model_dump_json()


def test_nothing_at_all_is_silence() -> None:
    """A meter that was given no frames reads silence."""
    assert LoudnessMeter(44_100, 2).result().is_silent
    assert LoudnessMeter(44_100, 2).short_term().lufs == (-70.0,)


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.39])
def test_short_sounds_are_one_window(seconds: float) -> None:
    """Less than 400 ms is measured over its own length."""
    assert loudness_of(noise(seconds, seed=3)).integrated_lufs == pytest.approx(
        loudness_of(noise(5, seed=3)).integrated_lufs, abs=0.7
    )


def test_a_gap_does_not_count() -> None:
    """Silence between two sounds is gated out."""
    sound = noise(3)
    assert loudness_of(joined(sound, silence(10), sound)).integrated_lufs == pytest.approx(
        loudness_of(joined(sound, sound)).integrated_lufs, abs=0.3
    )


def test_bad_samples_do_not_poison() -> None:
    """NaN and infinity count as silence and leave no trace after them."""
    clean = noise(5)
    broken = clean.samples.copy()
    broken[0, 1000], broken[1, 70_000], broken[0, 90_000] = np.nan, np.inf, -np.inf
    found = loudness_of(audio(broken, 44_100))
    assert found.integrated_lufs == pytest.approx(loudness_of(clean).integrated_lufs, abs=0.01)


def test_curves_follow_the_level() -> None:
    """The short-term curve starts at 3 s, steps by 100 ms, and moves with the sound."""
    meter = LoudnessMeter(48_000, 2)
    meter.add(steps((-30, 6), (-20, 6)).samples)
    curve = meter.short_term()
    assert (curve.start_s, curve.step_s, len(curve.lufs)) == (3.0, 0.1, 91)
    assert curve.lufs[0] == pytest.approx(-30, abs=0.1)
    assert curve.lufs[-1] == pytest.approx(-20, abs=0.1)
    assert len(meter.momentary().lufs) == 117


def test_result_changes_nothing() -> None:
    """A result asked for on the way does not alter the end."""
    sound = noise(3)
    asked, silent = LoudnessMeter(44_100, 2), LoudnessMeter(44_100, 2)
    for part in np.split(sound.samples, [50_000], axis=1):
        asked.add(part)
        asked.result()
        silent.add(part)
    assert asked.result() == silent.result()
