"""Null, lag and level between files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, read_audio, write_audio
from bridge.errors import AudioError
from bridge.measure import alignment, level_difference, null_depth
from bridge.values import SampleFormat

from .signals import SHARED, audio, noise, scaled, silence, tone


def stems(folder: Path, count: int = 4, seconds: float = 4) -> tuple[list[Path], Path]:
    """Noises on the grid of 24 bits, and their sum, which floats hold exactly."""
    grid = 2.0**-23
    sounds = [np.rint(noise(seconds, 0.05, seed=seed).samples / grid) * grid for seed in range(count)]
    paths = [folder / f"stem {number}.wav" for number in range(count)]
    for path, sound in zip(paths, sounds, strict=True):
        write_audio(path, audio(sound, 44_100))
    write_audio(folder / "mixture.wav", audio(np.sum(sounds, axis=0, dtype=np.float64), 44_100))
    return paths, folder / "mixture.wav"


def written(folder: Path, name: str, sound: Audio) -> Path:
    """The sound as a file."""
    write_audio(folder / name, sound)
    return folder / name


def test_stems_null_exactly(tmp_path: Path) -> None:
    """What sums to the mixture leaves nothing."""
    found = null_depth(*stems(tmp_path))
    assert (found.peak_dbfs, found.rms_dbfs, found.length_difference) == (-240, -240, 0)
    assert found.frames == 4 * 44_100


@pytest.mark.parametrize("level_db", [-40, -90, -120])
def test_what_is_left_is_measured(tmp_path: Path, level_db: float) -> None:
    """A tone too much on one stem is left, at its peak and 3 dB less as effective value."""
    paths, mixture = stems(tmp_path)
    stem = read_audio(paths[1])
    extra = tone(1000, 4, level_db, rate_hz=44_100).samples
    write_audio(paths[1], Audio(samples=stem.samples + extra, rate_hz=44_100))
    found = null_depth(paths, mixture)
    assert found.peak_dbfs == pytest.approx(level_db, abs=0.5)
    assert found.rms_dbfs == pytest.approx(level_db - 3.01, abs=0.2)


def test_a_missing_tail_is_told(tmp_path: Path) -> None:
    """A stem that is 100 frames short is found by its length and by what is missing."""
    paths, mixture = stems(tmp_path)
    write_audio(paths[0], Audio(samples=read_audio(paths[0]).samples[:, :-100], rate_hz=44_100))
    found = null_depth(paths, mixture)
    assert found.length_difference == -100
    assert found.peak_dbfs > -40


def test_different_rates_are_refused(tmp_path: Path) -> None:
    """Rates and channels have to be the same."""
    mixture = written(tmp_path, "mixture.wav", noise(1))
    with pytest.raises(AudioError, match="48000 Hz"):
        null_depth([written(tmp_path, "stem.wav", noise(1, rate_hz=48_000))], mixture)
    with pytest.raises(AudioError, match="1 channels"):
        null_depth([written(tmp_path, "mono.wav", noise(1, channels=1))], mixture)
    with pytest.raises(AudioError, match="one rate"):
        alignment(tmp_path / "stem.wav", mixture)


@pytest.mark.parametrize("lag", [0, 1, -1, 37, -1105, 8000, -8000])
def test_a_lag_is_found_to_the_sample(tmp_path: Path, lag: int) -> None:
    """A stem against its mixture, early or late; positive is late."""
    paths, mixture = stems(tmp_path)
    moved = np.roll(read_audio(paths[2]).samples, lag, axis=1)
    found = alignment(written(tmp_path, "moved.wav", Audio(samples=moved, rate_hz=44_100)), mixture)
    assert found.lag_frames == lag
    assert found.confidence > 0.8


@pytest.mark.parametrize("role", ["vocals", "drums", "bass", "other"])
def test_real_stems_align_with_their_mixture(tmp_path: Path, role: str) -> None:
    """A real stem inside the sum of all, moved by 17 samples; the marker burst at both ends is cut away."""
    folder = SHARED / "audio" / "falcon69"
    if not folder.exists():
        pytest.skip("no real stems beside the checkout")
    inner = {
        name: read_audio(folder / f"{name}.wav").samples[:, 3000:-3000]
        for name in ("vocals", "drums", "bass", "other")
    }
    mixture = written(tmp_path, "mixture.wav", audio(sum(inner.values()), 44_100))
    moved = np.roll(inner[role], 17, axis=1)
    found = alignment(written(tmp_path, "stem.wav", Audio(samples=moved, rate_hz=44_100)), mixture)
    assert found.lag_frames == 17
    assert found.confidence > 0.5


def test_silence_and_strangers_are_not_sure(tmp_path: Path) -> None:
    """Nothing to compare, nothing in common: no confidence."""
    sound = written(tmp_path, "sound.wav", noise(3))
    assert alignment(written(tmp_path, "silence.wav", silence(3)), sound).confidence == 0
    assert alignment(written(tmp_path, "other.wav", noise(3, seed=9)), sound).confidence < 0.2
    assert alignment(written(tmp_path, "short.wav", silence(0.001)), sound).confidence == 0


def test_a_short_sound_aligns(tmp_path: Path) -> None:
    """Less than a window is enough."""
    sound = noise(0.3)
    late = audio(np.roll(sound.samples, 11, axis=1), 44_100)
    assert alignment(written(tmp_path, "b.wav", late), written(tmp_path, "a.wav", sound)).lag_frames == 11


@pytest.mark.parametrize("gain_db", [0, -6, 12.5])
def test_level_difference(tmp_path: Path, gain_db: float) -> None:
    """A gain is the difference, by effective value and by peak."""
    sound = noise(2, 0.05)
    found = level_difference(
        written(tmp_path, "b.wav", scaled(sound, gain_db)), written(tmp_path, "a.wav", sound)
    )
    assert (found.rms_db, found.peak_db) == pytest.approx((gain_db, gain_db), abs=0.001)


def test_integer_files_null_too(tmp_path: Path) -> None:
    """24-bit stems of a 24-bit mixture are exact."""
    paths, mixture = stems(tmp_path)
    for path in (*paths, mixture):
        write_audio(path, read_audio(path), SampleFormat.INT24)
    assert null_depth(paths, mixture).peak_dbfs == -240
