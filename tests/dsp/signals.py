"""Seeded signals and readings for the tests of the processors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio import Audio, Samples
from bridge.dsp.stream import Takes, aligned

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "audio"
RATE_HZ = 44_100
Wave = NDArray[np.float64]


def tone(
    hertz: float, seconds: float, level_dbfs: float = -6, *, rate_hz: int = RATE_HZ, degrees: float = 0
) -> Wave:
    """A sine with its peak at ``level_dbfs``."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.asarray(10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hertz * time_s + np.radians(degrees)))


def noise(frames: int, rms: float = 0.1, channels: int = 2, seed: int = 0) -> Samples:
    """White noise, independent on each channel."""
    return samples(np.random.default_rng(seed).normal(0, rms, (channels, frames)))


def drums(seconds: float, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 1) -> Samples:
    """Decaying hits of tone and noise twice a second, over a soft bass: something that moves detectors."""
    frames = round(seconds * rate_hz)
    time_s = np.arange(frames) / rate_hz
    since_s = time_s % 0.5
    random = np.random.default_rng(seed).normal(0, 1, (channels, frames))
    hits = 0.8 * np.exp(-since_s / 0.06) * np.sin(2 * np.pi * 90 * since_s)
    rattle = 0.3 * np.exp(-since_s / 0.02) * random
    return samples(hits + rattle + 0.05 * np.sin(2 * np.pi * 55 * time_s))


def samples(wave: NDArray[np.floating]) -> Samples:
    """Any floats as float32 of shape ``(channels, frames)``."""
    return np.atleast_2d(np.asarray(wave, np.float32))


def audio(wave: NDArray[np.floating], rate_hz: int = RATE_HZ) -> Audio:
    """An Audio from any floats."""
    return Audio(samples=samples(wave), rate_hz=rate_hz)


def through(processor: Takes, whole: Samples, frames: int = 65_536) -> Samples:
    """``whole`` through a processor in blocks of ``frames``, in time and of the same length."""
    blocks = (whole[:, start : start + frames] for start in range(0, whole.shape[1], frames))
    return np.concatenate(list(aligned(processor, blocks)), axis=1)


def rms_db(wave: NDArray[np.floating]) -> float:
    """Mean level in dB; a very low number for silence."""
    return float(10 * np.log10(np.mean(np.asarray(wave, np.float64) ** 2) + 1e-30))


def gain_db(after: NDArray[np.floating], before: NDArray[np.floating]) -> float:
    """How much louder the one is than the other."""
    return rms_db(after) - rms_db(before)


def difference_db(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """The level of the difference, relative to ``other``."""
    return rms_db(np.asarray(one, np.float64) - other) - rms_db(other)


def shared(name: str) -> Path:
    """A file of the shared data beside the checkout; the test is skipped where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"no shared audio beside the checkout ({name})")
    return path
