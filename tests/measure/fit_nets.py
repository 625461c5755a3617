"""Fits the networks bridge/measure/net_*.json on composed sound and writes them.

Run from the repository: ``python tests/measure/fit_nets.py CACHE drums|bass|voice [SONGS]``; a song takes 5 s
the first time, fitting some minutes. Composed songs from seed 5,000 on are fitted; judge_notes.py uses seeds
from 0 on. Besides the true stems a network sees separated ones, random drills (drills.py), and all of them
again with other balances of bands, tunings and noise, so that it knows more than the composer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from drills import Drill, bass_drill, drum_drill, melody_drill
from note_songs import Stems, merged, stems_of, true_notes
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from bridge.audio import Audio, read_audio
from bridge.measure import activity, drumhits, nets
from bridge.measure.bands import LONG_FRAME_S, SHORT_FRAME_S, BandMeter, Levels, loud_db
from bridge.measure.meter import blocks_of
from bridge.measure.nets import Network, views_of
from bridge.values import Role

Floats = NDArray[np.float32]
Steps = NDArray[np.intp]
Span = tuple[float, float, int]
"""Onset and end in seconds, and pitch."""
Lesson = tuple[Floats, Floats]
"""Views, and the answer to each question for each."""
FIRST_SEED = 5000
STEP_S = 0.01
ATTACK_S, MOMENT_STEPS, UNSURE_STEPS = 0.035, 1, 3
BATCH, RATE, DECAY = 256, 2e-3, 1e-4


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a network learns."""

    role: Role
    frame_s: float
    drill: Callable[[int], Drill]
    lesson: Callable[[Levels, Sequence[Span], np.random.Generator], Lesson]
    hidden: int
    copies: int
    epochs: int


def drum_lesson(levels: Levels, spans: Sequence[Span], _draw: np.random.Generator) -> Lesson:
    """All attacks, and which drums are struck in each."""
    steps = drumhits.attacks(levels)
    struck = np.zeros((len(steps), len(drumhits.KEYS)), np.float32)
    for onset_s, key in merged((start_s, key) for start_s, _, key in spans):
        nearest = int(np.argmin(np.abs(steps * STEP_S - onset_s)))
        if abs(steps[nearest] * STEP_S - onset_s) < ATTACK_S:
            struck[nearest, drumhits.KEYS.index(key)] = 1
    return views_of(levels, steps, drumhits.LOOKS, loud_db(levels)), struck


def line_lesson(levels: Levels, spans: Sequence[Span], draw: np.random.Generator) -> Lesson:
    """Moments around onsets and a few others: whether a note begins there, and whether one sounds."""
    times_s = np.arange(len(levels)) * STEP_S
    sounds = np.zeros(len(levels), np.bool_)
    away = np.full(len(levels), len(levels), np.float64)
    for onset_s, end_s, _ in spans:
        sounds |= (times_s >= onset_s) & (times_s < end_s)
        away = np.minimum(away, np.abs(times_s - onset_s) / STEP_S)
    is_clear = (away <= MOMENT_STEPS) | (away > UNSURE_STEPS)
    wanted = is_clear & (draw.random(len(levels)) < np.where(away < 15, 0.3, 0.06))
    steps = np.flatnonzero(wanted)
    seen = activity.seen_levels(levels)
    views = views_of(seen, steps + activity.LEAD, activity.LOOKS, loud_db(levels))
    return views, np.stack([away[steps] <= MOMENT_STEPS, sounds[steps]], axis=1).astype(np.float32)


SUBJECTS = {
    "drums": Subject(
        role=Role.DRUMS, frame_s=SHORT_FRAME_S, drill=drum_drill, lesson=drum_lesson,
        hidden=64, copies=2, epochs=24,
    ),
    "bass": Subject(
        role=Role.BASS, frame_s=LONG_FRAME_S, drill=bass_drill, lesson=line_lesson,
        hidden=32, copies=1, epochs=12,
    ),
    "voice": Subject(
        role=Role.VOCALS, frame_s=LONG_FRAME_S, drill=melody_drill, lesson=line_lesson,
        hidden=32, copies=1, epochs=12,
    ),
}  # fmt: skip


def levels_of(audio: Audio, frame_s: float) -> Levels:
    """The levels of a sound's bands."""
    meter = BandMeter(audio.rate_hz, audio.channels, frame_s)
    for block in blocks_of(audio.samples):
        meter.add(block)
    return meter.levels()


def song_lessons(song: Stems, subject: Subject, draw: np.random.Generator) -> Iterable[Lesson]:
    """The true stem and the separated one, where the song has it."""
    spans = [
        (note.onset_s, note.onset_s + note.duration_s, note.pitch)
        for note in true_notes(song.truth, subject.role)
    ]
    for files in (song.played, song.separated):
        if subject.role in files:
            yield from lessons_of(read_audio(files[subject.role]), spans, subject, draw)


