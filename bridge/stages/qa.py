"""QA: does what was made keep the promises? Each check says what was found, what was wanted, what to do.

Masters are judged by a second meter, FFmpeg's ebur128, which shares no line with the one they were made by.
Hard checks keep a master from being delivered; the others are told in the report.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from bridge.audio import open_audio
from bridge.config import Qa
from bridge.measure.agreement import alignment, null_depth
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.measure.loudness import LOUDNESS_FLOOR_LUFS
from bridge.measure.survey import Survey, survey_file
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.master import Goal
from bridge.stages.views import save_view
from bridge.values import Asset, QaCheck, QaReport, StageResult, Value

PEAK_READING_DB = 0.005
"""FFmpeg tells peaks in steps of 0.001 of full scale: half a step is no excess."""


class Params(Value):
    """The limits, and the targets that the masters were made for."""

    settings: Qa
    goals: tuple[Goal, ...] = ()
    source_clipped_runs: int = 0
    """Flat tops that the song came with: no master is blamed for those."""
    unreached: tuple[str, ...] = ()
    """Names of targets that were not forced: their loudness is what the song could take."""


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Check stems, mix and masters; the surveys of the masters are kept for the report."""
    source = inputs.path(roles.SOURCE)
    checks = [*_stem_checks(params, inputs, source), *_mix_checks(params, inputs)]
    room.progress(0.3)
    views = {}
    masters = roles.of_kind(inputs, roles.MASTER)
    looked = for_each(
        masters,
        lambda asset, progress: _look_at(asset, progress),
        room.config.work.threads,
        part_of(room.progress, 0.3, 1.0),
    )
    for asset, (seen, second) in zip(masters, looked, strict=True):
        goal = next(goal for goal in params.goals if goal.target.name == roles.label(asset))
        checks.extend(_master_checks(asset, goal, seen, second, params, source))
        views[f"{roles.VIEWS}/{asset.role}"] = save_view(
            seen, room.folder / f"view {roles.label(asset)}.json"
        )
    facts = {
        "checks": [check.model_dump(mode="json") for check in checks],
        "masters": {
            roles.label(asset): second.model_dump(mode="json")
            for asset, (_, second) in zip(masters, looked, strict=True)
        },
    }
    return Made(files=views, facts=facts)


STAGE = Stage(name="qa", version=1, cost=0.03, run=run)


def report_of(result: StageResult) -> QaReport:
    """The report in the stage's findings."""
    return QaReport(checks=tuple(QaCheck.model_validate(check) for check in result.facts["checks"]))


def unreached(masters: StageResult) -> Iterator[str]:
    """The targets that the master stage did not force; one that it merely missed is none of them."""
    for name, facts in masters.facts["masters"].items():
        if facts["is_held_back"]:
            yield name


class SecondMeter(Value):
    """What FFmpeg's ebur128 says."""

    loudness_lufs: float
    true_peak_dbtp: float


def _look_at(asset: Asset, progress: Progress) -> tuple[Survey, SecondMeter]:
    seen = survey_file(asset.path, part_of(progress, 0.0, 0.6))
    second = ffmpeg_loudness(asset.path, part_of(progress, 0.6, 1.0))
    return seen, SecondMeter(loudness_lufs=second.integrated_lufs, true_peak_dbtp=second.true_peak_dbtp)


def _stem_checks(params: Params, inputs: Inputs, source: Path) -> Iterator[QaCheck]:
    separated = roles.of_kind(inputs, roles.SEPARATED)
    if not separated:
        return
    yield _null("null", "Null", "separated stems", [asset.path for asset in separated], source, params)
    for asset in roles.of_kind(inputs, roles.DRY):
        yield _length(asset, source)
        yield _alignment(asset, source)


def _mix_checks(params: Params, inputs: Inputs) -> Iterator[QaCheck]:
    mixed = roles.of_kind(inputs, roles.MIXED)
    if mixed:
        mix = inputs.path(roles.MIX)
        yield _null("mix_sum", "Sum", "mixed stems", [asset.path for asset in mixed], mix, params)


def _null(code: str, name: str, subject: str, parts: list[Path], whole: Path, params: Params) -> QaCheck:
    found = null_depth(parts, whole)
    limit = params.settings.null_dbfs
    return QaCheck(
        code=code,
        name=name,
        subject=subject,
        found=f"{found.peak_dbfs:.1f} dBFS",
        wanted=f"{limit:g} dBFS or lower",
        passed=found.peak_dbfs <= limit and found.length_difference == 0,
        is_hard=False,
        error=max(0.0, found.peak_dbfs - limit),
        advice="The stems do not sum to what they were made from; please report this with the manifest.",
    )


def _length(asset: Asset, source: Path) -> QaCheck:
    with open_audio(asset.path) as one, open_audio(source) as other:
        found, wanted = one.info, other.info
    is_same = (found.frames, found.rate_hz) == (wanted.frames, wanted.rate_hz)
    return QaCheck(
        code="length",
        name="Length and rate",
        subject=asset.role,
        found=f"{found.frames} frames at {found.rate_hz} Hz",
        wanted=f"{wanted.frames} at {wanted.rate_hz} Hz",
        passed=is_same,
        is_hard=asset.role.startswith(roles.MASTER),
        error=float(found.frames - wanted.frames),
        advice="A file of another length does not line up; please report this with the manifest.",
    )


