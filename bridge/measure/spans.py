"""Means over spans of time, such as beats and bars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def means_between(rows: NDArray[np.floating], step_s: float, edges_s: Floats) -> Floats:
    """Mean of the rows between each edge and the next: a row for each span.

    Row k is heard around ``(k + 1) * step_s``, as with frames that overlap by half. A span without a row
    takes the nearest one.
    """
    sums = np.concatenate([np.zeros((1, *rows.shape[1:])), np.cumsum(rows, axis=0, dtype=np.float64)])
    places = np.clip(np.ceil(edges_s / step_s - 1), 0, len(rows)).astype(np.int64)
    starts = np.minimum(places[:-1], len(rows) - 1)
    ends = np.maximum(places[1:], starts + 1)
    counts = (ends - starts).reshape(-1, *([1] * (rows.ndim - 1)))
    return np.asarray((sums[ends] - sums[starts]) / counts, np.float64)
