"""Fits the weights in bridge/measure/models.py on composed songs and prints them with their scores.

Run from the repository: ``python tests/measure/fit_models.py CACHE [SONGS]``; composing takes 3 s a song.
Seeds from 1,000 on are fitted, seeds 0 to 39 are kept apart for the score.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bridge.generate import compose, random_spec
from bridge.measure import harmony, rhythm
from bridge.measure.chroma import ChromaMeter
from bridge.measure.meter import blocks_of
from bridge.measure.models import shares
from bridge.measure.onsets import OnsetMeter

Floats = NDArray[np.float64]
Case = tuple[Floats, NDArray[np.bool_]]
"""Features of all candidates, and which of them are right."""
TEMPO_DECAY, KEY_DECAY = 0.03, 0.12


def heard(seed: int, cache: Path) -> dict[str, NDArray[np.generic]]:
    """Envelopes, chroma and truth of a composed song, from the cache where they are there."""
    path = cache / f"{seed}.npz"
    if not path.exists():
        song = compose(random_spec(seed, duration_s=20.0 + 5 * (seed % 3)))
        mixture = song.mixture
        onsets, chroma = OnsetMeter(mixture.rate_hz, 2), ChromaMeter(mixture.rate_hz, 2)
        for block in blocks_of(mixture.samples):
            onsets.add(block)
            chroma.add(block)
        np.savez(
            path,
            envelopes=onsets.envelopes(),
            step_s=onsets.step_s,
            chroma=chroma.chroma(),
            tempo_bpm=song.truth.tempo_bpm,
            key=song.truth.key,
        )
    with np.load(path) as stored:
        return dict(stored)


def tempo_cases(song: dict[str, NDArray[np.generic]], factors: Sequence[float]) -> list[Case]:
    """The song at several speeds: its envelopes are stretched, so that style does not decide the tempo."""
    return [
        _tempo_case(song["envelopes"], float(song["step_s"]), float(song["tempo_bpm"]), by) for by in factors
    ]


def _tempo_case(envelopes: Floats, step_s: float, tempo_bpm: float, factor: float) -> Case:
    places = np.arange(int(envelopes.shape[1] / factor)) * factor
    stretched = np.stack([np.interp(places, np.arange(len(row)), row) for row in envelopes])
    table = rhythm.autocorrelations(stretched.astype(np.float32), step_s)
    lags, _ = rhythm.candidates(table, step_s)
    right = np.abs(60 / step_s / lags / (tempo_bpm * factor) - 1) < 0.04
    return rhythm.features(table, lags, step_s), right


def key_cases(song: dict[str, NDArray[np.generic]], shares_kept: Sequence[tuple[float, float]]) -> list[Case]:
    """The song and parts of it, so that its last chord, which a fade hides, does not decide alone."""
    chroma = np.asarray(song["chroma"], np.float64)
    right = np.array([_pitch_class(key) == _pitch_class(str(song["key"])) for key in harmony.KEYS])
    count = len(chroma)
    return [
        (harmony.features(chroma[int(low * count) : max(1, int(high * count))]), right)
        for low, high in shares_kept
    ]


def _pitch_class(key: str) -> tuple[int, str]:
    tonic, mode = key.split()
    shift = {"#": 1, "b": -1}.get(tonic[1:], 0)
    return ("C D EF G A B".index(tonic[0]) + shift) % 12, mode


def fitted(cases: list[Case], decay: float) -> Floats:
    """Weights of a softmax over candidates; ``decay`` holds them small, features counted by their spread."""
    spread = np.concatenate([features for features, _ in cases]).std(axis=0) + 1e-3
    usable = [(features / spread, right) for features, right in cases if right.any()]

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, slope = 0.0, np.zeros_like(weights)
        for features, right in usable:
            chances = shares(features @ weights)
            hit = chances * right
            total -= np.log(hit.sum() + 1e-12)
            slope -= (hit / (hit.sum() + 1e-12) - chances) @ features
        count = len(usable)
        return total / count + decay * float(weights @ weights), slope / count + 2 * decay * weights

    return np.asarray(minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x / spread)


def score(cases: list[Case], weights: Floats) -> str:
    """Share of right answers, and that among those with a chance of 0.8 and more."""
    chances = [shares(features @ weights) for features, _ in cases]
    right = np.array([case[1][np.argmax(chance)] for case, chance in zip(cases, chances, strict=True)])
    sure = np.array([chance.max() >= 0.8 for chance in chances])
    precise = right[sure].mean() if sure.any() else float("nan")
    return f"{right.mean():.3f} right, {precise:.3f} of the sure ones ({sure.mean():.2f})"


def printed(name: str, weights: Floats) -> str:
    """The weights as they stand in models.py."""
    numbers = " ".join(f"{weight:.4g}" for weight in weights)
    return f"{name}\n{textwrap.indent(textwrap.fill(numbers, 100), '    ')}"


def main(cache: Path, count: int) -> None:
    """Compose, fit, score, print."""
    cache.mkdir(parents=True, exist_ok=True)
    stretch = np.random.default_rng(5)
    train = [heard(seed, cache) for seed in range(1000, 1000 + count)]
    test = [heard(seed, cache) for seed in range(40)]
    parts = [(0.0, 1.0), (0.0, 0.7), (0.3, 0.9), (0.3, 1.0)]
    jobs: list[tuple[str, float, Callable[..., list[Case]], list[object], object]] = [
        (
            "TEMPO_WEIGHTS",
            TEMPO_DECAY,
            tempo_cases,
            [(1.0, stretch.uniform(0.75, 0.97), stretch.uniform(1.03, 1.33)) for _ in train],
            (1.0,),
        ),
        ("KEY_WEIGHTS", KEY_DECAY, key_cases, [parts for _ in train], parts[:1]),
    ]
    for name, decay, cases_of, variants, plain in jobs:
        known = [
            case for song, variant in zip(train, variants, strict=True) for case in cases_of(song, variant)
        ]
        weights = fitted(known, decay)
        apart = [case for song in test for case in cases_of(song, plain)]
        varied = [case for song in test for case in cases_of(song, variants[0])]
        sys.stdout.write(f"# fitted: {score(known, weights)}\n# apart: {score(apart, weights)}\n")
        sys.stdout.write(f"# apart, varied: {score(varied, weights)}\n{printed(name, weights)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
