"""Clicks filled from their surroundings where they are damage."""

from __future__ import annotations

from bridge.dsp.clicks import repair_clicks
from bridge.stages.repairs.base import Repair, Task, kept, left

MOST_LOSS_DB = -20.0
"""More energy than this, against the stem, is no click."""
STEP = "Clicks"


def repair(task: Task) -> Repair | None:
    """Fill the clicks; None where there are none."""
    found, target = task.before.artefacts.clicks, task.target("clicks")
    if not found:
        return None
    per_s = found / (task.before.frames / task.before.rate_hz)
    limit = task.settings.click_limit_per_s
    if per_s > limit:
        why = f"{per_s:.1f} clicks a second are a sound, not damage; {limit:g} is the limit."
        return left(STEP, task, target, why)
    report = repair_clicks(task.source, target)
    if not report.clicks:
        return left(STEP, task, target, "A closer look found no damage: nothing was changed.")
    if task.lost_db(target) > MOST_LOSS_DB:
        return left(STEP, task, target, "What looked like clicks belongs to the music.")
    why = f"{report.clicks} clicks ({report.repaired_frames} samples) were filled from their surroundings."
    return kept(STEP, task, target, why)
