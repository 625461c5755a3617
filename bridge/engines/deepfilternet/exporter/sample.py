"""A sample that the network hears, and what the package's own ``enhance()`` makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

RATE_HZ = 48_000
FRAMES = 5 * RATE_HZ + 123
"""No whole number of frames, so that the end is compared too."""


def write_sample(model: Any, state: Any, heard: Path, cleaned: Path) -> tuple[int, ...]:
    """Write both as raw float32 of shape ``(channels, frames)``, and give that shape."""
    from df.enhance import enhance

    audio = sample()
    made = enhance(model, state, torch.from_numpy(audio.copy()))
    audio.tofile(heard)
    np.ascontiguousarray(made.numpy(), np.float32).tofile(cleaned)
    return audio.shape


def sample() -> NDArray[np.float32]:
    """Two channels like speech: syllables of gliding partials, steady noise, a pause and digital silence."""
    t = np.arange(FRAMES) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(140 + 25 * np.sin(2 * np.pi * 0.9 * t)) / RATE_HZ
    voice = np.sum([np.sin(number * phase) / number**1.2 for number in range(1, 30)], axis=0)
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t) > -0.5)
    noise = np.random.default_rng(9).standard_normal((2, FRAMES))
    audio = 0.15 * voice * syllables + np.array([[0.02], [0.005]]) * noise
    audio[:, RATE_HZ : RATE_HZ * 5 // 4] = 0
    return np.asarray(audio, np.float32)
