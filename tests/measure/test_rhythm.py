"""Tempo: patterns with a known tempo, octave included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import next_fast_len

from bridge.audio import Audio
from bridge.measure import RhythmMeter, rhythm_of
from bridge.measure.rhythm import autocorrelations

from .grooves import GROOVES, RATE_HZ, played, varied
from .signals import joined, noise, scaled, silence


def beat(name: str, tempo_bpm: float, bars: int = 10) -> Audio:
    """A plain drum pattern."""
    return played(GROOVES[name][1], tempo_bpm, bars, kit=77)


@pytest.mark.parametrize(
    ("groove", "tempo_bpm"),
    [
        ("rock", 92.0),
        ("rock", 120.0),
        ("rock", 138.0),
        ("pop", 104.0),
        ("disco", 122.0),
        ("house", 118.0),
        ("house", 124.0),
        ("house", 130.0),
        ("hip-hop", 84.0),
        ("sixteenths", 98.0),
        ("break", 168.0),
        ("break", 174.0),
    ],
)
def test_drum_patterns_have_their_tempo(groove: str, tempo_bpm: float) -> None:
    """Within 0.2%, not half and not double."""
    assert rhythm_of(beat(groove, tempo_bpm)).tempo_bpm == pytest.approx(tempo_bpm, rel=0.002)


def test_varied_patterns_have_their_tempo() -> None:
    """Of 65 patterns with strokes changed at least 85% are right, of the sure ones at least 95%."""
    draw = np.random.default_rng(11)
    verdicts = []
    for name, ((slowest, fastest), lines) in [*GROOVES.items()] * 5:
        tempo_bpm = draw.uniform(slowest, fastest)
        found = rhythm_of(played(varied(lines, draw), tempo_bpm, 6, kit=int(draw.integers(1000))))
        verdicts.append((name, abs(found.tempo_bpm / tempo_bpm - 1) < 0.02, found.confidence >= 0.8))
    right = np.array([verdict[1] for verdict in verdicts])
    sure = np.array([verdict[2] for verdict in verdicts])
    assert right.mean() >= 0.85, [verdict for verdict in verdicts if not verdict[1]]
    assert right[sure].mean() >= 0.95


@pytest.mark.parametrize(
    "sound", [noise(10), silence(10), noise(2), silence(0)], ids=["noise", "silence", "short", "nothing"]
)
def test_what_has_no_beat_is_not_sure(sound: Audio) -> None:
    """Noise, silence and snippets get no confidence."""
    assert rhythm_of(sound).confidence < 0.05


def test_silence_around_and_level_do_not_matter() -> None:
    """A quiet copy with silence before and after has the same tempo."""
    gap = silence(3, rate_hz=RATE_HZ, channels=1)
    found = rhythm_of(joined(gap, scaled(beat("rock", 110), -30), gap))
    assert found.tempo_bpm == pytest.approx(110, rel=0.003)


def test_half_or_double_is_named_as_the_other_reading() -> None:
    """Whoever disagrees about the octave finds theirs second."""
    others = rhythm_of(beat("rock", 96)).other_bpm
    assert any(other == pytest.approx(96 * factor, rel=0.01) for other in others for factor in (0.5, 2))


@pytest.mark.parametrize("steps", [2048, 2187 - 1000])
def test_beats_repeat_at_their_distance(steps: int) -> None:
    """After eighteen beats still to the step, whether the transform that is fastest is odd or even."""
    envelopes = np.zeros((3, steps), np.float32)
    envelopes[:, ::50] = 1
    repeats = autocorrelations(envelopes, 0.01)
    assert next_fast_len(steps + repeats.shape[1]) % 2 == steps % 2
    assert repeats[:, 899] == pytest.approx(repeats[:, 901], rel=0.01)
    assert (repeats[:, 900] > repeats[:, 899]).all()


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same tempo and confidence."""
    sound = beat("rock", 97, bars=4)
    meter = RhythmMeter(RATE_HZ, 1)
    for part in np.split(sound.samples, [33, 4000, 90_001], axis=1):
        meter.add(part)
    assert meter.result().tempo_bpm == rhythm_of(sound).tempo_bpm
    assert meter.result().confidence == pytest.approx(rhythm_of(sound).confidence, abs=1e-4)
