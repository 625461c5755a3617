"""Spectra and features: exact way back, bands that cover all, the same for any cut."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.engines.deepfilternet import features
from bridge.engines.deepfilternet.features import BINS, ERB_WIDTHS, HOP, Analysis, Listener, Synthesis


def noise(frames: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((channels, frames)) * 0.1


def test_bands_cover_every_bin_and_grow() -> None:
    """32 bands of two bins at least; the ERB scale is linear below 500 Hz and logarithmic above."""
    assert len(ERB_WIDTHS) == 32
    assert ERB_WIDTHS.sum() == BINS
    assert ERB_WIDTHS.min() == 2
    assert (np.diff(ERB_WIDTHS) >= 0).all()


def test_spectra_of_a_stream_lead_back_to_it() -> None:
    """Late by one hop, to the limit of double precision."""
    x = noise(HOP * 50, 2)
    made = Synthesis(2)(Analysis(2)(x))
    assert np.abs(made[:, HOP:] - x[:, :-HOP]).max() < 1e-15 * 100


@pytest.mark.parametrize("hops", [1, 3, 50])
def test_features_do_not_depend_on_the_cut(hops: int) -> None:
    """Running means are carried."""
    x = noise(HOP * 150, 2)
    analysis, listener = Analysis(2), Listener(2)
    parts = [listener(analysis(part)) for part in np.split(x, 150 // hops, axis=1)]
    whole = Listener(2)(Analysis(2)(x))
    assert np.allclose(np.concatenate([part.erb for part in parts], axis=1), whole.erb, atol=1e-12)
    assert np.allclose(np.concatenate([part.low for part in parts], axis=1), whole.low, atol=1e-12)


def test_level_alone_leaves_the_normalised_features() -> None:
    """After the running mean (1 s) has settled, 20 dB less change the ERB features little."""
    x = noise(HOP * 800)
    loud, soft = (Listener(1)(Analysis(1)(x * gain)).erb[:, 700:] for gain in (1.0, 0.1))
    assert np.abs(loud - soft).max() < 0.01


def test_an_hour_of_silence_gives_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The running magnitude falls to nothing; 0 / 0 would spoil everything after."""
    listener = Listener(1)
    monkeypatch.setattr(listener, "_magnitudes", np.zeros((1, features.DF_BINS)))
    heard = listener(np.zeros((1, 10, BINS), complex))
    assert np.isfinite(heard.low).all()
    assert np.isfinite(heard.erb).all()
