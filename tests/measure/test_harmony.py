"""Key: chord progressions whose key is known transposed and mistuned."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio import Audio
from bridge.measure import HarmonyMeter, harmony_of
from bridge.measure.harmony import KEYS

from .signals import audio, noise, scaled, silence

RATE_HZ = 22_050
MAJOR = (((0, 4, 7), 0), ((5, 9, 0), 5), ((7, 11, 2), 7), ((0, 4, 7), 0))
MINOR = (((0, 3, 7), 0), ((5, 8, 0), 5), ((7, 10, 2), 7), ((0, 3, 7), 0))


def note(pitch: float, seconds: float) -> NDArray[np.float64]:
    """A tone with eight falling overtones."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    wave = sum(np.sin(2 * np.pi * hertz * k * time_s) / k**1.3 for k in range(1, 9))
    return np.asarray(wave * np.exp(-time_s * 1.5) * 0.05)


def progression(tonic: int, is_minor: bool, cents: float = 0.0) -> Audio:
    """I IV V I, or i iv v i, twice, with its bass."""
    chords = (MINOR if is_minor else MAJOR) * 2
    parts = [
        sum(note(60 + (p + tonic) % 12 + cents / 100, 1.5) for p in pitches)
        + 2 * note(36 + (root + tonic) % 12 + cents / 100, 1.5)
        for pitches, root in chords
    ]
    return audio(np.concatenate(parts)[None], RATE_HZ)


@pytest.mark.parametrize("is_minor", [False, True], ids=["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_cadences_have_their_key(tonic: int, is_minor: bool) -> None:
    """All 24 keys."""
    assert harmony_of(progression(tonic, is_minor)).key == KEYS[tonic + 12 * is_minor]


@pytest.mark.parametrize("cents", [-40, -15, 25, 45])
def test_mistuning_is_measured_and_taken_out(cents: float) -> None:
    """A song between the keys of a piano keeps its key, and its tuning is told within 6 cents."""
    found = harmony_of(progression(9, is_minor=True, cents=cents))
    assert found.key == "A minor"
    assert found.tuning_cents == pytest.approx(cents, abs=6)


def test_a_neighbour_comes_second() -> None:
    """C major's next best reading shares its tonic, its notes or its fifth."""
    neighbours = ("C minor", "A minor", "F major", "G major", "E minor")
    assert harmony_of(progression(0, is_minor=False)).other_key in neighbours


@pytest.mark.parametrize("sound", [silence(5), silence(0)], ids=["silence", "nothing"])
def test_silence_has_no_key(sound: Audio) -> None:
    """No sound, no key."""
    assert (harmony_of(sound).key, harmony_of(sound).confidence) == ("", 0)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_sure(seed: int) -> None:
    """Noise may be given a key, but never with confidence."""
    assert harmony_of(noise(10, seed=seed)).confidence < 0.3


def test_one_chord_is_not_sure() -> None:
    """A second of one chord does not tell its key surely."""
    chord = progression(0, is_minor=False).samples[:, :RATE_HZ]
    assert harmony_of(Audio(samples=chord, rate_hz=RATE_HZ)).confidence < 0.5


def test_level_does_not_matter() -> None:
    """20 dB less is the same key, equally sure."""
    loud, quiet = (harmony_of(scaled(progression(4, is_minor=True), gain_db)) for gain_db in (0, -20))
    assert loud.key == quiet.key == "E minor"
    assert loud.confidence == pytest.approx(quiet.confidence, abs=0.05)
    assert loud.short_key == "Em"


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same key and confidence."""
    sound = progression(2, is_minor=False)
    meter = HarmonyMeter(RATE_HZ, 1)
    for part in np.split(sound.samples, [33, 4000, 90_001], axis=1):
        meter.add(part)
    assert meter.result().key == "D major"
    assert meter.result().confidence == pytest.approx(harmony_of(sound).confidence, abs=1e-4)
