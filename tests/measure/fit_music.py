"""Fits the weights for bars, chords and sections in bridge/measure/models.py on composed songs.

Run from the repository: ``python tests/measure/fit_music.py CACHE [SONGS]``; composing takes 4 s a song.
Seeds from 1,000 on are fitted, those from 3,000 on are kept apart for the score; judge_music.py has others.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
from fit_models import Case, Floats, fitted, printed, score
from grooves import GROOVES, played, varied
from scipy.optimize import minimize

from bridge.audio import Samples
from bridge.generate import SongTruth, compose, random_spec
from bridge.measure import bars, chords, form, sections
from bridge.measure.beats import Ears, strength_of
from bridge.measure.meter import Taker, blocks_of
from bridge.measure.onsets import LATENESS_S, OnsetMeter
from bridge.measure.pulse import follow
from bridge.measure.spans import means_between
from bridge.measure.timbre import TimbreMeter
from bridge.values import Role

Song = dict[str, Floats]
BAR_DECAY, CHORD_DECAY, SECTION_DECAY = 0.01, 1e-5, 0.001
EAGERNESS = 1.0
"""Added to the evidence of sections: one too many costs less than one missed."""
DRILLS = 3000
"""Chords of all qualities that are fitted besides."""
RELATED = {"m7b5": "dim", "5": "", "6": "", "add9": "", "madd9": "m", "9": "7", "maj9": "maj7", "m9": "m7"}
"""Which of ``chords.QUALITIES`` a composed chord counts as."""


def heard(seed: int, cache: Path) -> tuple[Song, SongTruth]:
    """What the measures hear of a composed song, and the truth, from the cache where they are there."""
    path, truth = cache / f"{seed}.npz", cache / f"{seed}.json"
    if not path.exists():
        song = compose(random_spec(seed, duration_s=30.0 + 10 * (seed % 7)))
        drums = song.stem(Role.DRUMS).samples
        pitched = song.stem(Role.BASS).samples + song.stem(Role.OTHER).samples
        np.savez(
            path, allow_pickle=False, **listened(song.mixture.samples, drums, pitched, song.truth.rate_hz)
        )
        truth.write_text(song.truth.model_dump_json(), encoding="utf-8")
    with np.load(path) as stored:
        return dict(stored), SongTruth.model_validate_json(truth.read_text(encoding="utf-8"))


def listened(mixture: Samples, drums: Samples, pitched: Samples, rate_hz: int) -> Song:
    """Everything that a fit needs of a song."""
    ears, beneath = (_fed(Ears(rate_hz, len(part)), part) for part in (mixture, pitched))
    timbre = _fed(TimbreMeter(rate_hz, len(mixture)), mixture)
    apart = _fed(OnsetMeter(rate_hz, len(drums)), drums)
    return {
        "onsets": np.concatenate([ears.onsets.envelopes(), apart.envelopes()]),
        "onset_step_s": np.array(ears.onsets.step_s),
        "chroma": ears.chroma.chroma().astype(np.float32),
        "pitched": beneath.chroma.chroma().astype(np.float32),
        "powers": timbre.powers(),
        "step_s": np.array(timbre.step_s),
    }


def _fed(meter: Taker, samples: Samples) -> Taker:
    for block in blocks_of(samples):
        meter.add(block)
    return meter


def bar_cases(song: Song, truth: SongTruth) -> list[Case]:
    """Readings of the whole song and of parts of it, with the drum stem and without."""
    found = []
    for has_drums in (True, False):
        onsets = song["onsets"] * np.repeat([1.0, float(has_drums)], 3)[:, None]
        listening = bars.Heard(
            onsets=onsets.astype(np.float32),
            step_s=float(song["onset_step_s"]),
            chroma=song["chroma"].astype(np.float64),
            frame_s=float(song["step_s"]),
        )
        period = 60 / truth.tempo_bpm / listening.step_s
        beats_s = follow(strength_of(onsets), period) * listening.step_s + LATENESS_S
        count = len(beats_s)
        (bar, unit), downbeats = truth.time_signature, np.array(truth.downbeats_s)
        for low, high in ((0.0, 1.0), (0.0, 0.5), (0.4, 1.0)):
            part = beats_s[int(low * count) : int(high * count)]
            if len(part) > 8:
                found.append(
                    (
                        bars.features(part, listening),
                        _right_readings(part, bar // 3 if unit == 8 else bar, downbeats),
                    )
                )
    return found


def pattern_case(seed: int) -> Case:
    """A drum pattern of known tempo, whose bars have four beats."""
    draw = np.random.default_rng(seed)
    (slowest, fastest), lines = tuple(GROOVES.values())[seed % len(GROOVES)]
    tempo_bpm = float(draw.uniform(slowest, fastest))
    sound = played(varied(lines, draw), tempo_bpm, 8, kit=int(draw.integers(1000)))
    ears = _fed(Ears(sound.rate_hz, 1), sound.samples)
    onsets = ears.onsets.envelopes()
    apart = onsets * (seed % 2)
    listening = bars.Heard(
        onsets=np.concatenate([onsets, apart]),
        step_s=ears.onsets.step_s,
        chroma=ears.chroma.chroma(),
        frame_s=ears.chroma.step_s,
    )
    beats_s = (
        follow(strength_of(listening.onsets), 60 / tempo_bpm / listening.step_s) * listening.step_s
        + LATENESS_S
    )
    again = next(steps for steps in (4, 8, 16) if all(_repeats(line, steps) for line in lines.values()))
    starts = again * 60 / tempo_bpm / 4 * np.arange(9 * 16 // again)
    return bars.features(beats_s, listening), _right_readings(beats_s, 4, starts)


def _repeats(line: str, steps: int) -> bool:
    """Whether a bar says the same every so many steps: then nobody can tell which of them begins it."""
    bar = line.ljust(16, ".").lower()
    return bar == bar[:steps] * (16 // steps)


def _right_readings(
    beats_s: Floats, beats: int, downbeats: Floats
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array(
        [
            reading.beats == beats and _share_near(_begins(beats_s, reading), downbeats) > 0.7
            for reading in bars.READINGS
        ]
    )


def _begins(beats_s: Floats, reading: bars.Bar) -> Floats:
    return bars.moved(beats_s, 0.5 if reading.is_between else 0.0)[reading.first :: reading.beats]


def _share_near(found_s: Floats, true_s: Floats) -> float:
    return float(np.mean(np.abs(found_s[:, None] - true_s).min(axis=1) < 0.07))


def chord_spans(
    song: Song, truth: SongTruth, view: str
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Features of each beat, and the state (root and quality) that is right there."""
    beats = np.array(truth.beats_s)
    edges = np.append(beats, 2 * beats[-1] - beats[-2])
    sounds = means_between(song[view].astype(np.float64), float(song["step_s"]), edges)
    starts = [chord.start_s for chord in truth.chords]
    index = np.searchsorted(starts, (edges[1:] + edges[:-1]) / 2, side="right") - 1
    right = np.array([state_of(truth.chords[number].symbol, truth.chords[number].root) for number in index])
    level = sounds.sum(axis=(1, 2))
    is_heard = level > 0.1 * np.median(level)
    return chords.features(sounds)[is_heard], right[is_heard]


