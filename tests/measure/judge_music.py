"""How well tempo, beats, bars, key, chords and sections of composed songs are read: prints a table.

Run from the repository: ``python tests/measure/judge_music.py FOLDER [FIRST_SEED [SONGS]]``. The songs, of
30 to 90 s, are composed into FOLDER (4 s and 40 MB a song) where they are not there yet. No weight was
fitted on seeds below 1,000 (fit_models.py and fit_music.py).
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bridge.generate import SongTruth, compose, random_spec, write_song
from bridge.measure import harmony
from bridge.measure.beats import measure_beats
from bridge.measure.chords import measure_chords
from bridge.measure.sections import measure_sections
from bridge.music import BeatGrid, Chord, Section
from bridge.values import SampleFormat

Verdicts = dict[str, float]
BEAT_S, BORDER_S, CHORD_STEP_S, SAME_TEMPO = 0.07, 3.0, 0.05, 0.02
_PITCHED = ("bass", "other")
_THIRDS = {"m": "m", "dim": "m", "sus": "sus"}


def composed(seed: int, folder: Path) -> tuple[dict[str, Path], SongTruth]:
    """The files of a song by their name, and the truth about it."""
    place = folder / str(seed)
    if not (place / "truth.json").exists():
        song = compose(random_spec(seed, duration_s=30.0 + 10 * (seed % 7)))
        write_song(song, place, stem_format=SampleFormat.INT24)
    truth = SongTruth.model_validate_json((place / "truth.json").read_text(encoding="utf-8"))
    return {path.stem: path for path in place.glob("*.wav")}, truth


def judge(seed: int, folder: Path) -> Verdicts:
    """Each figure of one song, 0 to 1, and the time that reading it took as a share of its length."""
    paths, truth = composed(seed, folder)
    mixture = paths["mixture"]
    began = time.process_time()
    grid = measure_beats(mixture, paths.get("drums"))
    key = harmony.measure_harmony(mixture).key
    pitched = [paths[name] for name in _PITCHED if name in paths]
    chords = measure_chords(pitched or [mixture], grid, key)
    sections = measure_sections(mixture, grid)
    took_s = time.process_time() - began
    alone = measure_beats(mixture)
    by_ear = measure_chords([mixture], grid, key)
    return {
        **_of_grid(grid, truth),
        "key": float(numbered(key) == numbered(truth.key)),
        **_of_chords(chords, truth),
        **_of_sections(sections, truth),
        **{f"{name}, mixture alone": value for name, value in _of_grid(alone, truth).items()},
        **{f"{name}, mixture alone": value for name, value in _of_chords(by_ear, truth).items()},
        "time taken / length": took_s / truth.duration_s,
    }


def _of_grid(grid: BeatGrid, truth: SongTruth) -> Verdicts:
    count, unit = truth.time_signature
    is_bar = grid.beats_per_bar == (count // 3 if unit == 8 else count)
    downbeats = f1(grid.downbeats_s, truth.downbeats_s, BEAT_S)
    offered = (grid.tempo_bpm, grid.half_bpm, grid.double_bpm)
    return {
        "tempo": float(_is_tempo(grid.tempo_bpm, truth)),
        "tempo, half and double allowed": float(any(_is_tempo(tempo, truth) for tempo in offered)),
        "beat F1": f1(grid.beats_s, truth.beats_s, BEAT_S),
        "downbeat F1": downbeats,
        "bars right": float(is_bar and downbeats > 0.9),
    }


def _is_tempo(tempo_bpm: float, truth: SongTruth) -> bool:
    return abs(tempo_bpm / truth.tempo_bpm - 1) < SAME_TEMPO


def _of_chords(chords: Sequence[Chord], truth: SongTruth) -> Verdicts:
    """Share of the time with the right root, the right third besides, and the right seventh besides."""
    times = np.arange(CHORD_STEP_S / 2, truth.chords[-1].end_s, CHORD_STEP_S)
    found = [_read(name) for name in _held([(c.start_s, c.name) for c in chords], times)]
    wanted = [_read(name) for name in _held([(c.start_s, c.symbol) for c in truth.chords], times)]
    pairs = list(zip(found, wanted, strict=True))
    return {
        name: float(np.mean([one[:parts] == other[:parts] for one, other in pairs]))
        for parts, name in ((1, "chord root"), (2, "chord root and third"), (3, "whole chord"))
    }


def _held(
    spans: Sequence[tuple[float, str]], times: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[str]:
    if not spans:
        return [""] * len(times)
    places = np.searchsorted([start for start, _ in spans], times, side="right") - 1
    return [spans[max(0, place)][1] for place in places]


def _read(name: str) -> tuple[int, str, str]:
    """Root, third and seventh of a chord's name; no name has none."""
    if not name:
        return -1, "", ""
    tonic, quality = re.fullmatch("([A-G][#b]?)(.*)", name).groups()  # type: ignore[union-attr]
    third = next(
        (kind for start, kind in _THIRDS.items() if quality.startswith(start) and quality[:3] != "maj"), "M"
    )
    seventh = (
        "maj7" if "maj" in quality else "7" if re.search("7|9", quality) and "add" not in quality else ""
    )
    return numbered(f"{tonic} major")[0], third, seventh


