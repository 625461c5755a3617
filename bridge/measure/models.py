"""Weights of small linear models: for tempo, key, bars and chords the candidate with the largest sum wins.

Fitted on composed songs by ``tests/measure/fit_models.py`` (tempo, key) and ``fit_music.py`` (the others),
which print the blocks of numbers anew.
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
"""For each feature of ``bars.features``."""

CHORD_WEIGHTS = _numbers("""
    4.55 1.075 2.807 1.765 0.2144 -1.063 -1.223 -0.3563 -1.919 -4.723 -1.023 0.6255 -0.7284 9.697 12.4
    13.08 15.17 16.71 -3.236 -10.79 -13.29 -13.89 -2.138 -8.159 -1.622 -13.93
""")
"""For each of ``chords.PLACES``, in the bass and then above it."""

CHORD_BIASES = _numbers("""
    4.303 5.548 -4.772 -3.259 -3.58 1.759 1.759 1.759
""")
"""For each of ``chords.QUALITIES``: how usual it is."""

SECTION_WEIGHTS = _numbers("""
    -0.3295 -0.2979 0.1369 -0.002731 0.136 0.07916 0.2034 0.06559 0.7197 3.971 0.9411 -2.284 1.715 1.861
    1.684 0.2288 -0.3643 0.5662 -0.2631 -0.5313 -6.54 -8.555 -0.5131 2.473 -1.57 -1.43 0.07315 -0.5505
    -0.08636 -0.1512 0.1025 -0.0076 -0.1147 0.1534 0.3263 -0.08369 0.6405 0.8783 0.7962 0.00111 -0.555
    0.1298 -0.01601 -0.2697 0.02883 -0.2218 -0.1084 0.4978 0.2165 -0.4964 -0.8699 -2.254 0.5892 0.6125
    -0.1674 1.037 0.4913 -0.2349 0.6787 -0.5203 0.5989 1.072 1.196 -0.2249 0.2696 0.1321 0.2124 -0.4209
    -0.08943 -0.5652 -0.3516 0.6237 -0.5357 -0.3161 0.5808 -0.2007 0.9867 -0.6439 -2.864
""")
"""For each feature of ``form.features``; the sum is the log of the odds that a section begins."""


def shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as chances that sum to one (softmax)."""
    raised = np.exp(scores - scores.max())
    return np.asarray(raised / raised.sum(), np.float64)