def drilled(seed: int) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """A chord of any quality in any position, with any overtones: composed songs know few qualities."""
    draw = np.random.default_rng(seed)
    qualities = tuple(chords.QUALITIES)
    root, quality = int(draw.integers(12)), int(draw.integers(len(qualities)))
    tones = [root + step for step in chords.QUALITIES[qualities[quality]]]
    pitches = [tone % 12 + 12 * int(draw.integers(4, 6)) for tone in tones]
    pitches += [
        int(draw.choice(tones)) % 12 + 12 * int(draw.integers(4, 7)) for _ in range(int(draw.integers(3)))
    ]
    slope, count = draw.uniform(0.8, 2.5), int(draw.integers(3, 12))
    time_s = np.arange(44_100) / 44_100
    wave = sum(draw.uniform(0.5, 1.0) * _tone(pitch, slope, count, time_s) for pitch in pitches)
    if draw.random() < 0.75:
        wave = wave + draw.uniform(1, 3) * _tone(24 + root + 12 * (root < 4), slope, count, time_s)
    sound = np.asarray(0.05 * wave[None] + draw.normal(0, 0.001, (1, len(time_s))), np.float32)
    slices = _fed(Ears(44_100, 1), sound).chroma.chroma()
    right = np.array([root * len(qualities) + quality])
    return chords.features(slices.mean(axis=0, keepdims=True)), right


