"""Fits the evidence table of the light separator, ``bridge/engines/light_weights.json``, to composed songs.

    python tests/engines/fit_light.py [--songs 120] [--out FILE]

About four minutes on two cores. Every song is composed from its seed (1000 and on: tests use other seeds),
every second one is varied in colour, place and balance, since real mixes vary more. The table is a softmax
over cues whose loss is the squared error of the separated amplitude against the mask that is best for it,
relative to the power of each stem. Nothing but composed songs goes in.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.engines.light_cues import CUES, STEREO_CUES, cues
from bridge.engines.light_grid import Grid
from bridge.engines.light_masks import over_bands
from bridge.engines.light_parts import Part, powers_of
from bridge.generate.composer import compose
from bridge.generate.suggest import random_spec
from bridge.values import FOUR_STEMS

Array = NDArray[np.float32]
PRIOR_HZ = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800)
CUE_HZ = (70, 300, 1_200, 5_000)
RATE_HZ = 44_100
FIRST_SEED = 1_000
PICKED = 12_000
"""Bands of frames that are taken from a song."""
SIDE_GAIN = (0.28, 0.18, 0.14, 0.5)
PAN = (0.04, 0.04, 0.02, 0.1)


@dataclass(frozen=True)
class Sample:
    """Picked bands: cues (n, cues), frequency (n), best masks (n, roles), weights (n, roles)."""

    cues: Array
    hz: Array
    best: Array
    weight: Array


def varied(stems: Array, chance: np.random.Generator) -> Array:
    """The stems with other colours, widths, places and levels."""
    return np.stack([_varied(stem, role, chance) for role, stem in enumerate(stems)]).astype(np.float32)


def _varied(stem: Array, role: int, chance: np.random.Generator) -> NDArray[np.float64]:
    length = stem.shape[1]
    colour = _colour(np.fft.rfftfreq(length, 1 / RATE_HZ), chance)
    stem = np.fft.irfft(np.fft.rfft(stem) * colour, length).astype(np.float32)
    if FOUR_STEMS[role] == "bass" and chance.random() < 0.4:
        drive = chance.uniform(1, 8) / (np.abs(stem).max() + 1e-9)
        stem = np.tanh(drive * stem) / drive
    middle, side = (stem[0] + stem[1]) / 2, (stem[0] - stem[1]) / 2
    late = np.roll(middle, int(chance.uniform(0.005, 0.025) * RATE_HZ))
    side = side * chance.uniform(0.4, 1.3) + chance.uniform(0, SIDE_GAIN[role]) * chance.random() * late
    pan = chance.normal(0, PAN[role])
    out = np.stack([(middle + side) * (1 + pan), (middle - side) * (1 - pan)])
    level = np.sqrt(np.mean(np.square(out))) + 1e-9
    before = np.sqrt(np.mean(np.square(stem)))
    return np.asarray(out * (before / level * 10 ** (chance.normal(0, 3) / 20)))


def _colour(hz: NDArray[np.floating], chance: np.random.Generator) -> NDArray[np.float64]:
    octave = np.log2(np.maximum(hz, 20) / 20)
    gain_db = np.zeros_like(octave)
    for _ in range(3):
        width, centre = chance.uniform(0.5, 2), chance.uniform(0, 10)
        gain_db += chance.normal(0, 6) * np.exp(-0.5 * ((octave - centre) / width) ** 2)
    return np.asarray(10 ** (gain_db / 20))


def sample_song(seed: int) -> tuple[Sample, Sample]:
    """Compose one song and pick bands of it, louder ones more often: as stereo, and mixed to mono."""
    chance = np.random.default_rng(seed)
    song = compose(random_spec(seed, duration_s=16.0), rate_hz=RATE_HZ)
    stems = np.stack([song.stem(role).samples for role in FOUR_STEMS])
    start = int(chance.integers(0, 5 * RATE_HZ))
    stems = stems[:, :, start : start + 10 * RATE_HZ]
    if seed % 2:
        stems = varied(stems, chance)
    return _picked(stems, chance), _picked(stems.mean(axis=1, keepdims=True), chance)


def _picked(stems: Array, chance: np.random.Generator) -> Sample:
    grid = Grid(RATE_HZ)
    frames = grid.frames_of(stems.shape[2])
    after = (frames - 1) * grid.hop + grid.size - grid.lead - stems.shape[2]
    padded = np.pad(stems, ((0, 0), (0, 0), (grid.lead, after)))
    scale = np.float32(1 / np.abs(padded.sum(axis=0)).max())
    mixture = grid.analyse(padded.sum(axis=0) * scale)
    found = cues(powers_of(mixture, Part(0, frames, frames), grid))
    power = grid.pool((np.abs(mixture) ** 2).sum(axis=0))
    best = [
        np.clip(
            grid.pool((grid.analyse(s * scale) * mixture.conj()).real.sum(axis=0)) / (power + 1e-9), -0.5, 1.5
        )
        for s in padded
    ]
    energy = (power * np.concatenate([np.full(count, width) for _, count, width in grid.regions])).ravel()
    odds = np.sqrt(energy) / np.sqrt(energy).sum()
    pick = chance.choice(len(odds), PICKED, p=odds)
    per_role = np.sum(np.square(stems), axis=(1, 2), dtype=np.float64)
    per_role = np.maximum(per_role, 0.08 * per_role.sum())  # a role that is silent must not outweigh the rest
    weight = (energy[pick] / odds[pick])[:, None] / per_role
    return Sample(
        cues=found.reshape(len(CUES), -1).T[pick],
        hz=np.broadcast_to(grid.centres_hz, power.shape).ravel()[pick],
        best=np.stack(best).reshape(len(FOUR_STEMS), -1).T[pick].astype(np.float32),
        weight=(weight / weight.mean()).astype(np.float32),
    )


def fit(samples: list[Sample], steps: int = 4_000, seed: int = 0) -> NDArray[np.float64]:
    """Weights (features, roles) by Adam on random batches."""
    x = features(np.concatenate([s.cues for s in samples]), np.concatenate([s.hz for s in samples]))
    best = np.concatenate([s.best for s in samples])
    weight = np.concatenate([s.weight for s in samples])
    chance = np.random.default_rng(seed)
    table = np.zeros((x.shape[1], len(FOUR_STEMS)))
    first, second = np.zeros_like(table), np.zeros_like(table)
    for step in range(1, steps + 1):
        pick = chance.integers(0, len(x), 4_096)
        gradient = _gradient(table, x[pick], best[pick], weight[pick]) + 1e-5 * table
        first += 0.1 * (gradient - first)
        second += 0.01 * (gradient**2 - second)
        rate = 0.01 * (1 - step / steps) + 1e-4
        table -= rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.99**step)) + 1e-7)
    return np.asarray(table - table.mean(axis=1, keepdims=True))


def _gradient(table: NDArray[np.float64], x: Array, best: Array, weight: Array) -> NDArray[np.float64]:
    scores = x @ table
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    error = weight * (shares - best)
    return np.asarray(x.T @ (shares * (error - (error * shares).sum(axis=1, keepdims=True))) / len(x))


def features(found: Array, hz: Array) -> Array:
    """Every cue times every knot of its weights, then the knots of the prior."""
    near, prior = _hats(CUE_HZ, hz), _hats(PRIOR_HZ, hz)
    return np.concatenate([(found[:, :, None] * near[:, None, :]).reshape(len(found), -1), prior], axis=1)


def _hats(knots_hz: tuple[int, ...], hz: Array) -> Array:
    return np.stack([over_bands(list(row), list(knots_hz), hz) for row in np.eye(len(knots_hz))], axis=1)


def as_table(weights: NDArray[np.float64], used: list[str]) -> dict[str, object]:
    """The weights by role and name, for light_weights.json."""
    knots = len(CUE_HZ)
    roles: dict[str, object] = {}
    for column, role in enumerate(FOUR_STEMS):
        rows = np.round(weights[:, column], 3).tolist()
        by_cue = {cue: rows[i * knots : (i + 1) * knots] for i, cue in enumerate(CUES)}
        roles[role.value] = {
            "prior": rows[len(CUES) * knots :],
            "cues": {cue: row for cue, row in by_cue.items() if cue in used},
        }
    return roles


def fitted(samples: list[Sample], unused: frozenset[str] = frozenset()) -> dict[str, object]:
    """One table, without the cues that it cannot use."""
    silenced = [replace(s, cues=s.cues * [cue not in unused for cue in CUES]) for s in samples]
    return as_table(fit(silenced), [cue for cue in CUES if cue not in unused])


def main() -> None:
    """Fit both tables and write them."""
    shipped = Path(__file__).parents[2] / "bridge" / "engines" / "light_weights.json"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=120)
    parser.add_argument("--out", type=Path, default=shipped)
    options = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        pairs = list(pool.map(sample_song, range(FIRST_SEED, FIRST_SEED + options.songs)))
    table = {
        "prior_hz": PRIOR_HZ,
        "cue_hz": CUE_HZ,
        "wide": fitted([wide for wide, _ in pairs]),
        "narrow": fitted([narrow for _, narrow in pairs], STEREO_CUES),
    }
    options.out.write_text(_compact(table), "utf-8")


def _compact(table: Mapping[str, object]) -> str:
    """JSON with one list a line."""
    text = json.dumps(table, indent=1)
    out, is_inside = [], False
    for line in text.splitlines():
        bare = line.strip() if is_inside else line
        is_inside = (is_inside or line.endswith("[")) and not line.strip().startswith("]")
        out.append(bare + ("" if is_inside else "\n"))
    return "".join(out)


if __name__ == "__main__":
    main()
