"""What comes out of a plug-in is blamed where it cannot be meant, and left in peace where it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bridge.audio import Audio, Samples, read_audio, write_audio
from bridge.engines.vst3.verdict import expect_likely
from bridge.errors import EngineError
from tests.dsp.signals import RATE_HZ

Change = Callable[[Samples], Samples]


def chorus(samples: Samples) -> Samples:
    """Without any dry sound."""
    frames = np.arange(samples.shape[1])
    delay = 200 + 100 * np.sin(2 * np.pi * 0.8 * frames / RATE_HZ)
    return np.stack([np.interp(frames - delay, frames, lane) for lane in samples])


def lowpass(samples: Samples) -> Samples:
    return np.asarray(sosfilt(butter(8, 300, fs=RATE_HZ, output="sos"), samples))


def moved(frames: int) -> Change:
    return lambda samples: np.roll(samples, frames, axis=1)


def judge(song: Path, change: Change) -> None:
    target = song.with_name("made.wav")
    write_audio(target, Audio(samples=change(read_audio(song).samples).astype(np.float32), rate_hz=RATE_HZ))
    expect_likely("Warm", song, target)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda samples: -samples, id="polarity"),
        pytest.param(lambda samples: np.tanh(50 * samples), id="distortion"),
        pytest.param(lambda samples: samples[::-1], id="sides exchanged"),
        pytest.param(lambda samples: samples + moved(9000)(samples), id="echo"),
        pytest.param(lambda samples: samples * 0.02, id="-34 dB"),
        pytest.param(lowpass, id="lowpass"),
        pytest.param(chorus, id="chorus"),
    ],
)
def test_what_can_be_meant_passes(change: Change, song: Path) -> None:
    """Effects change the sound: that is what they are for."""
    judge(song, change)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(moved(-480), "Warm gave its sound 480 samples too early", id="early"),
        pytest.param(moved(16_384), "Warm gave its sound 16384 samples too late", id="late"),
        pytest.param(lambda samples: samples * 1e5, "100 dB louder", id="loud"),
        pytest.param(np.zeros_like, "dB quieter", id="silent"),
    ],
)
def test_what_cannot_be_meant_is_blamed(change: Change, told: str, song: Path) -> None:
    """With what is wrong, by how much."""
    with pytest.raises(EngineError) as caught:
        judge(song, change)
    assert told in caught.value.message
