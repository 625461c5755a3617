"""Fits bridge/measure/drum_weights.json on composed songs and writes it, with scores on songs kept apart.

Run from the repository: ``python tests/measure/fit_drums.py CACHE [SONGS]``; a song takes 5 s the first time,
fitting some minutes. Seeds from 5,000 on are fitted, the last quarter of them kept apart; judge_notes.py uses
seeds 0 to 199. Besides the true stems the network sees separated ones, and both again with other balances
of bands, tunings and noise, so that it knows more kits than the composer's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import numpy as np
from note_songs import Event, Score, Stems, scored, stems_of, true_events
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from bridge.audio import read_audio
from bridge.measure import drumnet
from bridge.measure.bands import BandMeter, Levels
from bridge.measure.drumhits import KEYS, attacks, views_of
from bridge.measure.drumnet import DrumNetwork
from bridge.measure.meter import blocks_of
from bridge.values import Role

Floats = NDArray[np.float32]
Drummed = tuple[Levels, list[Event]]
"""A stem's levels and its true hits."""
FIRST_SEED = 5000
HIDDEN = 48
STEP_S = 0.01
WEIGHTS = Path(drumnet.__file__).with_name("drum_weights.json")


def levels_of(path: Path) -> Levels:
    """The levels of a file's bands."""
    audio = read_audio(path)
    meter = BandMeter(audio.rate_hz, audio.channels)
    for block in blocks_of(audio.samples):
        meter.add(block)
    return meter.levels()


def drummed(song: Stems) -> list[Drummed]:
    """The true drum stem and the separated one."""
    hits = true_events(song.truth, Role.DRUMS)
    return [(levels_of(files[Role.DRUMS]), hits) for files in (song.played, song.separated)]


def varied(levels: Levels, draw: np.random.Generator) -> Levels:
    """Another kit in another room: tuned up or down, balanced otherwise, with noise."""
    count = levels.shape[1]
    tuned = levels[:, np.clip(np.arange(count) + int(draw.integers(-1, 2)), 0, count - 1)]
    tilt = np.linspace(-1, 1, count)
    balanced = tuned + draw.normal(0, 4) * tilt + gaussian_filter1d(draw.normal(0, 8, count), 3)
    loud_db = np.quantile(balanced.max(axis=1), 0.99)
    noise_db = loud_db + draw.uniform(-75, -40) + draw.normal(0, 4) * tilt + draw.normal(0, 1.5, levels.shape)
    return np.asarray(10 * np.log10(10 ** (balanced / 10) + 10 ** (noise_db / 10)), np.float32)


def lesson(stem: Drummed) -> tuple[Floats, Floats]:
    """Views of all attacks and which drums are struck in each."""
    levels, hits = stem
    steps = attacks(levels)
    struck = np.zeros((len(steps), len(KEYS)), np.float32)
    for onset_s, key in hits if len(steps) else ():
        nearest = int(np.argmin(np.abs(steps * STEP_S - onset_s)))
        if abs(steps[nearest] * STEP_S - onset_s) < 0.035:
            struck[nearest, KEYS.index(key)] = 1
    return views_of(levels, steps), struck


def lessons(stems: Iterable[Drummed], copies: int, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """The lessons of all stems and of varied copies of them."""
    parts = []
    for levels, hits in stems:
        parts.append(lesson((levels, hits)))
        parts += [lesson((varied(levels, draw), hits)) for _ in range(copies)]
    views, struck = zip(*parts, strict=True)
    return np.concatenate(views), np.concatenate(struck)


def fitted(views: Floats, struck: Floats, epochs: int, draw: np.random.Generator) -> DrumNetwork:
    """Adam on the cross-entropy, the rate falling to zero along a cosine."""
    mean, spread = views.mean(axis=0), views.std(axis=0) + np.float32(0.02)
    inputs = (views - mean) / spread
    shapes = ((inputs.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, len(KEYS)), (len(KEYS),))
    weights = [np.asarray(draw.normal(0, shape[0] ** -0.5, shape), np.float32) for shape in shapes]
    weights[1][:], weights[3][:] = 0, -2
    first, second = ([np.zeros_like(part) for part in weights] for _ in range(2))
    batches = len(inputs) // 256
    for step in range(1, epochs * batches + 1):
        if step % batches == 1:
            order = draw.permutation(len(inputs))
        chosen = order[(step - 1) % batches * 256 :][:256]
        rate = 2e-3 * (0.5 + 0.5 * np.cos(np.pi * step / (epochs * batches)))
        for index, slope in enumerate(_slopes(weights, inputs[chosen], struck[chosen])):
            first[index] += 0.1 * (slope - first[index])
            second[index] += 0.001 * (slope**2 - second[index])
            scale = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
            weights[index] -= np.float32(rate) * (first[index] / (1 - 0.9**step)) / scale
    return DrumNetwork(
        mean=mean,
        spread=spread,
        hidden=weights[0],
        hidden_bias=weights[1],
        output=weights[2],
        output_bias=weights[3],
    )


def _slopes(weights: list[Floats], inputs: Floats, struck: Floats) -> list[Floats]:
    hidden, hidden_bias, output, output_bias = weights
    sums = inputs @ hidden + hidden_bias
    raised = np.maximum(0, sums)
    scores = np.clip(raised @ output + output_bias, -30, 30)
    error = (1 / (1 + np.exp(-scores)) - struck) / len(inputs)
    back = (error @ output.T) * (sums > 0)
    return [
        inputs.T @ back + 1e-4 * hidden,
        back.sum(axis=0),
        raised.T @ error + 1e-4 * output,
        error.sum(axis=0),
    ]


def score(network: DrumNetwork, stems: Iterable[Drummed]) -> Score:
    """All stems together."""
    total = Score()
    for levels, hits in stems:
        steps = attacks(levels)
        struck = network.chances(views_of(levels, steps)) > 0.5 if len(steps) else np.zeros((0, len(KEYS)))
        found = [(float(steps[row] * STEP_S), KEYS[drum]) for row, drum in np.argwhere(struck)]
        total += scored(hits, found)
    return total


def written(network: DrumNetwork) -> str:
    """The numbers with four digits, a row a line."""

    def numbers(values: Floats) -> str:
        rows = np.atleast_2d(values)
        lines = ["[" + ",".join(f"{value:.4g}" for value in row) + "]" for row in rows]
        return lines[0] if values.ndim == 1 else "[\n" + ",\n".join(lines) + "\n]"

    parts = (f'"{field.name}": {numbers(getattr(network, field.name))}' for field in fields(network))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(cache: Path, count: int) -> None:
    """Compose, fit, score, write."""
    draw = np.random.default_rng(5)
    songs = [
        drummed(stems_of(seed, cache, with_separated=True)) for seed in range(FIRST_SEED, FIRST_SEED + count)
    ]
    kept_apart = songs[-(count // 4) :]
    network = fitted(*lessons((stem for song in songs[: -(count // 4)] for stem in song), 2, draw), 24, draw)
    for title, stems in {
        "true stems": [song[0] for song in kept_apart],
        "separated stems": [song[1] for song in kept_apart],
        "varied true stems": [(varied(song[0][0], draw), song[0][1]) for song in kept_apart],
    }.items():
        sys.stdout.write(f"{title}: F1 {score(network, stems).f1:.3f}\n")
    WEIGHTS.write_text(written(network), "utf-8")
    json.loads(WEIGHTS.read_text("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
