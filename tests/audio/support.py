"""What the tests of audio files share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_HZ = 44_100
FRAMES = 100_003
MOST_FRAMES_A_BYTE = 16
"""Of any codec that a header can name; a damaged one must not make a small file a large one."""
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"
CODED = {
    # name: encoder, packing, rate, greatest level of the difference against the original in dB
    "lame.mp3": ("libmp3lame", "fltp", 44_100, -18),
    "lame48.mp3": ("libmp3lame", "fltp", 48_000, -18),
    "aac.m4a": ("aac", "fltp", 44_100, -18),
    "aac.mp4": ("aac", "fltp", 48_000, -18),
    "alac16.m4a": ("alac", "s16p", 44_100, -85),
    "alac24.m4a": ("alac", "s32p", 44_100, -130),
    "opus.opus": ("libopus", "flt", 48_000, -10),
    "opus.webm": ("libopus", "flt", 48_000, -10),
    "opus.ogg": ("libopus", "flt", 48_000, -10),
    "flac16.flac": ("flac", "s16", 44_100, -85),
    "flac24.flac": ("flac", "s32", 44_100, -130),
}


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(max(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), 1e-12))
