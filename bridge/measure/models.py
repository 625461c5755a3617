"""Weights of the two small linear models, for tempo and key: the candidate with the largest sum wins.

Fitted by ``tests/measure/fit_models.py`` on composed songs, which prints the blocks of numbers anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.split())


TEMPO_WEIGHTS = _numbers("""
    0.3587 -1.391 1.058 6.286 -0.583 -1.206 0.9409 -2.535 -0.7313 1.081 0.4197 0.0533 2.112 0.338 -1.529
    -1.878 -0.1348 0.8821 3.386 -1.028 -0.9597 0.5198 2.083 2.301 -4.721 -0.9392 1.75 -0.4067 -1.203
    1.66 -0.6366 0.3078 1.373 1.283 0.6757 -2.433 -1.284 2.594 -1.001 2.329 0.6437 -2.063 1.268 1.252
    1.824 3.013 -1.719 -0.6845 -0.1371 -0.5291 -0.2082 2.054 -0.7274 -0.001839 0.5768 1.723 1.234
""")
"""For each feature of ``rhythm.features``."""

KEY_WEIGHTS = _numbers("""
    1.239 0.9889 1.165 5.918 1.525 3.344 3.857 0.6553 4.052 5.843 4.347 0.3872
""")
"""For each feature of ``harmony.features``."""


def shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as chances that sum to one (softmax)."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float64)
