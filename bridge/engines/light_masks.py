"""From cues to masks: evidence for each role is weighed, added up, and turned into shares that sum to one.

The weights are a table, ``light_weights.json``: for each role how much of the amplitude is expected at each
frequency (the prior), and how far each cue speaks for or against it, interpolated over octaves between
knots. A song without width has no cue of place and its own table, as that cue's silence is itself no
evidence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.engines.light_cues import CUES
from bridge.errors import EngineError
from bridge.values import FOUR_STEMS

Array = NDArray[np.float32]

VOICE_TOP_HZ = 20_000.0
"""Above this nothing is given to voice and bass; drums and other share the band."""
_NEVER = (-60.0, 0.0, -60.0, 0.0)
"""What that adds to the evidence for each role of ``FOUR_STEMS``."""


@dataclass(frozen=True)
class Evidence:
    """How cues speak for roles, in the bands of one grid."""

    prior: Array
    """Shape (roles, bands)."""
    cues: Array
    """Shape (cues, roles, bands)."""

    def masks(self, cues: Array) -> Array:
        """Amplitude shares of shape (roles, frames, bands), summing to one, from cues (cues, frames,
        bands)."""
        scores = np.repeat(self.prior[:, None, :], cues.shape[1], axis=1)
        term = np.empty(cues.shape[1:], np.float32)
        for cue, weights in zip(cues, self.cues, strict=True):
            for score, weight in zip(scores, weights, strict=True):
                if weight.any():
                    score += np.multiply(cue, weight, out=term)
        return _shares(scores)


def evidence(centres_hz: Array, *, is_wide: bool) -> Evidence:
    """The shipped table for bands with these centres; ``is_wide``: whether the song has two unlike
    channels."""
    table = _table()
    return from_table(table["wide" if is_wide else "narrow"], table["prior_hz"], table["cue_hz"], centres_hz)


def from_table(
    roles: dict[str, Any], prior_hz: list[float], cue_hz: list[float], centres_hz: Array
) -> Evidence:
    """Evidence from a table of knots: role -> prior and cues -> a value for each knot."""
    prior = np.stack([over_bands(roles[role]["prior"], prior_hz, centres_hz) for role in FOUR_STEMS])
    prior[:, centres_hz > VOICE_TOP_HZ] += np.array(_NEVER, np.float32)[:, None]
    cues = [
        np.stack([over_bands(roles[role]["cues"].get(cue, 0.0), cue_hz, centres_hz) for role in FOUR_STEMS])
        for cue in CUES
    ]
    return Evidence(prior=prior, cues=np.stack(cues))


def over_bands(values: list[float] | float, knots_hz: list[float], centres_hz: Array) -> Array:
    """Values at the knots, interpolated over log frequency and held beyond the ends; one value holds for
    all."""
    if isinstance(values, int | float):
        return np.full(centres_hz.shape, values, np.float32)
    return np.interp(np.log2(np.maximum(centres_hz, 1)), np.log2(knots_hz), values).astype(np.float32)


def _table() -> dict[str, Any]:
    try:
        text = (resources.files("bridge.engines") / "light_weights.json").read_text("utf-8")
        return dict(json.loads(text))
    except (OSError, ValueError) as cause:
        raise EngineError(
            f"light_weights.json of the light separator cannot be read ({cause}); it comes with the package. "
            "Reinstall stembridge."
        ) from cause


def _shares(scores: Array) -> Array:
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    return scores
