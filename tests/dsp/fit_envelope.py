"""Fits the network bridge/dsp/envelope_weights.json on composed sound and writes it.

Run from the repository: ``python tests/dsp/fit_envelope.py CACHE [SONGS]``; a song takes 5 s the first time,
fitting two minutes. Composed songs from seed 20,000 on are fitted; judge_extend.py uses seeds from 0 on.
Mixtures and stems are seen with random tone and level, so that the network learns to carry on the slope that
it sees and not the composer's; and through MP3, whose upper bands come and go. What is lost is the squared
error of levels in dB, none below -95.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import read_audio
from bridge.dsp.envelope import Bands, EnvelopeNetwork, views_below, views_of_place
from bridge.dsp.extend import TOP_HZ
from bridge.generate import compose, random_spec
from bridge.measure.cutoff import FLOOR_DB, Levels, levels_db, spectra_of, window_frames
from bridge.values import FOUR_STEMS, Role
from tests.encoded_media import encode

FIRST_SEED, SONGS, SECONDS = 20_000, 40, 8.0
CUTOFFS_HZ = (5_500.0, 17_500.0)
LEAST_DB = -95.0
HIDDEN, EPOCHS, BATCH, RATE = 64, 5, 1024, 3e-3
ROUNDS, PER_BAND = 2, 120
WEIGHTS = Path(__file__).parents[2] / "bridge" / "dsp" / "envelope_weights.json"

Floats = NDArray[np.float32]


def sounds(cache: Path, songs: int) -> Iterator[tuple[Levels, int]]:
    """Levels and rate of every mixture and stem, as composed and through MP3."""
    cache.mkdir(parents=True, exist_ok=True)
    for seed in range(FIRST_SEED, FIRST_SEED + songs):
        file = cache / f"{seed}.npz"
        if not file.exists():
            _compose(file, seed)
        with np.load(file) as kept:
            for name in kept.files:
                if name != "rate_hz":
                    yield kept[name].astype(np.float32), int(kept["rate_hz"])


def _compose(file: Path, seed: int) -> None:
    song = compose(random_spec(seed, duration_s=SECONDS))
    rate_hz, draw = song.truth.rate_hz, np.random.default_rng(seed)
    stems = {role: song.stem(role).samples for role in FOUR_STEMS}
    parts = {"mixture": sum(stems.values())} | {r.value: s for r, s in stems.items() if r is not Role.BASS}
    kept: dict[str, NDArray[np.float16]] = {}
    for name, samples in parts.items():
        if np.abs(samples).max() > 0:
            kept[name] = _levels(samples, rate_hz)
            kept[f"{name} coded"] = _levels(_coded(samples, rate_hz, draw), rate_hz)
    np.savez_compressed(file, rate_hz=rate_hz, **kept)


def _levels(samples: Floats, rate_hz: int) -> NDArray[np.float16]:
    return levels_db(spectra_of(samples, window_frames(rate_hz))).astype(np.float16)


def _coded(samples: Floats, rate_hz: int, draw: np.random.Generator) -> Floats:
    kbps = int(draw.choice([128, 160, 192, 256, 320]))
    with tempfile.TemporaryDirectory() as folder:
        path = encode(Path(folder) / "a.mp3", samples, rate_hz, codec="libmp3lame", bit_rate=kbps * 1000)
        return read_audio(path).samples


def tone_db(hertz: Floats, draw: np.random.Generator) -> Floats:
    """A random tone: a slope, a roll-off, and slow waves along frequency."""
    octaves = np.log2(np.maximum(hertz, 500) / 1000)
    slope_db = draw.normal(-0.25, 1.0) * octaves
    rolled_db = -abs(draw.normal(0, 5)) * np.maximum(
        0, np.log2(np.maximum(hertz, 1) / draw.uniform(4e3, 12e3))
    )
    waves_db = sum(
        draw.normal(0, 0.75) * np.sin(2 * np.pi * (draw.uniform(0.2, 0.7) * octaves + draw.uniform()))
        for _ in range(3)
    )
    return np.asarray(slope_db + rolled_db + waves_db, np.float32)


def lesson(levels: Levels, rate_hz: int, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Views and answers of a sound, cut off somewhere."""
    size = 2 * (levels.shape[2] - 1)
    hertz = (np.arange(levels.shape[2]) * rate_hz / size).astype(np.float32)
    heard = np.maximum(levels + tone_db(hertz, draw) + np.float32(draw.uniform(-12, 6)), FLOOR_DB)
    cutoff_hz = float(draw.uniform(*CUTOFFS_HZ))
    bands = Bands(cutoff_hz=cutoff_hz, top_hz=TOP_HZ, rate_hz=rate_hz, size=size)
    sounding = (heard.mean(axis=2) > FLOOR_DB + 3)[:, :, None]
    mean = (heard * sounding).sum(axis=1) / np.maximum(1, sounding.sum(axis=1))
    top, seen = views_below(heard, bands, bands.levels_below(mean))
    channels, windows = np.nonzero(top > FLOOR_DB + 2)
    views, answers = [np.zeros((0, seen.shape[2] + 3), np.float32)], [np.zeros(0, np.float32)]
    for centre_hz in bands.centres_hz if len(windows) > 50 else ():
        low, high = (round((centre_hz + side) * size / rate_hz) for side in (-250, 250))
        drawn = draw.integers(0, len(windows), PER_BAND)
        channel, window = channels[drawn], windows[drawn]
        place = np.broadcast_to(views_of_place(float(centre_hz), cutoff_hz), (PER_BAND, 3))
        views.append(np.concatenate([seen[channel, window], place], axis=1))
        wanted = np.maximum(heard[channel, window, low:high], LEAST_DB).mean(axis=1)
        answers.append((wanted - top[channel, window]) / 10)
    return np.concatenate(views), np.concatenate(answers)


