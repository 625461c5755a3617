"""Key: chroma against key profiles, the bass, and where the song starts and ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio, Samples
from bridge.measure.chroma import Chroma, ChromaMeter
from bridge.measure.meter import measure_audio, measure_file
from bridge.measure.models import KEY_WEIGHTS, shares
from bridge.protocols import Progress, no_progress
from bridge.values import Confidence, Value

KEYS = tuple(
    f"{tonic} {mode}"
    for mode, tonics in (
        ("major", ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")),
        ("minor", ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")),
    )
    for tonic in tonics
)
"""The 24 keys as they are usually spelt: majors from C upwards, then minors."""
_TEMPERLEY = (
    (5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4),
    (5, 2, 3.5, 4.5, 2, 4, 2, 4.5, 3.5, 2, 1.5, 4),
)
_KRUMHANSL = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)
_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))
_THIRDS = (4, 3)
_EDGE_SLICES = 4
_QUIET_SHARE = 0.1
_SURE_SLICES = 8
_BASS, _CHORDS = 0, 1

Pitches = NDArray[np.float64]


class Harmony(Value):
    """The key. Silence and noise without pitch have key "" and confidence 0.

    A song that changes its key has the one that holds longest.
    """

    key: str
    """Such as "A minor" or "Eb major"."""
    confidence: Confidence
    """0.8 and more: sure, major or minor included."""
    other_key: str = ""
    """The next best reading: often the relative key."""
    tuning_cents: float = 0.0
    """Above (or below) A = 440 Hz, -50 to 50."""
    chroma: tuple[float, ...] = ()
    """Share of each pitch class from C upwards; they sum to 1."""

    @property
    def short_key(self) -> str:
        """The key as in file names: "Am", "Eb"."""
        return self.key.replace(" minor", "m").replace(" major", "")


class HarmonyMeter:
    """Key in one pass: chroma while it runs, the decision at the end."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._chroma = ChromaMeter(rate_hz, channels)

    def add(self, block: Samples) -> None:
        """The next frames; NaN and infinity count as silence."""
        self._chroma.add(block)

    def result(self) -> Harmony:
        """The key of all that was added."""
        return key_from(self._chroma.chroma(), self._chroma.tuning_cents())


def measure_harmony(path: Path, progress: Progress = no_progress) -> Harmony:
    """The key of a file. Raises AudioError where it cannot be decoded."""
    return measure_file(path, HarmonyMeter, progress)


def harmony_of(audio: Audio) -> Harmony:
    """The key of audio in memory."""
    return measure_audio(audio, HarmonyMeter)


def key_from(chroma: Chroma, tuning_cents: float = 0.0) -> Harmony:
    """The key of chroma of shape ``(slices, 2, 12)``."""
    if not chroma.any():
        return Harmony(key="", confidence=0.0)
    chances = shares(features(chroma) @ np.array(KEY_WEIGHTS))
    best, second = np.argsort(chances)[::-1][:2]
    total = _shared(chroma.sum(axis=(0, 1)))
    return Harmony(
        key=KEYS[best],
        confidence=float(chances[best]) * _evidence(chroma, total),
        other_key=KEYS[second],
        tuning_cents=round(tuning_cents, 1),
        chroma=tuple(round(float(share), 4) for share in total),
    )


def features(chroma: Chroma) -> Pitches:
    """What the model knows about each of the 24 keys, in the order of ``KEYS``."""
    sounding = _sounding(chroma)
    views = [
        _shared(part.sum(axis=0))
        for part in (
            sounding[:, _CHORDS],
            sounding[:, _BASS],
            sounding[-_EDGE_SLICES:, _BASS],
            sounding[-_EDGE_SLICES:, _CHORDS],
            sounding[:_EDGE_SLICES, _BASS],
            sounding[:_EDGE_SLICES, _CHORDS],
        )
    ]
    return np.array(
        [_about([np.roll(view, -tonic) for view in views], mode) for mode in (0, 1) for tonic in range(12)]
    )


def _about(views: list[Pitches], mode: int) -> list[float]:
    """One key's features; the views are turned so that index 0 is its tonic."""
    chords, bass, last_bass, last_chords, first_bass, first_chords = views
    third, other_third = _THIRDS[mode], _THIRDS[1 - mode]
    triad = [0, third, 7]
    return [
        _likeness(chords, _KRUMHANSL[mode]),
        _likeness(chords, _TEMPERLEY[mode]),
        _likeness(bass, _KRUMHANSL[mode]),
        float(bass[0]),
        float(bass[7]),
        float(last_bass[0]),
        float(last_chords[triad].sum()),
        float(first_bass[0]),
        float(first_chords[triad].sum()),
        float(chords[third] - chords[other_third]),
        float(chords[list(_SCALES[mode])].sum()),
        float(mode),
    ]


def _sounding(chroma: Chroma) -> Chroma:
    """The slices that are not nearly silent."""
    levels = chroma.sum(axis=(1, 2))
    return np.asarray(chroma[levels > _QUIET_SHARE * np.median(levels[levels > 0])], np.float64)


def _evidence(chroma: Chroma, total: Pitches) -> float:
    """0 to 1: how much was heard, and whether pitch classes differ at all (in noise they do not)."""
    uneven = float(np.clip((total.std() * 12 - 0.1) / 0.15, 0, 1))
    return uneven * min(1.0, len(_sounding(chroma)) / _SURE_SLICES)


def _likeness(pitches: Pitches, profile: tuple[float, ...]) -> float:
    one, other = pitches - pitches.mean(), np.array(profile) - np.mean(profile)
    return float(one @ other / np.sqrt((one @ one) * (other @ other) + 1e-12))


def _shared(pitches: Pitches) -> Pitches:
    total = float(pitches.sum())
    return np.asarray(pitches / total if total > 0 else pitches, np.float64)
