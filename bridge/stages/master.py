"""Master: the master chain, then a verified true-peak limiter for each loudness target.

The gain into the limiter is searched until the integrated loudness (BS.1770) stands at the target. A target
that would need more limiting than it allows is not forced: the loudest master inside that limit is made, and
the facts say what was reached and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from bridge.dsp.limiter import LimitReport, limit_file
from bridge.measure.loudness import Loudness
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.chain_run import LEFT_OUT, run_chain
from bridge.stages.checkup import Checkup, check_up, harm_done
from bridge.values import Asset, Facts, SampleFormat, Value
from presets import Chain, Target

STRAY_PEAK_DB = 12.0
"""How far a stray peak may be limited beyond what a target allows for a hundredth of the time."""
LIMITING_TOLERANCE_DB = 0.1
Decibel = Annotated[float, Field(ge=-12, le=12)]


class Goal(Value):
    """A loudness target with what QA corrected about it."""

    target: Target
    ceiling_margin_db: Annotated[float, Field(ge=0, le=6)] = 0.0
    """Kept below the target's ceiling."""
    loudness_shift_lu: Decibel = 0.0
    """Added to the target's loudness: the difference between two meters."""

    @property
    def ceiling_dbtp(self) -> float:
        """The ceiling to limit to."""
        return self.target.ceiling_dbtp - self.ceiling_margin_db

    @property
    def loudness_lufs(self) -> float:
        """The loudness to search for."""
        return self.target.integrated_lufs + self.loudness_shift_lu


