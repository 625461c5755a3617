"""Sliding medians of float arrays by merging sorted runs, many times faster than sorting each window.

A run of ``2 k`` neighbours in order is two ordered runs of ``k``, merged once for all positions, so the work
for a window of ``n`` values grows with ``log(n) ** 2`` and each step is one vectorised minimum or maximum.
Source of the merge: K. E. Batcher, "Sorting networks and their applications", AFIPS 1968.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def sliding_median(values: Array, window: int, axis: int = 0) -> Array:
    """The median of every ``window`` neighbours along ``axis``; the result is ``window - 1`` shorter there.

    ``window`` is 2^p + 1 with p >= 1 (3, 5, 9, 17, 33, ...), and no longer than the axis.
    """
    half = (window - 1) // 2
    if half < 1 or half & (half - 1) or 2 * half + 1 != window or values.shape[axis] < window:
        raise ValueError(
            f"window is {window} of {values.shape[axis]}; wanted 2^p + 1 (3, 5, 9, 17 ...) that fits."
        )
    along = np.moveaxis(values, axis, 0)
    runs = _ordered_runs(along, half)
    count = along.shape[0] - window + 1
    low, high = _middle_pair([r[:count] for r in runs], [r[half : half + count] for r in runs])
    last = along[window - 1 : window - 1 + count]
    return np.moveaxis(np.minimum(high, np.maximum(low, last)), 0, axis)


def _ordered_runs(values: Array, length: int) -> list[Array]:
    """For every position the next ``length`` values in rising order."""
    runs, size = [values], 1
    while size < length:
        count = values.shape[0] - 2 * size + 1
        runs = _merge([r[:count] for r in runs], [r[size : size + count] for r in runs])
        size *= 2
    return runs


def _merge(a: list[Array], b: list[Array]) -> list[Array]:
    if len(a) == 1:
        return [np.minimum(a[0], b[0]), np.maximum(a[0], b[0])]
    even, odd = _merge(a[::2], b[::2]), _merge(a[1::2], b[1::2])
    inner = [op(x, y) for x, y in zip(odd[:-1], even[1:], strict=True) for op in (np.minimum, np.maximum)]
    return [even[0], *inner, odd[-1]]


def _middle_pair(a: list[Array], b: list[Array]) -> tuple[Array, Array]:
    """The two middle values of two ordered runs of one length."""
    low, high = np.minimum(a[0], b[-1]), np.maximum(a[0], b[-1])
    for x, y in zip(a[1:], b[-2::-1], strict=True):
        np.maximum(low, np.minimum(x, y), out=low)
        np.minimum(high, np.maximum(x, y), out=high)
    return low, high
