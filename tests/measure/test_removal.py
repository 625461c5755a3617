"""What a denoiser took away, told from planted noise and planted harm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.errors import AudioError
from bridge.measure.removal import NOISE_TEXTURE_DB, Removal, measure_removal

RATE_HZ = 44_100
NOISE_DBFS = -50.0


def noise(seconds: float = 10.0, level_dbfs: float = NOISE_DBFS, channels: int = 1) -> np.ndarray:
    shape = (channels, round(seconds * RATE_HZ))
    return np.random.default_rng(4).standard_normal(shape) * 10 ** (level_dbfs / 20)


def phrases(seconds: float = 10.0) -> np.ndarray:
    """Partials that sound for one second of each two."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tones = np.sum([np.sin(2 * np.pi * 210 * number * t) / number for number in range(1, 15)], axis=0)
    return (0.1 * tones * (t % 2.0 < 1.0))[None]


def removal(folder: Path, before: np.ndarray, after: np.ndarray) -> Removal:
    paths = folder / "before.wav", folder / "after.wav"
    for path, samples in zip(paths, (before, after), strict=True):
        write_audio(path, Audio(samples=samples.astype(np.float32), rate_hz=RATE_HZ))
    return measure_removal(*paths)


@pytest.mark.parametrize("taken", [0.5, 0.9])
def test_noise_that_went_is_told_as_noise(tmp_path: Path, taken: float) -> None:
    """Its level, how far the pauses fell, how it lies to the voice; white noise sounds like itself."""
    voice, hiss = phrases(), noise()
    seen = removal(tmp_path, voice + hiss, voice + (1 - taken) * hiss)
    band_db = 10 * np.log10((16_000 - 100) / (RATE_HZ / 2))
    assert seen.pause_dbfs == pytest.approx(NOISE_DBFS + band_db, abs=0.5)
    assert seen.pause_fall_db == pytest.approx(-20 * np.log10(1 - taken), abs=0.3)
    assert seen.growth_db == pytest.approx(0, abs=0.5)
    assert seen.texture_db == pytest.approx(NOISE_TEXTURE_DB, abs=0.2)
    assert seen.worst_texture_db == pytest.approx(NOISE_TEXTURE_DB, abs=0.4)
    assert seen.loss_db < -20


def test_voice_that_went_is_told_as_voice(tmp_path: Path) -> None:
    """Half of the partials gone: as much as stayed, with the texture of notes, only while it sounds."""
    voice, hiss = phrases(), noise()
    seen = removal(tmp_path, voice + hiss, 0.5 * voice + 0.2 * hiss)
    assert seen.loss_db == pytest.approx(0, abs=0.2)
    assert seen.texture_db > 8
    assert seen.growth_db > 10


def test_harm_in_one_place_shows(tmp_path: Path) -> None:
    """Five seconds of a minute in which the voice was taken weigh as the worst, not as the mean."""
    voice, hiss = phrases(60.0), noise(60.0, -30.0)
    share = np.ones(voice.shape[1])
    share[: 5 * RATE_HZ] = 0.8
    seen = removal(tmp_path, voice + hiss, share * voice + 0.2 * hiss)
    assert seen.texture_db < 4
    assert seen.worst_texture_db > seen.texture_db + 1


def test_nothing_taken_is_nothing(tmp_path: Path) -> None:
    """The same file twice."""
    seen = removal(tmp_path, phrases() + noise(), phrases() + noise())
    assert seen.pause_fall_db == 0
    assert seen.loss_db < -150


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.3])
def test_short_files_and_silence_give_zeros(tmp_path: Path, seconds: float) -> None:
    """Nothing can be told of them."""
    short = noise(seconds)
    assert removal(tmp_path, short, 0.5 * short) == removal(tmp_path, noise() * 0, noise() * 0)


def test_channels_count_alike(tmp_path: Path) -> None:
    """Noise in the sides, which a sum to mono would not hear."""
    voice, hiss = np.tile(phrases(), (2, 1)), noise() * np.array([[1], [-1]])
    seen = removal(tmp_path, voice + hiss, voice + 0.5 * hiss)
    assert seen.pause_fall_db == pytest.approx(6.02, abs=0.2)


def test_other_rates_are_refused(tmp_path: Path) -> None:
    """With both in the message."""
    for name, rate_hz in (("a.wav", 44_100), ("b.wav", 48_000)):
        write_audio(tmp_path / name, Audio(samples=noise().astype(np.float32), rate_hz=rate_hz))
    with pytest.raises(AudioError, match=r"48000 Hz.*44100 Hz"):
        measure_removal(tmp_path / "a.wav", tmp_path / "b.wav")