class Params(Value):
    """The master chain, the targets, and the limits of both."""

    chain: Chain
    """For a mix of any loudness: its thresholds follow the mix that it meets."""
    goals: tuple[Goal, ...]
    bits: int
    drive_loss_db: float
    tone_shift_db: float
    search_passes: int
    search_tolerance_lu: float
    plugins: tuple[str, ...] = ()
    """Marks of the third-party plug-ins in the chain: a new version makes a new master."""


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Make one master for each target from the asset ``mix``."""
    premaster = _premaster(params, inputs.asset(roles.MIX), room, part_of(room.progress, 0, 0.4))
    made = for_each(
        params.goals,
        lambda goal, progress: _master(goal, premaster, params, room, progress),
        room.config.work.threads,
        part_of(room.progress, 0.4, 1.0),
    )
    if premaster.path.parent == room.folder:
        premaster.path.unlink()
    names = [goal.target.name for goal in params.goals]
    files = {f"{roles.MASTER}/{name}": path for name, (path, _) in zip(names, made, strict=True)}
    files |= {f"{roles.STATE}/{name}": path for name, path in premaster.states.items()}
    masters = {name: facts for name, (_, facts) in zip(names, made, strict=True)}
    left_out = [{"subject": roles.MASTER, "why": why} for why in premaster.left_out]
    return Made(files=files, facts={"chain": premaster.facts, "masters": masters, LEFT_OUT: left_out})


STAGE = Stage(name="master", version=4, cost=0.10, run=run)


class _Premaster(Value):
    """What goes into the limiter: where it lies, how it measures, what the chain did."""

    path: Path
    measured: Checkup
    facts: Facts
    states: dict[str, Path] = Field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def _premaster(params: Params, mix: Asset, room: Room, progress: Progress) -> _Premaster:
    """The mix behind the master chain, or the mix itself where the chain did harm."""
    before = check_up(mix.path, part_of(progress, 0, 0.25))
    if not params.chain.effects:
        return _Premaster(path=mix.path, measured=before, facts={"is_kept": False, "why": "no chain"})
    # the mix bus may have turned the mix down by decibels since the song was measured
    chain = params.chain.at_level(round(before.loudness_lufs, 1))
    target = room.folder / "premaster.wav"
    run = run_chain(mix.path, target, chain, room.config.vst3, part_of(progress, 0.25, 0.75))
    after = check_up(target, part_of(progress, 0.75, 1.0))
    harm = harm_done(before, after, params.drive_loss_db, params.tone_shift_db)
    facts = {
        "is_kept": not harm,
        "why": harm,
        "chain": chain.model_dump(mode="json"),
        "before": before.model_dump(mode="json"),
        "after": after.model_dump(mode="json"),
        "effects": run.report.model_dump(mode="json"),
    }
    if harm:
        target.unlink()
        return _Premaster(path=mix.path, measured=before, facts=facts, left_out=run.left_out)
    return _Premaster(path=target, measured=after, facts=facts, states=run.states, left_out=run.left_out)


def _master(
    goal: Goal, premaster: _Premaster, params: Params, room: Room, progress: Progress
) -> tuple[Path, Facts]:
    path = room.folder / f"master {goal.target.name}.wav"
    search = _Search(goal, premaster.measured, params)
    for number in range(params.search_passes):
        step = part_of(progress, number / params.search_passes, (number + 1) / params.search_passes)
        limited = limit_file(
            premaster.path,
            path,
            ceiling_dbtp=goal.ceiling_dbtp,
            gain_db=search.gain_db,
            sample_format=SampleFormat.INT24 if params.bits == 24 else SampleFormat.INT16,
            progress=step,
        )
        if search.is_settled_by(limited):
            break
    return path, search.facts(limited.loudness) | {"limiter": limited.model_dump(mode="json")}


class _Search:
    """The gain into the limiter at which the master has the target's loudness."""

    def __init__(self, goal: Goal, before: Checkup, params: Params) -> None:
        self._goal = goal
        self._tolerance_lu = params.search_tolerance_lu
        most_reduction_db = goal.target.max_limiting_db + STRAY_PEAK_DB
        self._most_gain_db = goal.ceiling_dbtp + most_reduction_db - before.true_peak_dbtp
        self._wanted_gain_db = goal.loudness_lufs - before.loudness_lufs
        self.gain_db = min(self._wanted_gain_db, self._most_gain_db)
        self._tried: list[tuple[float, float]] = []
        self._is_held_back = False

    def is_settled_by(self, limited: LimitReport) -> bool:
        """Take in what the gain gave; choose the next gain where it was not right yet."""
        error_lu = self._goal.loudness_lufs - limited.loudness.integrated_lufs
        excess_db = limited.busy_gain_reduction_db - self._goal.target.max_limiting_db
        self._tried.append((self.gain_db, limited.loudness.integrated_lufs))
        if excess_db > LIMITING_TOLERANCE_DB:
            self._most_gain_db = self.gain_db - excess_db
        elif abs(error_lu) <= self._tolerance_lu:
            return True
        following_db = min(self.gain_db + error_lu * self._steps_per_lu(), self._most_gain_db)
        is_at_most = following_db >= self._most_gain_db and following_db >= self.gain_db
        self._is_held_back = error_lu > 0 and is_at_most
        self.gain_db = following_db
        return self._is_held_back

    def _steps_per_lu(self) -> float:
        """Decibels of gain for a LU of loudness: over 1 where the limiter works; secant of two tries."""
        if len(self._tried) < 2:
            return 1.1
        (gain_a, loud_a), (gain_b, loud_b) = self._tried[-2:]
        slope = (loud_b - loud_a) / (gain_b - gain_a) if gain_a != gain_b else 1.0
        return 1.0 / min(1.0, max(0.25, slope))

    def facts(self, loudness: Loudness) -> Facts:
        """What was wanted, what was reached, and why not where it was not."""
        target = self._goal.target
        is_reached = abs(self._goal.loudness_lufs - loudness.integrated_lufs) <= max(0.05, self._tolerance_lu)
        return {
            "target": target.model_dump(mode="json"),
            "is_reached": is_reached,
            "is_held_back": self._is_held_back and not is_reached,
            "why": self._why_not(loudness) if self._is_held_back and not is_reached else "",
            "gain_db": round(self._tried[-1][0], 3),
            "passes": len(self._tried),
            "loudness": loudness.model_dump(mode="json"),
        }

    def _why_not(self, loudness: Loudness) -> str:
        target = self._goal.target
        return (
            f"{target.integrated_lufs:g} LUFS would need more than the {target.max_limiting_db:g} dB of peak "
            f"limiting that the target '{target.name}' allows; "
            f"{loudness.integrated_lufs:.1f} LUFS is what it takes unharmed."
        )
