"""Restore: offset, clicks and hiss taken out of each separated stem, where measurement says that it helped.

A repair is kept only where the flaw that it is for got smaller and nothing else changed; otherwise the stem
goes on as it was. What a kept repair took away is told, stem by stem. A stem without flaws passes through as
the same file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from bridge.config import Restore
from bridge.dsp.clicks import repair_clicks
from bridge.dsp.hiss import estimate_hiss, reduce_hiss
from bridge.dsp.offset import remove_offset
from bridge.measure.agreement import null_depth
from bridge.measure.survey import Survey, survey_file
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage, for_each, part_of
from bridge.stages.checkup import Checkup
from bridge.stages.views import save_view
from bridge.values import Asset, Facts, Value

LEAST_OFFSET_GAIN_DB = 6.0
"""An offset has to shrink by this much."""
CLICK_LOSS_DB = -20.0
"""More energy than this, against the stem, is no click."""


class Params(Value):
    """How far repair may go; without ``is_active`` stems are measured and pass on."""

    settings: Restore
    is_active: bool


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Repair the assets ``separated/...``; they leave as ``dry/...`` with what was seen of them."""
    stems = roles.of_kind(inputs, roles.SEPARATED)
    restored = for_each(
        stems,
        lambda asset, progress: _restore(asset, params, room, progress),
        room.config.work.threads,
        room.progress,
    )
    files: dict[str, Path] = {}
    passed_on: list[Asset] = []
    facts: Facts = {}
    for asset, stem in zip(stems, restored, strict=True):
        label = roles.label(asset)
        role = f"{roles.DRY}/{label}"
        if stem.path == asset.path:
            passed_on.append(asset.evolve(role=role))
        else:
            files[role] = stem.path
        files[f"{roles.VIEWS}/{role}"] = save_view(stem.seen, room.folder / f"view {label}.json")
        facts[label] = stem.facts
    return Made(files=files, passed_on=tuple(passed_on), facts={"stems": facts})


STAGE = Stage(name="restore", version=1, cost=0.05, run=run)


class _Restored(Value):
    """A stem after repair: where it lies, what is seen of it, what was done."""

    path: Path
    seen: Survey
    facts: Facts


class _Repair(Value):
    """What one repair came to: the file to go on with, and the decision for the report."""

    path: Path
    decision: Facts


def _restore(asset: Asset, params: Params, room: Room, progress: Progress) -> _Restored:
    before = survey_file(asset.path, part_of(progress, 0.0, 0.4))
    path, decisions = asset.path, []
    if params.is_active and not before.loudness.is_silent:
        for repair in _repairs(asset, before, params.settings, room, part_of(progress, 0.4, 0.8)):
            path = repair.path
            decisions.append(repair.decision)
    seen = before if path == asset.path else survey_file(path, part_of(progress, 0.8, 1.0))
    facts = {
        "before": Checkup.of(before).model_dump(mode="json"),
        "after": Checkup.of(seen).model_dump(mode="json"),
        "sample_peak_dbfs": seen.loudness.sample_peak_dbfs,
        "decisions": decisions,
    }
    return _Restored(path=path, seen=seen, facts=facts)


def _repairs(
    asset: Asset, before: Survey, settings: Restore, room: Room, progress: Progress
) -> Iterator[_Repair]:
    """Each repair that there is a reason for, on what the one before it left."""
    label, path = roles.label(asset), asset.path
    if _offset_dbfs(before) > settings.dc_dbfs:
        repair = _take_offset(path, room.folder / f"offset {label}.wav", before)
        path = repair.path
        yield repair
    if before.artefacts.clicks:
        repair = _take_clicks(path, room.folder / f"clicks {label}.wav", before, settings)
        path = repair.path
        yield repair
    progress(0.5)
    hiss = _take_hiss(path, room.folder / f"hiss {label}.wav", before, settings)
    if hiss:
        yield hiss
    progress(1.0)