def _of_sections(sections: Sequence[Section], truth: SongTruth) -> Verdicts:
    found = [section.start_s for section in sections[1:]]
    wanted = [section.start_s for section in truth.sections[1:]]
    times = np.arange(0.5, truth.duration_s, 1.0)
    names = _held([(section.start_s, section.name) for section in sections], times)
    kinds = _held([(section.start_s, section.kind) for section in truth.sections], times)
    return {"section borders F1": f1(found, wanted, BORDER_S), "section letters F1": _pairs_f1(names, kinds)}


def _pairs_f1(names: Sequence[str], kinds: Sequence[str]) -> float:
    """Of all pairs of moments: those that share a letter against those that share a kind."""
    one, other = (np.array(row)[:, None] == np.array(row) for row in (names, kinds))
    both = float((one & other).sum())
    return 2 * both / float(one.sum() + other.sum())


def f1(found: Sequence[float], wanted: Sequence[float], within: float) -> float:
    """Each wanted time is found once at most; nothing found where nothing was wanted is right."""
    if not found and not wanted:
        return 1.0
    left = list(wanted)
    hits = 0
    for time_s in found:
        near = min(left, key=lambda other: abs(other - time_s), default=None)
        if near is not None and abs(near - time_s) <= within:
            left.remove(near)
            hits += 1
    return 2 * hits / (len(found) + len(wanted))


def numbered(key: str) -> tuple[int, str]:
    """A key as pitch class and mode, however it is spelt; no key is -1."""
    if not key:
        return -1, ""
    tonic, mode = key.split()
    return ("C D EF G A B".index(tonic[0]) + {"#": 1, "b": -1}.get(tonic[1:], 0)) % 12, mode


def table(verdicts: Sequence[Verdicts]) -> str:
    """Means over all songs, and the lowest tenth."""
    lines = [f"{'':48}{'mean':>8}{'10 %':>8}"]
    for name in verdicts[0]:
        values = np.array([verdict[name] for verdict in verdicts])
        lines.append(f"{name:48}{values.mean():8.3f}{np.quantile(values, 0.1):8.3f}")
    return "\n".join(lines) + "\n"


def main(folder: Path, first: int, count: int) -> None:
    """Judge, print as it goes, and the table."""
    verdicts = []
    for seed in range(first, first + count):
        verdicts.append(judge(seed, folder))
        missed = [name for name, value in verdicts[-1].items() if value < 0.8 and "time" not in name]
        sys.stdout.write(f"{seed}: {', '.join(missed) or 'all well'}\n")
        sys.stdout.flush()
    sys.stdout.write(table(verdicts))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:4]]
    main(Path(sys.argv[1]), *(numbers + [0, 200][len(numbers) :]))
