"""Beats and bars: patterns whose beats are known, straight, drifting and played."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.measure.beats import measure_beats

from .grooves import GROOVES, RATE_HZ, played
from .signals import joined, silence


def heard(folder: Path, sound: Audio, drums: Audio | None = None):  # type: ignore[no-untyped-def]
    """The grid of a sound, read from a file."""
    write_audio(folder / "song.wav", sound)
    if drums:
        write_audio(folder / "drums.wav", drums)
    return measure_beats(folder / "song.wav", folder / "drums.wav" if drums else None)


def share_near(found_s: Sequence[float], true_s: Sequence[float], within_s: float = 0.03) -> float:
    """How many of the true times are found."""
    return float(np.mean(np.abs(np.array(true_s)[:, None] - np.array(found_s)).min(axis=1) < within_s))


@pytest.mark.parametrize(
    ("groove", "tempo_bpm"),
    [("rock", 120.0), ("pop", 104.0), ("hip-hop", 84.0), ("break", 172.0), ("disco", 122.0)],
)
def test_beats_and_bars_of_patterns(groove: str, tempo_bpm: float, tmp_path: Path) -> None:
    """All beats within 30 ms, the tempo to 0.1%, four to a bar, the downbeat right."""
    beat_s = 60 / tempo_bpm
    grid = heard(
        tmp_path, joined(silence(0.7, rate_hz=RATE_HZ, channels=1), played(GROOVES[groove][1], tempo_bpm, 12))
    )
    assert grid.tempo_bpm == pytest.approx(tempo_bpm, rel=0.001)
    assert share_near(grid.beats_s, 0.7 + beat_s * np.arange(48)) == 1
    assert grid.beats_per_bar == 4
    assert share_near(grid.downbeats_s, 0.7 + 4 * beat_s * np.arange(12)) == 1
    assert len(grid.beats_s) <= 52
