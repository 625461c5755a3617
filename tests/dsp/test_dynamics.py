"""Compressor, multiband, de-esser and gate: curves, times, reports."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.dsp import CompressorProcessor, DeEsserProcessor, GateProcessor, MultibandProcessor
from bridge.dsp.envelopes import FallingMaximum, overshoot_db, sliding_maximum
from presets.chain import Compressor, DeEsser, Gate, Multiband, MultibandBand

from .signals import RATE_HZ, Wave, difference_db, drums, gain_db, noise, samples, through, tone


def compressed(settings: Compressor, wave: Wave) -> Wave:
    return through(CompressorProcessor(settings, rate_hz=RATE_HZ, channels=1), samples(wave))[0]


def static_db(level: float, threshold: float, ratio: float, knee: float) -> float:
    """The output level of the paper's static curve, case by case."""
    over = level - threshold
    if 2 * over < -knee:
        return level
    if knee and 2 * abs(over) <= knee:
        return level + (1 / ratio - 1) * (over + knee / 2) ** 2 / (2 * knee)
    return threshold + over / ratio


@pytest.mark.parametrize("level", [-40, -24, -20, -17, -12, -6, -1])
@pytest.mark.parametrize(("ratio", "knee"), [(2, 0), (4, 6), (20, 12), (1, 6)])
def test_the_static_curve_is_met(level: float, ratio: float, knee: float) -> None:
    """A steady tone comes out at the level of the curve, within 0.1 dB."""
    settings = Compressor(threshold_db=-20, ratio=ratio, knee_db=knee, attack_ms=10, release_ms=300)
    wave = tone(997, 1.0, level)
    made = compressed(settings, wave)
    change = gain_db(made[22_050:], wave[22_050:])
    assert level + change == pytest.approx(static_db(level, -20, ratio, knee), abs=0.1)


def test_the_curve_in_closed_form_is_the_curve_by_cases() -> None:
    """The vectorised gain computer agrees with the paper's three cases everywhere."""
    levels = np.linspace(-60, 10, 500)
    found = levels - overshoot_db(levels, -18, 3, 8)
    np.testing.assert_allclose(found, [static_db(level, -18, 3, 8) for level in levels], atol=1e-9)


@pytest.mark.parametrize("attack_ms", [1, 10, 50])
def test_the_attack_takes_its_time(attack_ms: float) -> None:
    """After the attack 63% of the reduction is there."""
    settings = Compressor(threshold_db=-40, ratio=20, knee_db=0, attack_ms=attack_ms, release_ms=2000)
    step = np.concatenate([np.full(4410, 1e-4), np.full(44_100, 0.5)])
    reduction = -20 * np.log10(compressed(settings, step) / step)
    at_attack = reduction[4410 + round(attack_ms * 44.1)]
    assert at_attack / reduction[-1] == pytest.approx(0.632, abs=0.02)


@pytest.mark.parametrize("release_ms", [30, 100, 400])
def test_the_release_takes_its_time(release_ms: float) -> None:
    """After the release 37% of the reduction is left."""
    settings = Compressor(threshold_db=-40, ratio=20, knee_db=0, attack_ms=0.1, release_ms=release_ms)
    step = np.concatenate([np.full(22_050, 0.5), np.full(88_200, 1e-3)])
    reduction = -20 * np.log10(compressed(settings, step) / step)
    left = reduction[22_050 + round(release_ms * 44.1)]
    assert left / reduction[22_049] == pytest.approx(0.368, abs=0.02)


def test_below_the_threshold_nothing_changes() -> None:
    """Bit by bit, and the report says 0 dB."""
    compressor = CompressorProcessor(Compressor(threshold_db=-10, knee_db=6), rate_hz=RATE_HZ, channels=2)
    whole = noise(20_000, rms=0.02)
    np.testing.assert_array_equal(compressor.process(whole), whole)
    assert compressor.figures() == {"max_gain_reduction_db": 0.0, "mean_gain_reduction_db": 0.0}


def test_makeup_and_mix() -> None:
    """Make-up is a gain on the compressed signal; half a mix is the mean of both."""
    wave = tone(500, 0.5, -3)
    settings = Compressor(threshold_db=-30, ratio=8)
    wet, made_up = compressed(settings, wave), compressed(settings.evolve(makeup_db=6.0), wave)
    assert gain_db(made_up, wet) == pytest.approx(6, abs=0.001)
    half = compressed(settings.evolve(mix=0.5), wave)
    assert difference_db(half, (wet + samples(wave)[0]) / 2) < -120
    assert difference_db(compressed(settings.evolve(mix=0.0), wave), samples(wave)[0]) < -140


