"""What separators share: songs hold numbers alone, and digital silence is digital silence in the stems."""

from __future__ import annotations

import numpy as np
import scipy.ndimage

from bridge.audio import AudioReader, Samples
from bridge.errors import EngineError

QUIET_FRAMES = 256
"""Samples of digital silence on either side after which a stem is silent too."""


def fetch(reader: AudioReader, frames: int, start: int, count: int) -> Samples:
    """Samples from ``start`` on, zeros beyond both ends of a song of so many ``frames``."""
    out = np.zeros((reader.info.channels, count), np.float32)
    begin, end = max(0, start), min(start + count, frames)
    if end > begin:
        reader.seek(begin)
        out[:, begin - start : end - start] = reader.read(end - begin)
    return out


def hush(stems: list[Samples], around: Samples) -> None:
    """Where the source is digitally silent, so are the stems: no pre-echo of what follows.

    ``around`` is the source with ``QUIET_FRAMES`` more on either side than the stems.
    """
    level = np.abs(around).max(axis=0)
    if level.all():
        return
    near = scipy.ndimage.maximum_filter1d(level, 2 * QUIET_FRAMES + 1)[QUIET_FRAMES:-QUIET_FRAMES]
    for stem in stems:
        stem[:, near == 0] = 0


def expect_finite(block: Samples, start: int, name: str) -> None:
    """EngineError where a block, from frame ``start`` on, holds NaN or infinity."""
    if not np.isfinite(block).all():
        where = start + int(np.argmin(np.isfinite(block).all(axis=0)))
        raise EngineError(
            f"{name} holds a value that is no number (NaN or infinity) at frame {where}; "
            "wanted finite samples. Export the song again, or repair it before separation."
        )
