"""The tiny network of the self-test, its input, and the script that made the stored answer.

Every number comes from a formula, not from a generator of chance, so that all versions of torch make the same
network. ``python golden.py`` computes the answer in double precision and writes ``golden.npy`` beside it.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from demucs.htdemucs import HTDemucs
from numpy.typing import NDArray

LOUD_TRANSFORMER = 7.0
"""Turns the cross-transformer's part up: bf16 there shall cost what it costs in the real network, 67 dB."""
STEP = 37
"""Every so many samples of the answer are stored: enough to know it again."""


def golden_network() -> HTDemucs:
    """All that the real one has, small: both branches, compressed convolutions, a cross-transformer."""
    network = HTDemucs(
        sources=["drums", "bass", "other", "vocals"],
        channels=8,
        depth=4,
        dconv_mode=3,
        bottom_channels=32,
        t_layers=3,
        t_heads=4,
        segment=Fraction(1, 2),
        samplerate=44_100,
    )
    state = network.state_dict()
    for number, (name, value) in enumerate(state.items()):
        state[name] = _numbers(name, value, number)
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def golden_input() -> torch.Tensor:
    """Half a second of tones and hash noise, shape (1, 2, 22050)."""
    place = np.arange(22_050, dtype=np.float64)
    tones = 0.4 * np.sin(place * 0.031) + 0.2 * np.sin(place * 0.29 + 1.0)
    return torch.from_numpy(
        np.stack([tones + 0.3 * _noise(place), 0.7 * tones - 0.3 * _noise(place + 7.5)])[None]
    ).float()


def _numbers(name: str, like: torch.Tensor, number: int) -> torch.Tensor:
    """Weights of about unit gain; gains of norms and of layers near one, offsets near zero."""
    noise = _noise(np.arange(like.numel(), dtype=np.float64) + 1000.0 * number).reshape(like.shape)
    if like.ndim >= 2:
        gain = LOUD_TRANSFORMER if "downsampler" in name else 1.0
        values = noise * 1.5 * gain / np.sqrt(np.prod(like.shape[1:]))
    else:
        is_gain = ("norm" in name and name.endswith("weight")) or name.endswith(".scale")
        values = (1.0 if is_gain else 0.0) + 0.2 * noise
    return torch.from_numpy(values).to(like.dtype)


def _noise(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same -1 to 1 everywhere: what is left of a large sine's digits."""
    digits = np.sin(place * 12.9898 + 4.1) * 43_758.5453
    return np.asarray(2 * (digits - np.floor(digits)) - 1)


def _write_answer() -> None:
    network = golden_network().double()
    with torch.inference_mode():
        out = network(golden_input().double())
    np.save(Path(__file__).with_name("golden.npy"), out[0, :, :, ::STEP].float().numpy())


if __name__ == "__main__":
    _write_answer()