def test_the_side_chain_does_not_hear_what_lies_below() -> None:
    """A bass note that would be turned down passes under a side-chain high-pass."""
    wave, settings = tone(40, 1.0, -6), Compressor(threshold_db=-20, ratio=10, knee_db=0)
    assert gain_db(compressed(settings, wave), wave) < -10
    assert gain_db(compressed(settings.evolve(sidechain_highpass_hz=400.0), wave), wave) > -0.01


def test_the_louder_channel_turns_both_down() -> None:
    """Linked: a quiet channel goes down with a loud one."""
    whole = samples(np.stack([tone(440, 0.5, -3), tone(660, 0.5, -40)]))
    made = through(CompressorProcessor(Compressor(threshold_db=-20), rate_hz=RATE_HZ, channels=2), whole)
    assert gain_db(made[0], whole[0]) == pytest.approx(gain_db(made[1], whole[1]), abs=0.1)
    assert gain_db(made[1], whole[1]) < -5


def test_the_reported_reduction_is_the_real_one() -> None:
    """The largest reduction in the report is what a steady tone gets."""
    compressor = CompressorProcessor(
        Compressor(threshold_db=-20, ratio=4, release_ms=1000), rate_hz=RATE_HZ, channels=1
    )
    wave = samples(tone(997, 1.0, -8))
    made = through(compressor, wave)
    change = gain_db(made[:, 22_050:], wave[:, 22_050:])
    assert compressor.figures()["max_gain_reduction_db"] == pytest.approx(-change, abs=0.05)


def test_a_falling_maximum_is_the_recursion() -> None:
    """The vectorised detector equals ``y[n] = max(x[n], a y[n-1])`` computed one by one, over rows too."""
    x = np.abs(np.random.default_rng(3).normal(0, 1, 9000)) ** 4
    wanted, last, keep = [], 0.0, np.exp(-1 / 700)
    for value in x:
        last = max(value, keep * last)
        wanted.append(last)
    np.testing.assert_allclose(FallingMaximum(700)(x), wanted, rtol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 3, 64, 131])
def test_a_sliding_maximum_is_the_maximum_of_the_window(frames: int) -> None:
    """By doubling or one by one."""
    x = np.random.default_rng(4).normal(0, 1, 1000)
    wanted = [x[start : start + frames].max() for start in range(len(x) - frames + 1)]
    np.testing.assert_array_equal(sliding_maximum(x, frames), wanted)


IDLE = MultibandBand(ratio=1)


def test_an_idle_multiband_is_flat() -> None:
    """With ratio 1 tones of all bands and at the crossovers pass within 0.01 dB."""
    settings = Multiband(low=IDLE, mid=IDLE, high=IDLE)
    for hertz in (50, 160, 700, 3000, 12_000):
        wave = samples(tone(hertz, 1.0))
        made = through(MultibandProcessor(settings, rate_hz=RATE_HZ, channels=1), wave)
        assert abs(gain_db(made[:, 22_050:], wave[:, 22_050:])) < 0.01


def test_bands_do_not_turn_each_other_down() -> None:
    """A loud low band goes down alone; a tone in the highs keeps its level."""
    hot = MultibandBand(threshold_db=-40, ratio=10)
    multiband = MultibandProcessor(Multiband(low=hot, mid=IDLE, high=IDLE), rate_hz=RATE_HZ, channels=1)
    low, high = tone(60, 1.0, -6), tone(8000, 1.0, -20)
    made = through(multiband, samples(low + high))[0][22_050:]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) / (len(made) / 4)
    at = lambda hertz: 20 * np.log10(spectrum[round(hertz * len(made) / RATE_HZ)])  # noqa: E731
    assert at(8000) == pytest.approx(-20, abs=0.05)
    assert at(60) < -30
    figures = multiband.figures()
    assert figures["low_max_gain_reduction_db"] > 25
    assert figures["high_max_gain_reduction_db"] == 0


