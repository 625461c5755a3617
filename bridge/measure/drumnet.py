"""The small network that tells drums apart: one hidden layer over what is seen of an attack.

Its numbers are ``drum_weights.json``, fitted by ``tests/measure/fit_drums.py`` on composed songs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from bridge.errors import EngineError

Floats = NDArray[np.float32]
_FILE = "drum_weights.json"


@dataclass(frozen=True, kw_only=True)
class DrumNetwork:
    """Views are centred and scaled; a layer of rectifiers makes a chance for each drum of them."""

    mean: Floats
    spread: Floats
    hidden: Floats
    """Shape ``(views, hidden)``."""
    hidden_bias: Floats
    output: Floats
    """Shape ``(hidden, drums)``."""
    output_bias: Floats

    def chances(self, views: Floats) -> Floats:
        """How likely each drum is struck in each attack: 0 to 1, shape ``(attacks, drums)``."""
        raised = np.maximum(0, (views - self.mean) / self.spread @ self.hidden + self.hidden_bias)
        scores = np.clip(raised @ self.output + self.output_bias, -30, 30)
        return np.asarray(1 / (1 + np.exp(-scores)), np.float32)


@cache
def network() -> DrumNetwork:
    """The network that comes with the package. Raises EngineError where its numbers cannot be read."""
    try:
        table = json.loads((resources.files("bridge.measure") / _FILE).read_text("utf-8"))
        return DrumNetwork(**{name: np.array(numbers, np.float32) for name, numbers in table.items()})
    except (OSError, ValueError, TypeError) as cause:
        raise EngineError(
            f"{_FILE} of the drum transcriber cannot be read ({cause}); it comes with the package. "
            "Reinstall stembridge."
        ) from cause