def _tone(pitch: int, slope: float, count: int, time_s: Floats) -> Floats:
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    waves = [np.sin(2 * np.pi * hertz * number * time_s) / number**slope for number in range(1, count + 1)]
    return np.asarray(np.sum(waves, axis=0), np.float64)


def state_of(symbol: str, root: int) -> int:
    """A composed chord's place among all chords that are told apart."""
    quality = re.sub("^[A-G][#b]?", "", symbol)
    names = tuple(chords.QUALITIES)
    return root * len(names) + names.index(RELATED.get(quality, quality))


def fit_chords(train: list[tuple[Song, SongTruth]], test: list[tuple[Song, SongTruth]]) -> None:
    """Weights of places and a bias for each quality; those that composed songs hardly know share one."""
    known, right = _all_spans(train, ("pitched", "chroma"))
    drills = [drilled(seed) for seed in range(DRILLS)]
    known = np.concatenate([known, *(drill[0] for drill in drills)])
    right = np.concatenate([right, *(drill[1] for drill in drills)])
    design, rare = chords.places(), [list(chords.QUALITIES).index(name) for name in ("dim", "sus4", "sus2")]
    spots = design.shape[1]

    def parts(weights: Floats) -> tuple[Floats, Floats]:
        biases = weights[2 * spots :].copy()
        biases[rare] = biases[rare[-1]]
        return np.einsum("rp,spq->rsq", weights[: 2 * spots].reshape(2, spots), design), biases

    def scores(spans: Floats, weights: Floats) -> Floats:
        profiles, biases = parts(weights)
        return np.asarray(
            (np.einsum("nors,rsq->noq", spans, profiles, optimize=True) + biases).reshape(len(spans), -1)
        )

    def loss(weights: Floats) -> tuple[float, Floats]:
        raised = scores(known, weights)
        raised = np.exp(raised - raised.max(axis=1, keepdims=True))
        chances = raised / raised.sum(axis=1, keepdims=True)
        rows = np.arange(len(right))
        total = -float(np.log(chances[rows, right] + 1e-12).mean())
        chances[rows, right] -= 1
        wrong = chances.reshape(len(known), 12, -1) / len(known)
        slope = np.einsum("nors,noq,spq->rp", known, wrong, design, optimize=True).reshape(-1)
        biases = wrong.sum(axis=(0, 1))
        biases[rare[-1]] = biases[rare].sum()
        biases[rare[:-1]] = 0
        return total + CHORD_DECAY * float(weights @ weights), np.append(
            slope, biases
        ) + 2 * CHORD_DECAY * weights

    start = np.zeros(2 * spots + len(chords.QUALITIES))
    weights = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)
    for view in ("pitched", "chroma"):
        spans, wanted = _all_spans(test, (view,))
        found = scores(spans, weights).argmax(axis=1)
        count = len(chords.QUALITIES)
        sys.stdout.write(
            f"# {view}, beat by beat: root {np.mean(found // count == wanted // count):.3f}, "
            f"chord {np.mean(found == wanted):.3f}\n"
        )
    sys.stdout.write(
        f"{printed('CHORD_WEIGHTS', weights[: 2 * spots])}\n{printed('CHORD_BIASES', parts(weights)[1])}\n"
    )