def fitted(views: Floats, answers: Floats, draw: np.random.Generator) -> EnvelopeNetwork:
    """Adam with a falling rate, on the mean square."""
    values = [
        draw.normal(0, np.sqrt(2 / views.shape[1]), (views.shape[1], HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        draw.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, 1)).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    means, squares = ([np.zeros_like(value) for value in values] for _ in range(2))
    step, steps = 0, EPOCHS * (len(views) // BATCH)
    for epoch in range(EPOCHS):
        order, lost = draw.permutation(len(views)), 0.0
        for start in range(0, len(views) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            gradients, loss = _gradients(values, views[chosen], answers[chosen])
            lost, step = lost + loss, step + 1
            rate = RATE * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            for value, mean, square, gradient in zip(values, means, squares, gradients, strict=True):
                mean += 0.1 * (gradient - mean)
                square += 0.001 * (gradient**2 - square)
                value -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        sys.stdout.write(f"epoch {epoch + 1}: {10 * np.sqrt(lost / (len(views) // BATCH)):.2f} dB\n")
    hidden, hidden_bias, output, output_bias = values
    return EnvelopeNetwork(hidden=hidden, hidden_bias=hidden_bias, output=output, output_bias=output_bias)


def _gradients(values: list[Floats], views: Floats, answers: Floats) -> tuple[list[Floats], float]:
    hidden, hidden_bias, output, output_bias = values
    raised = np.maximum(0, views @ hidden + hidden_bias)
    error = (raised @ output + output_bias)[:, 0] - answers
    slope = (2 * error / len(views))[:, None]
    back = slope @ output.T * (raised > 0)
    return [views.T @ back, back.sum(axis=0), raised.T @ slope, slope.sum(axis=0)], float(np.mean(error**2))


def main() -> None:
    """Fit and write."""
    cache, songs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SONGS
    draw = np.random.default_rng(1)
    lessons = [
        lesson(levels, rate_hz, draw) for levels, rate_hz in sounds(cache, songs) for _ in range(ROUNDS)
    ]
    views, answers = (np.concatenate(parts) for parts in zip(*lessons, strict=True))
    network = fitted(views, answers, draw)
    table = {name: np.round(value, 4).tolist() for name, value in vars(network).items()}
    WEIGHTS.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(views)} lessons; {WEIGHTS.stat().st_size / 1000:.0f} kB written to {WEIGHTS}\n")


if __name__ == "__main__":
    main()
