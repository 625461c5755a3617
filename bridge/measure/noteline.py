"""The likeliest line of notes through readings of a pitch: which semitone, or none, sounds in each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.measure.activity import Activity, Chances
from bridge.measure.pitches import Floats, PitchTrack

_SPREAD_SEMITONES = 0.45
"""How far from a note its readings lie: vibrato and glides."""
_REST, _SURE_REST = 0.05, 1.1
"""Strength of a rest where a note surely sounds and where surely none does; readings have 0.3 and more."""
_AGREEING = 0.4
"""Length of the readings' circular mean, 0 to 1, from which on they agree on a tuning."""
_CHUNK = 1024

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Span:
    """A pitch and the steps in which it sounds, the last one left out."""

    pitch: int
    start: int
    stop: int


def note_line(track: PitchTrack, activity: Activity, *, change: float, reward: float) -> tuple[Span, ...]:
    """The line whose readings are strongest in sum (Viterbi), less ``change`` for each new note.

    A note that surely begins gets ``reward`` back, so that it may follow one of its own pitch; a rest costs
    half a change. Keeps 70 bytes for each step.
    """
    readings = _in_tune(track)
    sounding = readings[track.strengths > 0]
    if not len(sounding):
        return ()
    pitches = np.arange(round(float(sounding.min())), round(float(sounding.max())) + 1)
    steps = min(len(readings), len(activity.beginning))
    costs = np.full(len(pitches) + 1, change)
    costs[-1] /= 2
    is_new = np.zeros((steps, len(costs)), np.bool_)
    leaders = np.zeros(steps, np.int16)
    best = np.zeros(len(costs))
    for step, score in enumerate(_scores(readings[:steps], track, activity.sounding, pitches)):
        leaders[step] = leader = int(np.argmax(best))
        entries = best[leader] - costs
        entries[:-1] += reward * activity.beginning[step]
        is_new[step] = entries > best
        best = np.maximum(best, entries) + score
    return tuple(_walked_back(is_new, leaders, int(np.argmax(best)), pitches))


def _in_tune(track: PitchTrack) -> Floats:
    """The readings less the stem's tuning: the circular mean of how far they lie from whole semitones.

    Where they lie everywhere, as in a wide vibrato, there is no tuning to take out.
    """
    weights = track.strengths[:, 0]
    turn = np.sum(np.exp(2j * np.pi * track.pitches[:, 0]) * weights)
    is_one = np.abs(turn) > _AGREEING * weights.sum()
    tuning = np.angle(turn) / (2 * np.pi) if is_one else 0.0
    return np.asarray(track.pitches - tuning, np.float32)


def _scores(
    readings: Floats, track: PitchTrack, sounding: Chances, pitches: NDArray[np.int_]
) -> Iterator[Scores]:
    """For each step the strength of each pitch, as far as a note sounds, and last that of a rest."""
    for start in range(0, len(readings), _CHUNK):
        here = slice(start, start + len(readings[start : start + _CHUNK]))
        far = (readings[here, :, None] - pitches) / _SPREAD_SEMITONES
        strengths = (track.strengths[here, :, None] * np.exp(-0.5 * far**2)).max(axis=1)
        rests = _SURE_REST + sounding[here] * (_REST - _SURE_REST)
        strengths *= sounding[here, None]
        yield from np.concatenate([strengths, rests[:, None]], axis=1)


def _walked_back(
    is_new: Flags, leaders: NDArray[np.int16], state: int, pitches: NDArray[np.int_]
) -> list[Span]:
    spans: list[Span] = []
    stop = len(is_new)
    for step in range(len(is_new) - 1, -1, -1):
        if step and not is_new[step, state]:
            continue
        if state < len(pitches):
            spans.append(Span(pitch=int(pitches[state]), start=step, stop=stop))
        stop, state = step, int(leaders[step])
    return spans[::-1]
