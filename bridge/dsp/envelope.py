"""How loud the band above a cut-off would have been: told from the band below by a small network.

Its numbers are ``envelope_weights.json``, fitted by ``tests/dsp/fit_envelope.py`` on composed sound alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from bridge.errors import EngineError
from bridge.measure.cutoff import FLOOR_DB, Levels

BAND_HZ = 500.0
"""Width of the bands above the cut-off whose level is told."""
AROUND = 2
"""Windows before and after one that are looked at with it."""
NOTHING_DB = -200.0
_BORDERS = (0.97, 0.88, 0.78, 0.68, 0.57, 0.46, 0.35, 0.24, 0.14)
"""Of the bands below, in shares of the cut-off."""
_NAMES = ("hidden", "hidden_bias", "output", "output_bias")

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class EnvelopeNetwork:
    """One layer of rectifiers: views of the band below in, levels over its top band out, in 10 dB."""

    hidden: Floats
    """Shape ``(views + places, hidden)``."""
    hidden_bias: Floats
    output: Floats
    """Shape ``(hidden, 1)``."""
    output_bias: Floats

    def __call__(self, views: Floats, places: Floats) -> Floats:
        """A number for each row of ``views`` and each place, shape ``(rows, places)``."""
        count = views.shape[1]
        seen = views @ self.hidden[:count] + self.hidden_bias
        raised = np.maximum(0, seen[:, None] + places @ self.hidden[count:])
        return np.asarray(raised @ self.output[:, 0] + self.output_bias, np.float32)


@cache
def network() -> EnvelopeNetwork:
    """The network that comes with the package. Raises EngineError where its numbers cannot be read."""
    try:
        table = json.loads((resources.files("bridge.dsp") / "envelope_weights.json").read_text("utf-8"))
        return EnvelopeNetwork(**{name: np.array(table[name], np.float32) for name in _NAMES})
    except (OSError, ValueError, TypeError, KeyError) as cause:
        raise EngineError(
            f"envelope_weights.json, by which treble is made, cannot be read ({cause}); it comes with the "
            "package. Reinstall stembridge."
        ) from cause


@dataclass(frozen=True, kw_only=True)
class Bands:
    """The bands below and above a cut-off, as bins."""

    cutoff_hz: float
    top_hz: float
    rate_hz: int
    size: int

    @property
    def below(self) -> NDArray[np.intp]:
        """Borders of the bands below, falling."""
        return np.round(np.array(_BORDERS) * self.cutoff_hz * self.size / self.rate_hz).astype(int)

    @property
    def centres_hz(self) -> Floats:
        """Centres of the bands above."""
        count = max(1, round((self.top_hz - self.cutoff_hz) / BAND_HZ))
        return np.asarray(self.cutoff_hz + BAND_HZ * (np.arange(count) + 0.5), np.float32)

    def levels_below(self, levels: Levels) -> Levels:
        """Mean levels in dB of the bands below; the last axis of ``levels`` is bins."""
        edges = self.below
        parts = [levels[..., low:high].mean(axis=-1) for high, low in pairwise(edges)]
        return np.stack(parts, axis=-1)


def views_below(levels: Levels, bands: Bands, mean_below: Levels) -> tuple[Levels, Floats]:
    """The level of the top band below the cut-off, and what the network sees of every window.

    ``levels`` has shape ``(channels, windows, bins)``, ``mean_below`` the long-term levels of the bands
    below, ``(channels, bands)``. Views have shape ``(channels, windows, views)``: the level of the top band,
    the other bands against it, all of them averaged over ``AROUND`` and over the song, and how far single
    bins stand out (tones or noise).
    """
    now = bands.levels_below(levels)
    top = now[:, :, :1]
    around = uniform_filter1d(now, 2 * AROUND + 1, axis=1, mode="nearest")
    long = np.broadcast_to(mean_below[:, None, :], now.shape)
    edges = bands.below
    spread = [
        levels[:, :, low:high].std(axis=2) for high, low in ((edges[0], edges[1]), (edges[1], edges[3]))
    ]
    views = [
        (top + 75) / 15,
        (now[:, :, 1:] - top) / 15,
        (around - top) / 15,
        (long - top) / 15,
        (np.stack(spread, axis=2) - 6) / 3,
    ]
    return top[:, :, 0], np.concatenate(views, axis=2).astype(np.float32)


def views_of_place(centre_hz: float, cutoff_hz: float) -> Floats:
    """What the network is told of a band above: where it lies, and where the cut-off does."""
    return np.log2([centre_hz / cutoff_hz, centre_hz / 10_000, cutoff_hz / 10_000]).astype(np.float32)


def levels_above(levels: Levels, bands: Bands, mean_below: Levels) -> Levels:
    """The level of single bins in every band above, shape ``(channels, windows, bands)``; -200 where the top
    band below is silent."""
    top, views = views_below(levels, bands, mean_below)
    places = np.array([views_of_place(centre, bands.cutoff_hz) for centre in bands.centres_hz])
    over = network()(views.reshape(-1, views.shape[-1]), places).reshape(*top.shape, -1)
    made = top[:, :, None] + 10 * over
    made[top <= FLOOR_DB + 2] = NOTHING_DB
    return np.asarray(made, np.float32)
