"""The line through readings: what changes it, what does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bridge.measure.activity import Activity
from bridge.measure.noteline import Span, note_line
from bridge.measure.pitches import READINGS, PitchTrack


def read(pitches: Sequence[float], *, strength: float = 0.7, second: float = 0.0) -> PitchTrack:
    """A track whose strongest readings are these; ``second`` is that of the octave below."""
    found = np.zeros((len(pitches), READINGS), np.float32)
    strengths = np.zeros_like(found)
    found[:, 0], strengths[:, 0] = pitches, strength
    found[:, 1], strengths[:, 1] = np.array(pitches) - 12, second
    return PitchTrack(
        step_s=0.01, pitches=found, strengths=strengths, levels_db=np.zeros(len(found), np.float32)
    )


def line(track: PitchTrack, *, begins: Sequence[int] = (), silent: slice | None = None) -> tuple[Span, ...]:
    """The line where notes begin at some steps and sound everywhere but in ``silent``."""
    steps = len(track.pitches)
    beginning, sounding = np.zeros(steps, np.float32), np.ones(steps, np.float32)
    beginning[list(begins)] = 1
    if silent is not None:
        sounding[silent] = 0
    return note_line(track, Activity(beginning=beginning, sounding=sounding), change=4.0, reward=7.0)


def test_a_steady_pitch_is_one_span() -> None:
    """From the first step to the last."""
    assert line(read([60] * 50)) == (Span(pitch=60, start=0, stop=50),)


def test_a_new_pitch_is_a_new_span() -> None:
    """It changes where the readings do, with no other sign of a beginning."""
    assert line(read([60] * 30 + [62] * 30)) == (
        Span(pitch=60, start=0, stop=30),
        Span(pitch=62, start=30, stop=60),
    )


@pytest.mark.parametrize("steps", [1, 3])
def test_a_slip_of_a_few_steps_is_passed_over(steps: int) -> None:
    """An octave error of 30 ms is no note."""
    (span,) = line(read([60] * 30 + [72] * steps + [60] * 30, second=0.3))
    assert span.pitch == 60


def test_the_same_pitch_begins_again_where_it_is_said() -> None:
    """A sure beginning parts a pitch in two."""
    assert line(read([60] * 60), begins=[25]) == (
        Span(pitch=60, start=0, stop=25),
        Span(pitch=60, start=25, stop=60),
    )


def test_where_nothing_sounds_is_a_rest() -> None:
    """Readings without a note are an echo."""
    assert line(read([60] * 90), silent=slice(30, 60)) == (
        Span(pitch=60, start=0, stop=30),
        Span(pitch=60, start=60, stop=90),
    )


@pytest.mark.parametrize("cents", [-45, -20, 30, 45])
def test_a_tuning_is_taken_out(cents: int) -> None:
    """A pitch and its neighbours count from the tuning that they agree on."""
    spans = line(read([pitch + cents / 100 for pitch in [60] * 30 + [61] * 30 + [59] * 30]))
    assert [span.pitch for span in spans] == [60, 61, 59]


def test_no_readings_are_no_line() -> None:
    """Neither silence nor nothing at all has notes."""
    assert line(read([0] * 20, strength=0)) == ()
    assert line(read([])) == ()


def test_seams_of_chunks_do_not_show() -> None:
    """A line longer than what is worked on at once changes where it should."""
    spans = line(read(([60] * 500 + [64] * 500) * 3))
    assert [span.start for span in spans] == [0, 500, 1000, 1500, 2000, 2500]
