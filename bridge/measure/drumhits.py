"""Drum hits: which drums are struck when, told from the levels of bands around each attack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from bridge.audio import open_audio
from bridge.measure.bands import FLOOR_DB, BandMeter, Levels, flux, loud_db
from bridge.measure.meter import feed, heard_channels
from bridge.measure.nets import Look, network, views_of
from bridge.music import Note
from bridge.protocols import Progress, no_progress

KEYS = (36, 38, 42, 46, 45, 47, 50, 49, 51)
"""General MIDI: kick, snare, closed and open hat, low, middle and high tom, crash, ride."""
_BANDS_OF = ((0, 8), (8, 26), (26, 32), (26, 32), (4, 12), (4, 12), (4, 12), (26, 32), (26, 32))
"""The bands that say how hard each drum was struck."""
_SILENT_DB = -80.0
"""A stem whose loudest band stays below this has no hits."""
_GROUPS = 4
_STRONG, _FAINTEST, _LEAST = 1.0, 0.015, 0.05
"""Flux of a strong attack at least; share of it, and flux, below which attacks are not looked at."""
LOOKS: tuple[Look, ...] = ((-4, -3, -2), (0, 1, 2), (5, 6, 7), (12, 13, 14, 15))
"""Steps around an attack at which it is looked at: before it, in it, and 60 and 135 ms later."""
_BODY = (0, 1, 2, 3, 4, 5)
"""Steps in which a drum gets as loud as it gets."""
_LEAD = 8
"""Steps of silence that are put before the first, so that a file may begin with a hit."""
_HIT_S = 0.1
_HARD = 112
"""Velocity of a drum's loud hits."""
_DB_PER_TENFOLD = 34.0
"""A hit of ten times the velocity is this much louder."""

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Steps = NDArray[np.intp]


def hits_of_drums(stem: Path, progress: Progress = no_progress) -> tuple[Note, ...]:
    """The hits of a drum stem as notes of General MIDI keys, in order of their start.

    Told apart are the keys of ``KEYS``. Claps and rim shots count as snares, shakers and tambourines as
    closed hats. A hit has no length of its own: each lasts 0.1 s. Velocities follow the level of the drum's
    bands against its loud hits. Silence has no hits. Raises AudioError where the file cannot be decoded.
    """
    with open_audio(stem) as reader:
        meter = BandMeter(reader.info.rate_hz, heard_channels(reader))
        feed(reader, meter, progress=progress)
    return hits_from(meter.levels(), meter.step_s)


def hits_from(levels: Levels, step_s: float) -> tuple[Note, ...]:
    """The hits in levels of shape ``(steps, bands)``."""
    led = np.concatenate([np.full((_LEAD, levels.shape[1]), FLOOR_DB, levels.dtype), levels])
    steps = attacks(led)
    if not len(steps):
        return ()
    views = views_of(led, steps, LOOKS, loud_db(led))
    struck = network("drums").chances(views) > 0.5
    velocities = _velocities(led, steps, struck)
    return tuple(
        Note(
            start_s=start_s, end_s=start_s + _HIT_S, pitch=KEYS[drum], velocity=int(velocities[attack, drum])
        )
        for attack, drum in np.argwhere(struck)
        for start_s in (max(0.0, float((steps[attack] - _LEAD) * step_s)),)
    )


def attacks(levels: Levels) -> Steps:
    """Steps at which any group of bands gets louder: local maxima of their spectral flux."""
    if not len(levels) or levels.max() < _SILENT_DB:
        return np.zeros(0, np.intp)
    rises = flux(levels, _GROUPS)
    shares = rises / np.maximum(np.quantile(rises, 0.99, axis=0), _STRONG)
    is_peak = (rises >= maximum_filter1d(rises, 5, axis=0)) & (rises > _LEAST) & (shares > _FAINTEST)
    best = np.where(is_peak, shares, 0).max(axis=1)
    return np.flatnonzero((best > 0) & (best >= maximum_filter1d(best, 7)))


def _velocities(levels: Levels, steps: Steps, struck: Flags) -> NDArray[np.int64]:
    """MIDI velocities of the hits from how loud the drum's bands get against its loud hits."""
    places = np.clip(steps[:, None] + np.array(_BODY), 0, len(levels) - 1)
    peaks_db = levels[places].max(axis=1).astype(np.float32)
    velocities = np.ones(struck.shape, np.int64)
    for drum, (low, high) in enumerate(_BANDS_OF):
        drum_db = peaks_db[:, low:high].mean(axis=1)
        if struck[:, drum].any():
            under_db = drum_db - np.quantile(drum_db[struck[:, drum]], 0.9)
            velocities[:, drum] = np.clip(np.rint(_HARD * 10 ** (under_db / _DB_PER_TENFOLD)), 1, 127)
    return velocities
