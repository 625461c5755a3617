"""Dice: random generators that follow from the song's seed and a purpose, never from shared state."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def dice(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator for one purpose: the same seed and words always give the same numbers.

    Because each purpose has its own, adding an instrument does not change what the others play.
    """
    words = [crc32(str(word).encode()) for word in purpose]
    return np.random.default_rng([seed, *words])
