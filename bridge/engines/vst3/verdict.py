"""Whether what came out of a plug-in can be what was asked of it: heard against what went in."""

from __future__ import annotations

from pathlib import Path

from bridge.audio import probe
from bridge.errors import EngineError
from bridge.measure.agreement import alignment, level_difference

MOST_CHANGE_DB = 40.0
"""Amplifiers and gates that are meant change a stem's level by less."""
MOST_LAG_S = 0.008
"""Steep filters (3 ms for a lowpass of 48 dB/oct at 300 Hz) and choruses (7 ms) move the sound by less."""
LONGEST_LAG_FRAMES = 24_000
SURE = 0.5


def expect_likely(name: str, source: Path, target: Path) -> None:
    """EngineError where the plug-in's output is silent, far louder or quieter, or out of time."""
    _expect_level(name, source, target)
    _expect_in_time(name, source, target)


def _expect_level(name: str, source: Path, target: Path) -> None:
    changed_db = level_difference(target, source).rms_db
    if abs(changed_db) <= MOST_CHANGE_DB:
        return
    way = "louder" if changed_db > 0 else "quieter"
    raise EngineError(
        f"{name} gave a sound {abs(changed_db):.0f} dB {way} than it got; up to {MOST_CHANGE_DB:g} dB are "
        "taken as meant. Look at its gain, its threshold and its preset."
    )


def _expect_in_time(name: str, source: Path, target: Path) -> None:
    found = alignment(target, source, LONGEST_LAG_FRAMES)
    if found.confidence < SURE or abs(found.lag_frames) <= MOST_LAG_S * probe(source).rate_hz:
        return
    way = "late" if found.lag_frames > 0 else "early"
    raise EngineError(
        f"{name} gave its sound {abs(found.lag_frames)} samples too {way}, its latency taken out. Either it "
        "tells a wrong latency: update it; or nothing of the sound passes undelayed: mix some in."
    )
