"""Treble that a codec or a generator cut off, made anew: by the first extender whose result is plausible.

What is made up is kept only where the band was empty and now is not, where it goes on from the band below
and not above it, and where nothing else became worse: peaks, sibilance, ringing, clicks, pauses, and all that
lies below the cut-off.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.measure.cutoff import LOWEST_HZ, measure_cutoff
from bridge.measure.survey import Survey, survey_file
from bridge.stages.base import part_of
from bridge.stages.repairs.base import Repair, Task, kept, left
from bridge.stages.repairs.trying import by_enhancer, first_that_helps
from bridge.values import Facts, Role

OWN_END = (0.85, 1.1)
"""A stem that ends elsewhere than the song, in shares of the song's end, does so by itself: a filter that was
meant."""
LEAST_GAIN_DB, LEAST_LEVEL_DBFS = 6.0, -80.0
"""Of all that lies above the cut-off: what is softer is not heard behind what lies below."""
MOST_OVER_BELOW_DB, MOST_OVER_SLOPE_DB = 2.0, 10.0
"""A band above against those right below the cut-off, and against their slope carried on."""
MOST_CHANGE_DB = 0.1
MOST_PEAK_DB, MOST_SIBILANCE_DB, MOST_SHIMMER_DB, MOST_FLOOR_DB = 3.0, 3.0, 0.5, 1.5
_HISSING_HZ = 5_000.0
_SOFT_SHIMMER_DB, _SOFT_FLOOR_DBFS = 2.5, -80.0
"""Held notes of a synthesiser shimmer as much as that; pauses below that are silent."""
_TOP_HZ = 19_000.0


def repair(task: Task) -> Repair | None:
    """Extend a stem that ends where its song does, if that is too early; None where there is no reason."""
    is_short = LOWEST_HZ <= task.song_end_hz < task.settings.extend_below_hz
    if not is_short or task.role is Role.BASS or not task.settings.extenders:
        return None
    cutoff_hz = measure_cutoff(task.source, part_of(task.progress, 0.0, 0.1)).hz
    if not OWN_END[0] * task.song_end_hz <= cutoff_hz <= OWN_END[1] * task.song_end_hz:
        return None
    before = survey_file(task.source) if task.is_repaired else task.before
    return first_that_helps(
        task.settings.extenders, task, lambda name, here: _attempt(name, here, before, cutoff_hz)
    )


def _attempt(name: str, task: Task, before: Survey, cutoff_hz: float) -> Repair | None:
    def judged(step: str, task: Task, target: Path) -> Repair:
        after = survey_file(target, part_of(task.progress, 0.8, 1.0))
        return _judged(step, task, target, Change(before=before, after=after, cutoff_hz=cutoff_hz))

    return by_enhancer(name, f"Treble ({name})", task, task.target(name), judged)


@dataclass(frozen=True, kw_only=True)
class Change:
    """A stem before and after, and where it had been cut off."""

    before: Survey
    after: Survey
    cutoff_hz: float

    @property
    def above_dbfs(self) -> tuple[float, float]:
        """The level of all that lies above the cut-off."""
        return self._level_from(self.cutoff_hz * 1.06)

    @property
    def sibilance_db(self) -> float:
        """By how much all above 5 kHz got louder."""
        before, after = self._level_from(_HISSING_HZ)
        return after - before

    @property
    def below_change_db(self) -> float:
        """The most that a band below the cut-off changed."""
        below = (self._hertz < self.cutoff_hz / 1.13) & (self._levels(self.before) > -100)
        if not below.any():
            return 0.0
        return float(np.abs(self._levels(self.after) - self._levels(self.before))[below].max())

    @property
    def over_below_db(self) -> float:
        """By how much the loudest band above is louder than those right below the cut-off."""
        return float(self._above().max() - self._edge()[0])

    @property
    def over_slope_db(self) -> float:
        """By how much a band above sticks out of the slope of the octave below, carried on."""
        level_db, slope_db = self._edge()
        octaves = np.log2(self._hertz[self._is_above] / self.cutoff_hz)
        return float((self._above() - (level_db + min(0.0, slope_db) * octaves)).max())

    @property
    def peak_db(self) -> float:
        """By how much the true peak rose."""
        return self.after.loudness.true_peak_dbtp - self.before.loudness.true_peak_dbtp

    @property
    def _hertz(self) -> NDArray[np.float64]:
        return np.array(self.before.spectrum.band_hz)

    @property
    def _is_above(self) -> NDArray[np.bool_]:
        return np.asarray((self._hertz > self.cutoff_hz * 1.06) & (self._hertz < _TOP_HZ))

    def _levels(self, seen: Survey) -> NDArray[np.float64]:
        return np.array(seen.spectrum.band_db)

    def _above(self) -> NDArray[np.float64]:
        return self._levels(self.after)[self._is_above]

    def _edge(self) -> tuple[float, float]:
        """The level at the cut-off and the slope in dB an octave, as the octave below it has them."""
        octaves = np.log2(self._hertz / self.cutoff_hz)
        chosen = (octaves > -1.1) & (octaves < -0.1)
        slope_db, level_db = np.polyfit(octaves[chosen], self._levels(self.before)[chosen], 1)
        return float(level_db), float(slope_db)

    def _level_from(self, hertz: float) -> tuple[float, float]:
        chosen = self._hertz > hertz
        before, after = (
            10 * np.log10(np.sum(10 ** (self._levels(seen)[chosen] / 10)) + 1e-15)
            for seen in (self.before, self.after)
        )
        return float(before), float(after)


def _judged(step: str, task: Task, target: Path, change: Change) -> Repair:
    before_dbfs, after_dbfs = change.above_dbfs
    peaks = [seen.loudness.true_peak_dbtp for seen in (change.before, change.after)]
    figures: list[Facts] = [
        {
            "name": f"Above {change.cutoff_hz / 1000:.1f} kHz",
            "before": f"{max(before_dbfs, -144):.0f} dBFS",
            "after": f"{after_dbfs:.0f} dBFS",
        },
        {"name": "True peak", "before": f"{peaks[0]:.1f} dBTP", "after": f"{peaks[1]:.1f} dBTP"},
    ]
    fault = fault_of(change)
    if fault:
        return left(step, task, target, fault, figures)
    why = (
        f"The song was cut off at {change.cutoff_hz / 1000:.1f} kHz. What this stem has above was made up "
        "from the band below; what lies below is as it was."
    )
    return kept(step, task, target, why, figures).evolve(seen=change.after)


def fault_of(change: Change) -> str:
    """Why the result is not better than its source, or worse in something else; "" where it is better."""
    before_dbfs, after_dbfs = change.above_dbfs
    if after_dbfs < max(before_dbfs + LEAST_GAIN_DB, LEAST_LEVEL_DBFS):
        return f"Nothing audible could be added: {after_dbfs:.0f} dBFS above the cut-off."
    return _level_fault(change) or _guard_fault(change)


def _level_fault(change: Change) -> str:
    if change.over_below_db > MOST_OVER_BELOW_DB:
        over = f"{change.over_below_db:.1f} dB louder than the band below it"
        return f"What it made is {over}; {MOST_OVER_BELOW_DB:g} dB is the limit."
    if change.over_slope_db > MOST_OVER_SLOPE_DB:
        over = f"{change.over_slope_db:.1f} dB out of the slope of the band below"
        return f"What it made sticks {over}; {MOST_OVER_SLOPE_DB:g} dB is the limit."
    return ""


def _guard_fault(change: Change) -> str:
    """What got worse."""
    before, after = change.before.artefacts, change.after.artefacts
    if after.broken_samples:
        return "Samples came out that are no numbers."
    if change.below_change_db > MOST_CHANGE_DB:
        return f"It changed the band below the cut-off by {change.below_change_db:.1f} dB."
    if change.peak_db > MOST_PEAK_DB:
        return f"It would have raised the peaks by {change.peak_db:.1f} dB; {MOST_PEAK_DB:g} dB is the limit."
    if change.sibilance_db > MOST_SIBILANCE_DB:
        rise = f"{change.sibilance_db:.1f} dB above 5 kHz; {MOST_SIBILANCE_DB:g} dB is the limit"
        return f"It would have made the stem sharp: {rise}."
    if after.shimmer_db > max(before.shimmer_db + MOST_SHIMMER_DB, _SOFT_SHIMMER_DB):
        return f"It rings: steady tones of {after.shimmer_db:.1f} dB, after {before.shimmer_db:.1f} dB."
    if after.clicks > before.clicks:
        return f"It clicks: {after.clicks}, after {before.clicks}."
    if after.noise_floor_dbfs > max(before.noise_floor_dbfs + MOST_FLOOR_DB, _SOFT_FLOOR_DBFS):
        rise = f"from {before.noise_floor_dbfs:.0f} to {after.noise_floor_dbfs:.0f} dBFS"
        return f"It would have made the pauses louder, {rise}."
    return ""