def test_a_crossover_above_the_rate_is_left_out() -> None:
    """At 8 kHz a crossover at 6 kHz leaves two bands, still flat."""
    settings = Multiband(high_crossover_hz=6000, low=IDLE, mid=IDLE, high=IDLE)
    multiband = MultibandProcessor(settings, rate_hz=8000, channels=1)
    wave = samples(tone(2500, 1.0, rate_hz=8000))
    assert abs(gain_db(through(multiband, wave)[:, 4000:], wave[:, 4000:])) < 0.01
    assert "high_max_gain_reduction_db" not in multiband.figures()


def test_the_de_esser_turns_down_the_highs_alone() -> None:
    """Loud sibilance loses up to its range; the voice below keeps its level."""
    settings = DeEsser(frequency_hz=5000, threshold_db=-40, ratio=20, range_db=-8)
    deesser = DeEsserProcessor(settings, rate_hz=RATE_HZ, channels=1)
    voice, hiss = tone(300, 1.0, -12), tone(14_000, 1.0, -14)
    made = through(deesser, samples(voice + hiss))[0][22_050:]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) / (len(made) / 4)
    levels = 20 * np.log10(spectrum[[round(300 * 0.5), round(14_000 * 0.5)]])
    assert levels[0] == pytest.approx(-12, abs=0.1)
    assert levels[1] == pytest.approx(-22, abs=0.3)
    assert deesser.figures()["max_gain_reduction_db"] == pytest.approx(8, abs=0.1)


def test_an_idle_de_esser_changes_nothing() -> None:
    """Bit by bit: no crossover stands in the way."""
    whole = noise(20_000, rms=1e-3)
    deesser = DeEsserProcessor(DeEsser(threshold_db=-20), rate_hz=RATE_HZ, channels=2)
    np.testing.assert_array_equal(deesser.process(whole), whole)


GATE = Gate(threshold_db=-30, range_db=-40, attack_ms=1, hold_ms=100, release_ms=50)


def gated(settings: Gate, wave: Wave) -> Wave:
    return through(GateProcessor(settings, rate_hz=RATE_HZ, channels=1), samples(wave))[0]


def test_the_gate_opens_for_what_is_loud() -> None:
    """A steady tone above the threshold passes, one below goes down by the range."""
    loud, soft = tone(200, 1.0, -20), tone(200, 1.0, -36)
    assert gain_db(gated(GATE, loud)[22_050:], loud[22_050:]) == pytest.approx(0, abs=0.01)
    assert gain_db(gated(GATE, soft)[22_050:], soft[22_050:]) == pytest.approx(-40, abs=0.01)


def test_the_gate_holds_then_releases() -> None:
    """Open through the hold, closed to 37% (of the way to the range) one release later."""
    step = np.concatenate([np.full(22_050, 0.5), np.full(44_100, 1e-3)])
    gain = gated(GATE, step) / step
    falls_ms = 25 * np.log(0.5 / (10 ** (-33 / 20)))
    closes = 22_050 + round((100 + falls_ms) * 44.1)
    assert gain[closes - 44] == pytest.approx(1, abs=0.01)
    assert gain[closes + round(50 * 44.1)] == pytest.approx(0.01 + 0.99 * 0.368, abs=0.02)


def test_the_gate_does_not_chatter() -> None:
    """A tone that hovers about the threshold opens it once."""
    wave = tone(80, 2.0, -29.5) * (1 + 0.1 * np.sin(2 * np.pi * 5 * np.arange(88_200) / RATE_HZ))
    gate = GateProcessor(GATE.evolve(hold_ms=0.0), rate_hz=RATE_HZ, channels=1)
    through(gate, samples(wave))
    assert gate.figures()["closed_share"] < 0.06


def test_a_gate_cleans_the_gaps_between_hits() -> None:
    """Noise between drum hits goes down, the hits keep their level."""
    whole = drums(3.0, channels=1)[0] + 0.003 * np.random.default_rng(0).normal(0, 1, 132_300)
    made = gated(Gate(threshold_db=-18, range_db=-30, hold_ms=20, release_ms=30), whole)
    since = np.arange(132_300) / RATE_HZ % 0.5
    late = (since > 0.4) & (since < 0.49)
    hit = (since > 0.005) & (since < 0.05)
    assert gain_db(made[late], whole[late]) < -25
    assert abs(gain_db(made[hit], whole[hit])) < 0.3
