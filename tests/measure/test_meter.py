"""One pass over a file feeds many meters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, open_audio, write_audio
from bridge.measure import (
    LoudnessMeter,
    SpectrumMeter,
    Survey,
    feed,
    heard_channels,
    loudness_of,
    measure_loudness,
    spectrum_of,
    survey_file,
)
from bridge.measure.frames import Framer

from .signals import audio, noise, silence


def test_one_pass_is_the_same_as_many(tmp_path: Path) -> None:
    """Two meters fed at once find what each finds alone, and progress ends at 1."""
    sound = noise(4)
    write_audio(tmp_path / "song.wav", sound)
    told: list[float] = []
    with open_audio(tmp_path / "song.wav") as reader:
        loudness, spectrum = LoudnessMeter(44_100, 2), SpectrumMeter(44_100, 2)
        feed(reader, loudness, spectrum, progress=told.append)
    assert loudness.result() == loudness_of(sound) == measure_loudness(tmp_path / "song.wav")
    assert spectrum.result() == spectrum_of(sound)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_surround_is_folded(tmp_path: Path) -> None:
    """More than two channels reach the meters as stereo."""
    write_audio(tmp_path / "wide.wav", noise(1, channels=6))
    with open_audio(tmp_path / "wide.wav") as reader:
        assert heard_channels(reader) == 2
    assert measure_loudness(tmp_path / "wide.wav").integrated_lufs > -40


@pytest.mark.parametrize(
    "sound",
    [
        noise(6),
        silence(3),
        noise(0.01),
        noise(0.3, channels=1),
        noise(2, rate_hz=8000),
        noise(1, rate_hz=192_000),
    ],
    ids=["noise", "silence", "10 ms", "mono", "8 kHz", "192 kHz"],
)
def test_a_survey_of_anything_is_json(tmp_path: Path, sound: Audio) -> None:
    """Every measure of every kind of input is finite, and comes back from JSON."""
    write_audio(tmp_path / "song.wav", sound)
    found = survey_file(tmp_path / "song.wav")
    text = found.model_dump_json()
    assert "Infinity" not in text
    assert "NaN" not in text
    assert Survey.model_validate_json(text) == found


def test_broken_files_are_surveyed(tmp_path: Path) -> None:
    """NaN and huge values do not spread into the figures."""
    samples = noise(2).samples.copy()
    samples[0, 1000], samples[1, 2000], samples[0, 3000] = np.nan, -np.inf, 3e38
    write_audio(tmp_path / "song.wav", audio(samples.astype(float), 44_100))
    found = survey_file(tmp_path / "song.wav")
    assert found.artefacts.broken_samples == 2
    assert "NaN" not in found.model_dump_json()


@pytest.mark.parametrize("cuts", [[], [1], [10, 11, 12], [499], [3, 700, 703]])
def test_frames_do_not_depend_on_blocks(cuts: list[int]) -> None:
    """Frames of 100 every 30, each in its place."""
    signal = np.arange(1000, dtype=np.float32)[None]
    framer = Framer(1, 100, 30)
    frames = np.concatenate([framer.push(part) for part in np.split(signal, cuts, axis=1)], axis=1)[0]
    assert frames.shape == (31, 100)
    assert (frames[:, 0] == 30 * np.arange(31)).all()
    assert framer.remainder[0, 0] == 930
