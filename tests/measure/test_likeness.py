"""What two processors do alike and what not, told apart."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import Audio, Samples
from bridge.dsp import run
from bridge.errors import AudioError
from bridge.measure.likeness import Likeness, likeness
from presets import Chain, Compressor, Effect, Eq, EqBand
from tests.dsp.signals import RATE_HZ, drums


def audio(samples: Samples) -> Audio:
    return Audio(samples=samples, rate_hz=RATE_HZ)


def after(effect: Effect) -> Likeness:
    """Drums behind an effect, against the drums."""
    whole = audio(drums(4.0))
    return likeness(whole, run(Chain(name="x", role="drums", effects=(effect,)), whole))


def test_the_same_is_the_same() -> None:
    """Zeros, and nothing left."""
    whole = audio(drums(2.0))
    assert likeness(whole, whole) == Likeness(level_db=0, movement_db=0, tone_db=0, residual_db=-200)


def test_gain_is_level_alone() -> None:
    """Taken out before anything else is measured."""
    whole = drums(2.0)
    found = likeness(audio(whole), audio(whole * np.float32(0.25)))
    assert found.level_db == pytest.approx(-12.04, abs=0.01)
    assert (found.movement_db, found.tone_db) == pytest.approx((0, 0), abs=1e-3)
    assert found.residual_db < -100


def test_a_filter_moves_the_tone_and_a_compressor_the_levels() -> None:
    """The filter leaves the movement, the compressor moves more of it than of the tone."""
    tilt = after(Eq(bands=(EqBand(shape="high_shelf", frequency_hz=2000, gain_db=9),)))
    squeeze = after(Compressor(threshold_db=-30, ratio=10, attack_ms=1, release_ms=60))
    assert tilt.tone_db > 2 > tilt.movement_db
    assert squeeze.movement_db > 2 * squeeze.tone_db


def test_phase_is_in_the_difference_alone() -> None:
    """A tone that is turned by a quarter has the same level, tone and movement, and nothing cancels."""
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    sine, cosine = (wave(2 * np.pi * 440 * time)[None].astype(np.float32) for wave in (np.sin, np.cos))
    found = likeness(audio(sine), audio(cosine))
    assert max(abs(found.level_db), found.movement_db, found.tone_db) < 0.1
    assert found.residual_db == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize(
    ("frames", "channels", "factor"),
    [
        pytest.param(100, 2, 1.0, id="length"),
        pytest.param(200, 1, 1.0, id="channels"),
        pytest.param(200, 2, 0.0, id="silence"),
    ],
)
def test_what_cannot_be_compared_is_refused(frames: int, channels: int, factor: float) -> None:
    """With what was found."""
    other = np.full((channels, frames), 0.1 * factor, np.float32)
    with pytest.raises(AudioError, match="wanted"):
        likeness(audio(drums(1.0)[:, :200]), audio(other))