def _all_spans(
    songs: list[tuple[Song, SongTruth]], views: tuple[str, ...]
) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    pairs = [chord_spans(song, truth, view) for song, truth in songs for view in views]
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def section_case(
    song: Song, truth: SongTruth, part: tuple[float, float] = (0.0, 1.0)
) -> tuple[Floats, Floats]:
    """Features of each bar of a part of the song, and whether a section begins with it."""
    end_s = (len(song["powers"]) + 1) * float(song["step_s"])
    starts = np.array([start for start in truth.downbeats_s if start < end_s - 0.5])
    low, high = (round(share * len(starts)) for share in part)
    end_s = starts[high] if high < len(starts) else end_s
    starts = starts[low:high]
    steps = float(song["step_s"]), song["onsets"][:3], float(song["onset_step_s"])
    known = form.bars_of(song["powers"], song["chroma"].astype(np.float64), *steps, np.append(starts, end_s))
    begins = np.array([section.start_s for section in truth.sections[1:]])
    is_first = np.array([bool(len(begins)) and np.abs(begins - start).min() < 0.05 for start in starts])
    return form.features(known), is_first.astype(np.float64)


def fit_sections(train: list[tuple[Song, SongTruth]], test: list[tuple[Song, SongTruth]]) -> None:
    """A logistic regression over bars."""
    parts = ((0.0, 1.0), (0.0, 0.6), (0.4, 1.0))
    cases = [section_case(song, truth, part) for song, truth in train for part in parts]
    rows, right = (np.concatenate([case[part][1:] for case in cases]) for part in (0, 1))
    spread = rows.std(axis=0) + 1e-3
    spread[-1] = 1
    scaled = rows / spread

    def loss(weights: Floats) -> tuple[float, Floats]:
        chances = 1 / (1 + np.exp(-scaled @ weights))
        total = -np.mean(right * np.log(chances + 1e-12) + (1 - right) * np.log(1 - chances + 1e-12))
        held = np.append(weights[:-1], 0)
        slope = scaled.T @ (chances - right) / len(right) + 2 * SECTION_DECAY * held
        return float(total) + SECTION_DECAY * float(held @ held), slope

    weights = np.asarray(minimize(loss, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x) / spread
    weights[-1] += EAGERNESS
    hits = found = wanted = 0
    for song, truth in test:
        known, is_first = section_case(song, truth)
        begun = set(sections.turns(known @ weights)) - {0}
        hits += len(begun & set(np.flatnonzero(is_first)))
        found, wanted = found + len(begun), wanted + int(is_first[1:].sum())
    sys.stdout.write(f"# sections apart: {hits} of {wanted} found, {found - hits} wrong\n")
    sys.stdout.write(f"{printed('SECTION_WEIGHTS', weights)}\n")


def main(cache: Path, count: int) -> None:
    """Compose, fit, score, print."""
    cache.mkdir(parents=True, exist_ok=True)
    train = [heard(seed, cache) for seed in range(1000, 1000 + count)]
    test = [heard(seed, cache) for seed in range(3000, 3000 + count // 3)]
    known, apart = ([case for song in songs for case in bar_cases(*song)] for songs in (train, test))
    known += [pattern_case(seed) for seed in range(2 * count)]
    patterns = [pattern_case(seed) for seed in range(3000, 3000 + count)]
    weights = fitted(known, BAR_DECAY)
    sys.stdout.write(f"# bars fitted: {score(known, weights)}\n# bars apart: {score(apart, weights)}\n")
    sys.stdout.write(f"# patterns apart: {score(patterns, weights)}\n")
    sys.stdout.write(f"{printed('BAR_WEIGHTS', weights)}\n")
    fit_chords(train, test)
    fit_sections(train, test)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 120)