def _alignment(asset: Asset, source: Path) -> QaCheck:
    found = alignment(asset.path, source)
    is_known = found.confidence > 0.5
    return QaCheck(
        code="alignment",
        name="Alignment",
        subject=asset.role,
        found=f"{found.lag_frames} samples" if is_known else "too little sound to tell",
        wanted="0 samples",
        passed=found.lag_frames == 0 or not is_known,
        is_hard=False,
        error=float(found.lag_frames) if is_known else 0.0,
        advice="Move the stem by this many samples in Live, and please report this.",
    )


def _master_checks(
    asset: Asset, goal: Goal, seen: Survey, second: SecondMeter, params: Params, source: Path
) -> Iterator[QaCheck]:
    limits = params.settings
    yield _loudness(asset, goal, second, params)
    yield _true_peak(asset, goal, second)
    yield _length(asset, source)
    yield _limit(
        "clipping", "Clipping", asset, seen.artefacts.clipped_runs, params.source_clipped_runs, "flat tops",
        "The limiter is asked for more room below the ceiling.",
    )  # fmt: skip
    yield _limit(
        "not_finite", "Broken samples", asset, seen.artefacts.broken_samples, 0, "samples",
        "The chains are left out.",
    )  # fmt: skip
    yield _silence(asset, seen, limits)
    yield _correlation(asset, seen, limits)
    yield _offset(asset, seen, limits)


def _loudness(asset: Asset, goal: Goal, second: SecondMeter, params: Params) -> QaCheck:
    wanted = goal.target.integrated_lufs
    error = second.loudness_lufs - wanted
    is_unforced = goal.target.name in params.unreached and error < 0
    tolerance = params.settings.loudness_tolerance_lu
    return QaCheck(
        code="loudness",
        name="Loudness",
        subject=asset.role,
        found=f"{second.loudness_lufs:.2f} LUFS" + (" (not forced further)" if is_unforced else ""),
        wanted=f"{wanted:g} LUFS ± {tolerance:g}"
        + (", or what the song takes unharmed" if is_unforced else ""),
        passed=abs(error) <= tolerance or is_unforced,
        is_hard=True,
        error=error,
        advice="The gain into the limiter is corrected by the difference.",
    )


def _true_peak(asset: Asset, goal: Goal, second: SecondMeter) -> QaCheck:
    ceiling = goal.target.ceiling_dbtp
    excess = second.true_peak_dbtp - ceiling
    return QaCheck(
        code="true_peak",
        name="True peak",
        subject=asset.role,
        found=f"{second.true_peak_dbtp:.2f} dBTP",
        wanted=f"{ceiling:g} dBTP or lower",
        passed=excess <= PEAK_READING_DB,
        is_hard=True,
        error=max(0.0, excess),
        advice="The limiter's ceiling is lowered by the excess.",
    )


def _limit(code: str, name: str, asset: Asset, found: int, most: int, unit: str, advice: str) -> QaCheck:
    return QaCheck(
        code=code,
        name=name,
        subject=asset.role,
        found=f"{found} {unit}",
        wanted=f"{most}",
        passed=found <= most,
        is_hard=True,
        error=float(max(0, found - most)),
        advice=advice,
    )


def _silence(asset: Asset, seen: Survey, limits: Qa) -> QaCheck:
    share = seen.artefacts.silent_share
    is_lost = share > limits.silence_share or seen.loudness.integrated_lufs <= LOUDNESS_FLOOR_LUFS
    return QaCheck(
        code="silence",
        name="Silence",
        subject=asset.role,
        found=f"{share:.0%} silent",
        wanted=f"{limits.silence_share:.0%} at most",
        passed=not is_lost,
        is_hard=True,
        error=max(0.0, share - limits.silence_share),
        advice="The chains are left out.",
    )


def _correlation(asset: Asset, seen: Survey, limits: Qa) -> QaCheck:
    found = seen.stereo.correlation
    return QaCheck(
        code="correlation",
        name="Phase",
        subject=asset.role,
        found=f"correlation {found:.2f}",
        wanted=f"{limits.min_correlation:g} or higher",
        passed=found >= limits.min_correlation,
        is_hard=False,
        error=min(0.0, found - limits.min_correlation),
        advice="Much of it is lost on a mono speaker; the song itself may be so: compare it in mono.",
    )


def _offset(asset: Asset, seen: Survey, limits: Qa) -> QaCheck:
    offset = abs(seen.artefacts.dc_offset)
    found_dbfs = 20 * math.log10(offset) if offset > 0 else -150.0
    return QaCheck(
        code="dc",
        name="Offset (DC)",
        subject=asset.role,
        found=f"{max(found_dbfs, -150.0):.0f} dBFS",
        wanted=f"{limits.dc_dbfs:g} dBFS or lower",
        passed=found_dbfs <= limits.dc_dbfs,
        is_hard=False,
        error=max(0.0, found_dbfs - limits.dc_dbfs),
        advice="It costs headroom and can click at edits; a highpass at 20 Hz removes it.",
    )
