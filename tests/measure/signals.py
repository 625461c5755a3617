"""Seeded signals for the tests of the measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def tone(
    hertz: float,
    seconds: float,
    level_dbfs: float,
    *,
    rate_hz: int = 48_000,
    channels: int = 2,
    degrees: float = 0,
) -> Audio:
    """A sine whose peak is at ``level_dbfs`` on every channel."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hertz * time_s + np.radians(degrees))
    return audio(np.tile(wave, (channels, 1)), rate_hz)


def noise(
    seconds: float, rms: float = 0.1, *, rate_hz: int = 44_100, channels: int = 2, seed: int = 0
) -> Audio:
    """White noise, independent on each channel."""
    return audio(np.random.default_rng(seed).normal(0, rms, (channels, round(seconds * rate_hz))), rate_hz)


def silence(seconds: float, *, rate_hz: int = 44_100, channels: int = 2) -> Audio:
    """Digital silence."""
    return audio(np.zeros((channels, round(seconds * rate_hz))), rate_hz)


def audio(samples: NDArray[np.float64], rate_hz: int) -> Audio:
    """An Audio from any floats."""
    return Audio(samples=np.asarray(samples, np.float32), rate_hz=rate_hz)


def joined(*parts: Audio) -> Audio:
    """One after the other."""
    return Audio(samples=np.concatenate([part.samples for part in parts], axis=1), rate_hz=parts[0].rate_hz)


def scaled(sound: Audio, gain_db: float) -> Audio:
    """Louder by ``gain_db``."""
    return audio(sound.samples * 10 ** (gain_db / 20), sound.rate_hz)
