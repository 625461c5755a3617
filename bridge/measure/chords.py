"""Chords: what sounds from beat to beat against the tones of each chord, and how seldom chords change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.measure.chroma import Chroma, ChromaMeter
from bridge.measure.meter import feed_sum
from bridge.measure.models import CHORD_BIASES, CHORD_WEIGHTS
from bridge.measure.spans import means_between
from bridge.music import FLAT_MAJORS, FLATS, SHARPS, BeatGrid, Chord
from bridge.protocols import Progress, no_progress

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
    "sus2": (0, 2, 7),
}
"""Semitones above the root for each chord that is told apart, by its usual suffix."""
_MEMBERS = ("root", "third", "fifth", "minor seventh", "major seventh")
_STRANGERS = (
    "ninth",
    "fourth",
    "sixth",
    "other third",
    "natural fifth",
    "no minor seventh",
    "no major seventh",
)
PLACES = (*_MEMBERS, *_STRANGERS, "clash")
"""What a pitch class can be to a chord."""
_TONES = {0: "root", 6: "fifth", 7: "fifth", 10: "minor seventh", 11: "major seventh"}
_OTHERS = {2: "ninth", 3: "other third", 4: "other third", 5: "fourth", 9: "sixth"}
_OTHERS |= {7: "natural fifth", 10: "no minor seventh", 11: "no major seventh"}
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_CHANGES = {"bar": 2.5, "half": 4.0, "beat": 6.0}
"""What a change of chord costs where it falls: in most songs they change with the bar."""
_IN_KEY = 1.0
"""What a chord gains whose tones are all in the key."""
_QUIET = 0.1
"""Spans below this share of the usual level have no chord."""
_SPAN_S = 0.5
"""Where there are no beats, chords are told at these distances."""

Floats = NDArray[np.float64]


def measure_chords(
    paths: Sequence[Path],
    grid: BeatGrid,
    key: str = "",
    progress: Progress = no_progress,
    *,
    tuning_cents: float = 0.0,
) -> tuple[Chord, ...]:
    """The chords of a song, from its start to its end, changing on beats.

    ``paths`` are the stems with pitches (bass and accompaniment; their sum is heard), or the mixture.
    ``key``, such as "A minor", decides between chords that sound alike, and how they are spelt;
    ``tuning_cents`` is that of the song in which the key was heard, for one that lies between two keys of a
    piano. Silence has a chord without a name; nothing at all has no chords. Raises AudioError where a file
    cannot be decoded or the rates differ.
    """
    meter = feed_sum(paths, partial(ChromaMeter, slice_s=0), progress)
    return chords_from(meter.chroma(tuning_cents), meter.step_s, grid, key)


def chords_from(chroma: Chroma, step_s: float, grid: BeatGrid, key: str = "") -> tuple[Chord, ...]:
    """The chords of chroma with a slice for each frame, ``step_s`` apart."""
    end_s = (len(chroma) + 1) * step_s
    if not chroma.any():
        return ()
    edges, costs = _spans(grid, end_s)
    sounds = means_between(chroma, step_s, edges)
    states = _cheapest(_scores(sounds, key), costs[1:])
    names = [
        _name(state, key) if is_heard else "" for state, is_heard in zip(states, _heard(sounds), strict=True)
    ]
    return _joined(edges, names)


def features(sounds: Chroma) -> Floats:
    """Chroma of spans as seen from each root: shape ``(spans, 12, 2, 12)``, each register of length 1."""
    size = np.linalg.norm(sounds, axis=2, keepdims=True)
    least = 0.1 * np.median(size, axis=0, keepdims=True) + 1e-9
    scaled = sounds / np.maximum(size, least)
    return np.stack([np.roll(scaled, -root, axis=2) for root in range(12)], axis=1)


def places() -> Floats:
    """Which place a semitone above the root has in each chord: shape ``(12, places, qualities)``, 0 and 1."""
    table = np.zeros((12, len(PLACES), len(QUALITIES)))
    for column, tones in enumerate(QUALITIES.values()):
        for semitone in range(12):
            is_tone = semitone in tones
            place = _TONES.get(semitone, "third") if is_tone else _OTHERS.get(semitone, "clash")
            table[semitone, PLACES.index(place), column] = 1
    return table


def _scores(sounds: Chroma, key: str) -> Floats:
    """How well each chord fits each span: shape ``(spans, 12 * qualities)``."""
    weights = np.reshape(CHORD_WEIGHTS, (2, len(PLACES)))
    profiles = np.einsum("rp,spq->rsq", weights, places())
    scores = np.einsum("nors,rsq->noq", features(sounds), profiles) + np.array(CHORD_BIASES)
    return np.asarray((scores + _IN_KEY * _in_key(key)).reshape(len(sounds), -1), np.float64)


def _in_key(key: str) -> Floats:
    """1 for the chords whose tones are all in the key, else 0: shape ``(12, qualities)``."""
    if not key:
        return np.zeros((12, len(QUALITIES)))
    scale = {(_relative_major(key) + step) % 12 for step in _MAJOR}
    return np.array(
        [
            [float({(root + tone) % 12 for tone in tones} <= scale) for tones in QUALITIES.values()]
            for root in range(12)
        ]
    )


def _relative_major(key: str) -> int:
    tonic, mode = key.split()
    pitch_class = (FLATS if tonic in FLATS else SHARPS).index(tonic)
    return (pitch_class + 3) % 12 if mode == "minor" else pitch_class


def _name(state: int, key: str) -> str:
    root, quality = divmod(state, len(QUALITIES))
    names = FLATS if key and _relative_major(key) in FLAT_MAJORS else SHARPS
    return names[root] + tuple(QUALITIES)[quality]


def _spans(grid: BeatGrid, end_s: float) -> tuple[Floats, Floats]:
    """The edges of the spans, from 0 to the end, and what a change of chord costs at the start of each."""
    shortest_s = 30 / grid.tempo_bpm if grid.tempo_bpm else 0.0
    inside = [(n, beat) for n, beat in enumerate(grid.beats_s) if shortest_s < beat < end_s - shortest_s]
    if not inside:
        edges = np.append(np.arange(0, end_s, _SPAN_S), end_s)
        return edges, np.full(len(edges) - 1, _CHANGES["half"])
    costs = [0.0, *(_CHANGES[_place(number, grid)] for number, _ in inside)]
    return np.array([0.0, *(beat for _, beat in inside), end_s]), np.array(costs)


def _place(beat: int, grid: BeatGrid) -> str:
    inside = (beat - grid.first_downbeat) % grid.beats_per_bar
    if inside == 0:
        return "bar"
    return "half" if inside * 2 == grid.beats_per_bar else "beat"


def _cheapest(scores: Floats, costs: Floats) -> list[int]:
    """The best way through the spans, a change paid for where it happens (Viterbi)."""
    total = scores[0]
    came_from = np.zeros(scores.shape, np.int64)
    for span, cost in enumerate(costs, start=1):
        best = int(np.argmax(total))
        changes = total[best] - cost > total
        came_from[span] = np.where(changes, best, np.arange(scores.shape[1]))
        total = scores[span] + np.where(changes, total[best] - cost, total)
    state = int(np.argmax(total))
    states = [state]
    for row in came_from[:0:-1]:
        state = int(row[state])
        states.append(state)
    return states[::-1]


def _heard(sounds: Chroma) -> NDArray[np.bool_]:
    levels = sounds.sum(axis=(1, 2))
    return np.asarray(levels > _QUIET * np.median(levels[levels > 0]), np.bool_)


def _joined(edges: Floats, names: Sequence[str]) -> tuple[Chord, ...]:
    """Neighbours of one name as one chord."""
    starts = [0, *(n for n in range(1, len(names)) if names[n] != names[n - 1]), len(names)]
    return tuple(
        Chord(start_s=round(float(edges[first]), 4), end_s=round(float(edges[last]), 4), name=names[first])
        for first, last in pairwise(starts)
    )
