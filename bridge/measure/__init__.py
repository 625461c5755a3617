"""What audio is like: audio in, frozen values out."""

from bridge.measure.loudness import (
    LOUDNESS_FLOOR_LUFS,
    Loudness,
    LoudnessCurve,
    LoudnessMeter,
    loudness_of,
    measure_loudness,
)
from bridge.measure.meter import (
    PEAK_FLOOR_DBFS,
    Meter,
    feed,
    heard_channels,
    measure_audio,
    measure_file,
)
from bridge.measure.truepeak import TruePeakMeter

__all__ = [
    "LOUDNESS_FLOOR_LUFS",
    "PEAK_FLOOR_DBFS",
    "Loudness",
    "LoudnessCurve",
    "LoudnessMeter",
    "Meter",
    "TruePeakMeter",
    "feed",
    "heard_channels",
    "loudness_of",
    "measure_audio",
    "measure_file",
    "measure_loudness",
]
