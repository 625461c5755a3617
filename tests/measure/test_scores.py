"""Separation scores follow from how the estimate was made."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.errors import AudioError
from bridge.measure import sdr_db, si_sdr_db

from .signals import noise

TRUTH, ERROR = noise(2, 0.1, seed=1).samples, noise(2, 0.1, seed=2).samples


@pytest.mark.parametrize("snr_db", [-10, 0, 20, 60])
def test_added_noise_is_the_score(snr_db: float) -> None:
    """Unrelated noise at a known level is the ratio, for both."""
    estimate = TRUTH + ERROR * np.float32(10 ** (-snr_db / 20))
    assert sdr_db(estimate, TRUTH) == pytest.approx(snr_db, abs=0.1)
    assert si_sdr_db(estimate, TRUTH) == pytest.approx(snr_db, abs=0.2)


def test_only_sdr_minds_the_gain() -> None:
    """Half the level is 6 dB SDR, and perfect when scale does not count."""
    assert sdr_db(0.5 * TRUTH, TRUTH) == pytest.approx(6.02, abs=0.01)
    assert si_sdr_db(0.5 * TRUTH, TRUTH) > 100


def test_ends_of_the_scale() -> None:
    """Perfect is 150, silence for sound 0, sound for silence -150, silence for silence 150."""
    nothing = np.zeros_like(TRUTH)
    assert sdr_db(TRUTH, TRUTH) == 150
    assert sdr_db(nothing, TRUTH) == pytest.approx(0)
    assert sdr_db(TRUTH, nothing) == -150
    assert sdr_db(nothing, nothing) == 150
    assert si_sdr_db(nothing, TRUTH) == -150
    assert si_sdr_db(TRUTH, nothing) == -150
    assert si_sdr_db(nothing, nothing) == 150


def test_shapes_have_to_match() -> None:
    """Different lengths are refused."""
    with pytest.raises(AudioError, match="wanted the same"):
        sdr_db(TRUTH[:, 1:], TRUTH)
