"""Weights of the two small linear models, for tempo and key: the candidate with the largest sum wins.

Fitted by ``tests/measure/fit_models.py`` on composed songs, which prints the blocks of numbers anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.split())


TEMPO_WEIGHTS = _numbers("""
    0.5853 -1.789 -0.874 3.783 -2.649 -0.6971 -0.7673 -2.422 -0.8005 1.373 -0.4367 -0.01093 2.896 -1.639
    -2.129 -0.6757 -0.5316 1.645 0.4603 -1.118 -0.771 1.972 0.2155 2.006 -1.802 -0.05956 1.363 0.06016
    0.2459 1.851 -0.5882 0.5425 1.148 1.028 1.393 -0.6685 -1.064 -0.1339 -1.249 1.3 2.915 -1.553 -0.3526
    0.8348 3.104 2.002 -2.085 -0.4648 1.294 -0.3961 0.1309 1.375 -0.7149 0.6552 0.9267 1.116 1.663
""")
"""For each feature of ``rhythm.features``."""

KEY_WEIGHTS = _numbers("""
    1.285 1.017 1.222 5.953 1.652 3.22 4.025 0.2625 4.28 5.12 4.727 0.4124
""")
"""For each feature of ``harmony.features``."""


def shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as chances that sum to one (softmax)."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float64)
