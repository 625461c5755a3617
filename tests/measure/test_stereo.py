"""The stereo picture of signals whose picture is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bridge.audio import Audio
from bridge.measure import StereoMeter, stereo_of

from .signals import audio, joined, noise, silence, tone


def pair(left: np.ndarray, right: np.ndarray) -> Audio:
    """Two rows as stereo."""
    return audio(np.stack([left, right]).astype(float), 44_100)


SOUND, OTHER = noise(5, channels=2, seed=1).samples


@pytest.mark.parametrize(
    ("sound", "correlation", "width", "balance_db"),
    [
        pytest.param(pair(SOUND, SOUND), 1, 0, 0, id="mono"),
        pytest.param(pair(SOUND, OTHER), 0, 1, 0, id="unrelated"),
        pytest.param(pair(SOUND, -SOUND), -1, 10, 0, id="opposite"),
        pytest.param(pair(SOUND, 0.5 * SOUND), 1, 1 / 3, -6.02, id="left louder"),
        pytest.param(pair(0 * SOUND, SOUND), 0, 1, 60, id="right alone"),
        pytest.param(pair(SOUND + OTHER, SOUND - OTHER), 0, 1, 0, id="middle and side alike"),
        pytest.param(pair(SOUND + 0.5 * OTHER, SOUND - 0.5 * OTHER), 0.6, 0.5, 0, id="half the side"),
    ],
)
def test_known_pictures(sound: Audio, correlation: float, width: float, balance_db: float) -> None:
    """Correlation, width and balance follow from how the channels were made, in every band too."""
    found = stereo_of(sound)
    assert found.correlation == pytest.approx(correlation, abs=0.01)
    assert found.width == pytest.approx(width, abs=0.02)
    assert found.balance_db == pytest.approx(balance_db, abs=0.1)
    for band in found.bands[2:]:
        assert band.correlation == pytest.approx(correlation, abs=0.08)


def test_bands_are_told_apart() -> None:
    """A mono bass under a wide treble shows as such."""
    low, high = (
        sosfilt(butter(6, 1000, kind, fs=44_100, output="sos"), np.stack([SOUND, OTHER]), axis=1)
        for kind in ("lowpass", "highpass")
    )
    bands = stereo_of(audio(np.stack([low[0], low[0]]) + high, 44_100)).bands
    assert bands[0].correlation > 0.95
    assert bands[0].width < 0.15
    assert abs(bands[-1].correlation) < 0.1
    assert bands[-1].width == pytest.approx(1, abs=0.1)


def test_the_lowest_window_is_found() -> None:
    """One second out of phase in a mono song is the lowest, and silence is not."""
    mono, upside_down = pair(SOUND, SOUND), pair(SOUND[:44_100], -SOUND[:44_100])
    found = stereo_of(joined(mono, upside_down, silence(1)))
    assert found.lowest_correlation == pytest.approx(-1, abs=0.01)
    assert found.correlation > 0.5
    assert stereo_of(joined(mono, silence(1))).lowest_correlation == pytest.approx(1, abs=1e-3)


def test_offsets_are_told_by_channel() -> None:
    """The mean of each channel."""
    sound = tone(1000, 1, -20).samples.astype(float) + np.array([[0.01], [-0.002]])
    assert stereo_of(audio(sound, 48_000)).dc_offsets == pytest.approx((0.01, -0.002), abs=1e-5)


@pytest.mark.parametrize(
    "sound",
    [silence(2), silence(2, channels=1), noise(2, channels=1)],
    ids=["silence", "silent mono", "mono"],
)
def test_mono_and_silence_are_narrow(sound: Audio) -> None:
    """No stereo is correlation 1, width 0, balance 0."""
    found = stereo_of(sound)
    assert (found.correlation, found.lowest_correlation, found.width, found.balance_db) == (1, 1, 0, 0)


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same picture."""
    sound = noise(3)
    meter = StereoMeter(44_100, 2)
    for part in np.split(sound.samples, [7, 4096, 70_001], axis=1):
        meter.add(part)
    whole = stereo_of(sound)
    assert meter.result().lowest_correlation == pytest.approx(whole.lowest_correlation, abs=1e-5)
    assert meter.result().bands[1].width == pytest.approx(whole.bands[1].width, abs=1e-5)