def _offset_dbfs(seen: Survey) -> float:
    offset = abs(seen.artefacts.dc_offset)
    return 20 * math.log10(offset) if offset > 0 else -math.inf


def _take_offset(source: Path, target: Path, before: Survey) -> _Repair:
    remove_offset(source, target)
    found_dbfs, left_dbfs = _offset_dbfs(before), _offset_dbfs(survey_file(target))
    figures = [
        {"name": "Offset", "before": f"{found_dbfs:.0f} dBFS", "after": f"{max(left_dbfs, -144):.0f} dBFS"}
    ]
    if left_dbfs < found_dbfs - LEAST_OFFSET_GAIN_DB:
        return _kept("Offset (DC)", source, target, "It cost headroom and clicked at cuts.", figures)
    return _left(
        "Offset (DC)", source, target, "The filter did not make it smaller: nothing was changed.", figures
    )


def _take_clicks(source: Path, target: Path, before: Survey, settings: Restore) -> _Repair:
    per_s = before.artefacts.clicks / (before.frames / before.rate_hz)
    if per_s > settings.click_limit_per_s:
        limit = settings.click_limit_per_s
        why = f"{per_s:.1f} clicks a second are a sound, not damage; {limit:g} is the limit."
        return _left("Clicks", source, target, why)
    report = repair_clicks(source, target)
    if not report.clicks:
        return _left("Clicks", source, target, "A closer look found no damage: nothing was changed.")
    if _lost_db(source, target, before) > CLICK_LOSS_DB:
        return _left("Clicks", source, target, "What looked like clicks belongs to the music.")
    why = f"{report.clicks} clicks ({report.repaired_frames} samples) were filled from their surroundings."
    return _kept("Clicks", source, target, why)


def _take_hiss(source: Path, target: Path, before: Survey, settings: Restore) -> _Repair | None:
    """Denoise where there is hiss; None where there is none."""
    found_dbfs = estimate_hiss(source).level_dbfs
    if found_dbfs < settings.noise_floor_dbfs:
        return None
    reduce_hiss(source, target, most_db=settings.denoise_limit_db)
    left_dbfs = estimate_hiss(target).level_dbfs
    fallen_db, lost_db = found_dbfs - left_dbfs, _lost_db(source, target, before)
    figures = [{"name": "Hiss", "before": f"{found_dbfs:.0f} dBFS", "after": f"{left_dbfs:.0f} dBFS"}]
    if lost_db > settings.denoise_loss_db:
        why = f"It would have taken music: what went was only {-lost_db:.0f} dB below the stem."
        return _left("Hiss", source, target, why, figures)
    if fallen_db < settings.denoise_gain_db:
        why = f"It fell by {fallen_db:.1f} dB only; {settings.denoise_gain_db:g} dB is the least."
        return _left("Hiss", source, target, why, figures)
    why = f"It fell by {fallen_db:.1f} dB; all that was taken away is {-lost_db:.0f} dB below the stem."
    return _kept("Hiss", source, target, why, figures)


def _lost_db(source: Path, target: Path, before: Survey) -> float:
    """What a repair took away or added, against the stem, in dB of effective value."""
    return null_depth([target], source).rms_dbfs - before.artefacts.rms_dbfs


def _kept(step: str, source: Path, target: Path, why: str, figures: list[Facts] | None = None) -> _Repair:
    """The repair counts; the decision says at what level something was taken away or added."""
    changed_dbfs = round(null_depth([target], source).rms_dbfs, 1)
    decision = {
        "step": step,
        "kept": True,
        "why": why,
        "figures": figures or [],
        "changed_dbfs": changed_dbfs,
    }
    return _Repair(path=target, decision=decision)


def _left(step: str, source: Path, target: Path, why: str, figures: list[Facts] | None = None) -> _Repair:
    """The stem goes on as it was."""
    target.unlink(missing_ok=True)
    return _Repair(path=source, decision={"step": step, "kept": False, "why": why, "figures": figures or []})
