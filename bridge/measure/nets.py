"""Small networks that tell what a moment of sound is: one hidden layer over the levels of bands around it.

Their numbers are the files ``net_*.json``, fitted by ``tests/measure/fit_nets.py`` on composed sound alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from bridge.errors import EngineError
from bridge.measure.bands import RANGE_DB, Levels

Floats = NDArray[np.float32]
Look = tuple[int, ...]
"""Steps from a moment over which levels are averaged."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Views are centred and scaled; a layer of rectifiers makes a chance for each question of them."""

    mean: Floats
    spread: Floats
    hidden: Floats
    """Shape ``(views, hidden)``."""
    hidden_bias: Floats
    output: Floats
    """Shape ``(hidden, questions)``."""
    output_bias: Floats

    def chances(self, views: Floats) -> Floats:
        """How likely each question is answered by yes: 0 to 1, shape ``(moments, questions)``."""
        raised = np.maximum(0, (views - self.mean) / self.spread @ self.hidden + self.hidden_bias)
        scores = np.clip(raised @ self.output + self.output_bias, -30, 30)
        return np.asarray(1 / (1 + np.exp(-scores)), np.float32)


@cache
def network(name: str) -> Network:
    """A network that comes with the package. Raises EngineError where its numbers cannot be read."""
    file = f"net_{name}.json"
    try:
        table = json.loads((resources.files("bridge.measure") / file).read_text("utf-8"))
        return Network(**{name: np.array(numbers, np.float32) for name, numbers in table.items()})
    except (OSError, ValueError, TypeError) as cause:
        raise EngineError(
            f"{file}, by which notes are told, cannot be read ({cause}); it comes with the package. "
            "Reinstall stembridge."
        ) from cause


def views_of(levels: Levels, steps: NDArray[np.intp], looks: Sequence[Look], top_db: float) -> Floats:
    """What networks see of some steps: the mean level of each band in each look.

    0 stands for 70 dB below ``top_db``, 1 for that. Shape ``(moments, looks * bands)``.
    """
    parts = []
    for look in looks:
        places = np.clip(steps[:, None] + np.array(look), 0, len(levels) - 1)
        heights = np.clip((levels[places].astype(np.float32) - (top_db - RANGE_DB)) / RANGE_DB, 0, 1.5)
        parts.append(heights.mean(axis=1))
    return np.asarray(np.concatenate(parts, axis=1), np.float32)