def drill_lessons(seed: int, subject: Subject, draw: np.random.Generator) -> Iterable[Lesson]:
    """A random stem."""
    drill = subject.drill(seed)
    yield from lessons_of(
        drill.audio, [(note.onset_s, note.end_s, note.pitch) for note in drill.notes], subject, draw
    )


def lessons_of(
    audio: Audio, spans: Sequence[Span], subject: Subject, draw: np.random.Generator
) -> Iterable[Lesson]:
    """A stem as it is, and varied copies of it."""
    levels = levels_of(audio, subject.frame_s)
    yield subject.lesson(levels, spans, draw)
    for _ in range(subject.copies):
        yield subject.lesson(varied(levels, draw), spans, draw)


def varied(levels: Levels, draw: np.random.Generator) -> Levels:
    """Another instrument in another room: tuned up or down, balanced otherwise, with noise."""
    count = levels.shape[1]
    tuned = levels[:, np.clip(np.arange(count) + int(draw.integers(-1, 2)), 0, count - 1)]
    tilt = np.linspace(-1, 1, count)
    balanced = tuned + draw.normal(0, 4) * tilt + gaussian_filter1d(draw.normal(0, 8, count), 3)
    noise_db = loud_db(balanced) + draw.uniform(-75, -40) + draw.normal(0, 4) * tilt
    noise_db = noise_db + draw.normal(0, 1.5, levels.shape)
    return np.asarray(10 * np.log10(10 ** (balanced / 10) + 10 ** (noise_db / 10)), np.float32)


def fitted(views: Floats, answers: Floats, subject: Subject, draw: np.random.Generator) -> Network:
    """Adam on the cross-entropy, the rate falling to zero along a cosine."""
    mean, spread = views.mean(axis=0), views.std(axis=0) + np.float32(0.02)
    inner, outer = subject.hidden, answers.shape[1]
    shapes = ((views.shape[1], inner), (inner,), (inner, outer), (outer,))
    weights = [np.asarray(draw.normal(0, shape[0] ** -0.5, shape), np.float32) for shape in shapes]
    weights[1][:], weights[3][:] = 0, -2
    first, second = ([np.zeros_like(part) for part in weights] for _ in range(2))
    order, batches = np.arange(len(views)), len(views) // BATCH
    for step in range(1, subject.epochs * batches + 1):
        place = (step - 1) % batches
        if place == 0:
            draw.shuffle(order)
        chosen = order[place * BATCH : (place + 1) * BATCH]
        rate = np.float32(RATE * (0.5 + 0.5 * np.cos(np.pi * step / (subject.epochs * batches))))
        inputs = (views[chosen] - mean) / spread
        for index, slope in enumerate(_slopes(weights, inputs, answers[chosen])):
            first[index] += 0.1 * (slope - first[index])
            second[index] += 0.001 * (slope**2 - second[index])
            scale = np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8
            weights[index] -= rate * (first[index] / (1 - 0.9**step)) / scale
    names = ("hidden", "hidden_bias", "output", "output_bias")
    return Network(mean=mean, spread=spread, **dict(zip(names, weights, strict=True)))


def _slopes(weights: list[Floats], inputs: Floats, answers: Floats) -> list[Floats]:
    hidden, hidden_bias, output, output_bias = weights
    sums = inputs @ hidden + hidden_bias
    raised = np.maximum(0, sums)
    scores = np.clip(raised @ output + output_bias, -30, 30)
    error = (1 / (1 + np.exp(-scores)) - answers) / len(inputs)
    back = (error @ output.T) * (sums > 0)
    return [
        inputs.T @ back + DECAY * hidden,
        back.sum(axis=0),
        raised.T @ error + DECAY * output,
        error.sum(axis=0),
    ]


def written(net: Network) -> str:
    """The numbers with four digits, a row a line."""

    def numbers(values: Floats) -> str:
        lines = ["[" + ",".join(f"{value:.4g}" for value in row) + "]" for row in np.atleast_2d(values)]
        return lines[0] if values.ndim == 1 else "[\n" + ",\n".join(lines) + "\n]"

    parts = (f'"{field.name}": {numbers(getattr(net, field.name))}' for field in fields(net))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(cache: Path, name: str, count: int) -> None:
    """Compose, fit, write."""
    subject, draw = SUBJECTS[name], np.random.default_rng(5)
    lessons: list[Lesson] = []
    for seed in range(count):
        lessons += song_lessons(stems_of(FIRST_SEED + seed, cache, with_separated=True), subject, draw)
        for drill in (2 * seed, 2 * seed + 1):
            lessons += drill_lessons(drill, subject, draw)
    views, answers = (np.concatenate(part) for part in zip(*lessons, strict=True))
    net = fitted(views, answers, subject, draw)
    path = Path(nets.__file__).with_name(f"net_{name}.json")
    path.write_text(written(net), "utf-8")
    json.loads(path.read_text("utf-8"))
    right = ((net.chances(views) > 0.5) == answers).mean(axis=0)
    sys.stdout.write(f"{path.name}: {len(views)} moments, share of right answers {np.round(right, 4)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 120)
