"""Fits the weights in bridge/measure/models.py on composed songs and prints them with their scores.

Run from the repository: ``python tests/measure/fit_models.py CACHE [SONGS]``; composing takes 3 s a song.
Seeds from 1,000 on are fitted, seeds 0 to 39 are kept apart for the score.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from grooves import GROOVES, played, varied
from numpy.typing import NDArray
from scipy.optimize import minimize

from bridge.audio import Samples
from bridge.generate import compose, random_spec
from bridge.measure import harmony, rhythm
from bridge.measure.chroma import ChromaMeter
from bridge.measure.meter import blocks_of
from bridge.measure.models import shares
from bridge.measure.onsets import OnsetMeter
from bridge.values import Role

Floats = NDArray[np.float64]
Song = dict[str, NDArray[np.generic]]
Case = tuple[Floats, NDArray[np.bool_]]
"""Features of all candidates, and which of them are right."""
TEMPO_DECAY, KEY_DECAY = 0.03, 0.12


def heard(seed: int, cache: Path) -> Song:
    """Envelopes, chroma and truth of a composed song, from the cache where they are there."""
    path = cache / f"{seed}.npz"
    if not path.exists():
        song = compose(random_spec(seed, duration_s=20.0 + 5 * (seed % 3)))
        rate_hz, mixture = song.truth.rate_hz, song.mixture.samples
        drums = song.stem(Role.DRUMS).samples
        np.savez(
            path,
            envelopes=_envelopes(mixture, rate_hz),
            drums=_envelopes(drums, rate_hz),
            rhythm_section=_envelopes(drums + song.stem(Role.BASS).samples, rate_hz),
            without_drums=_envelopes(mixture - drums, rate_hz),
            step_s=OnsetMeter(rate_hz, 2).step_s,
            chroma=_chroma(mixture, rate_hz),
            tempo_bpm=song.truth.tempo_bpm,
            key=song.truth.key,
        )
    with np.load(path) as stored:
        return dict(stored)


def _envelopes(samples: Samples, rate_hz: int) -> NDArray[np.float32]:
    meter = OnsetMeter(rate_hz, len(samples))
    for block in blocks_of(samples):
        meter.add(block)
    return meter.envelopes()


def _chroma(samples: Samples, rate_hz: int) -> Floats:
    meter = ChromaMeter(rate_hz, len(samples))
    for block in blocks_of(samples):
        meter.add(block)
    return meter.chroma()


def drummed(seed: int) -> Song:
    """A drum pattern alone, with a tempo that is usual for it."""
    draw = np.random.default_rng(seed)
    name = tuple(GROOVES)[seed % len(GROOVES)]
    (slowest, fastest), lines = GROOVES[name]
    tempo_bpm = float(draw.uniform(slowest, fastest))
    sound = played(varied(lines, draw), tempo_bpm, 10, kit=int(draw.integers(1000)))
    envelopes = _envelopes(sound.samples, sound.rate_hz)
    step_s = OnsetMeter(sound.rate_hz, 1).step_s
    return {"drums": envelopes, "step_s": np.array(step_s), "tempo_bpm": np.array(tempo_bpm)}


def tempo_cases(song: Song, factors: Sequence[float]) -> list[Case]:
    """The song and parts of it at several speeds: envelopes are stretched, so that style does not decide."""
    views = [song[view] for view in ("envelopes", "drums", "rhythm_section", "without_drums") if view in song]
    step_s, tempo_bpm = float(song["step_s"]), float(song["tempo_bpm"])
    return [_tempo_case(view, step_s, tempo_bpm, by) for view in views if view.any() for by in factors]


def _tempo_case(envelopes: Floats, step_s: float, tempo_bpm: float, factor: float) -> Case:
    places = np.arange(int(envelopes.shape[1] / factor)) * factor
    stretched = np.stack([np.interp(places, np.arange(len(row)), row) for row in envelopes])
    table = rhythm.autocorrelations(stretched.astype(np.float32), step_s)
    lags, _ = rhythm.candidates(table, step_s)
    right = np.abs(60 / step_s / lags / (tempo_bpm * factor) - 1) < 0.04
    return rhythm.features(table, lags, step_s), right


def key_cases(song: Song, shares_kept: Sequence[tuple[float, float]]) -> list[Case]:
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
    train = [heard(seed, cache) for seed in range(1000, 1000 + count)]
    test = [heard(seed, cache) for seed in range(40)]
    report_tempo(train, test)
    report_key(train, test)


def report_tempo(train: list[Song], test: list[Song]) -> None:
    """Songs at three speeds, and drum patterns at their own."""
    draw = np.random.default_rng(5)
    known = [
        case
        for song in train
        for case in tempo_cases(song, (1.0, draw.uniform(0.8, 0.97), draw.uniform(1.03, 1.25)))
    ]
    known += [case for seed in range(1000, 1400) for case in tempo_cases(drummed(seed), (1.0,))]
    weights = fitted(known, TEMPO_DECAY)
    whole = [{name: song[name] for name in ("envelopes", "step_s", "tempo_bpm")} for song in test]
    drums = [drummed(seed) for seed in range(200)]
    report(
        "TEMPO_WEIGHTS",
        weights,
        {
            "fitted": known,
            "songs apart": [case for song in whole for case in tempo_cases(song, (1.0,))],
            "and parts of them": [case for song in test for case in tempo_cases(song, (1.0,))],
            "patterns apart": [case for song in drums for case in tempo_cases(song, (1.0,))],
        },
    )


def report_key(train: list[Song], test: list[Song]) -> None:
    """Songs, whole and cut."""
    parts = [(0.0, 1.0), (0.0, 0.7), (0.3, 0.9), (0.3, 1.0)]
    known = [case for song in train for case in key_cases(song, parts)]
    report(
        "KEY_WEIGHTS",
        fitted(known, KEY_DECAY),
        {
            "fitted": known,
            "songs apart": [case for song in test for case in key_cases(song, parts[:1])],
            "and parts of them": [case for song in test for case in key_cases(song, parts)],
        },
    )


def report(name: str, weights: Floats, cases: dict[str, list[Case]]) -> None:
    """Scores, then the numbers."""
    for title, some in cases.items():
        sys.stdout.write(f"# {title}: {score(some, weights)}\n")
    sys.stdout.write(f"{printed(name, weights)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
