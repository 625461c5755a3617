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


BAR_WEIGHTS = _numbers("""
    0.3923 0.4447 -0.04238 0.1934 0.2302 -0.106 0.3902 -0.1346 0.7236 0.6347 -2.066 0.3813 0.2566
    -0.8781 1.31 1.492 0.9302 1.257 -0.6476 0.3083 0.2279 0.04915 0.6962 0.9684 0.535 -0.1373 -0.869
    0.3766 -0.3787 -0.3601 1.403 1.85 0.009919 -1.276 -1.172 -0.04338 -0.3021 -0.3479 -0.87 -0.3984
    1.859 0.04889 -0.8906 -0.7376 0.685 1.965
""")
CHORD_WEIGHTS = _numbers("""
    1.949 -0.4062 2.815 -1.215 -3.143 0.2574 4.079 5.725 7.055 -17.12
""")
CHORD_BIASES = _numbers("""
    5.812 6.303 -3.764 -3.932 -3.079 -1.341 -1.341 -1.341
""")
SECTION_WEIGHTS = _numbers("""
    -0.3075 -0.4401 0.1982 0.07441 0.5386 0.1483 0.2311 12.72 -1.866 -15.45 0.7269 8.822 -0.9661 -1.355
    0.4669 -0.2497 0.1039 0.4237 -1.092 0.315 0.374 -0.2221 -0.03179 0.4975 0.7456 -0.3783 -3.994 1.219
    0.8521 3.505 0.804 -0.1945 0.7631 -0.5198 -0.1339 0.6987 -0.6625 -0.2554 0.7785 -0.4404 1.324
    -0.7858 -1.089
""")


def shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as chances that sum to one (softmax)."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float64)
