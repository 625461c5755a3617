"""Hiss that never stops turned down, where that takes no music."""

from __future__ import annotations

from bridge.dsp.hiss import estimate_hiss, reduce_hiss
from bridge.stages.repairs.base import Repair, Task, kept, left

STEP = "Hiss"


def repair(task: Task) -> Repair | None:
    """Denoise where there is hiss; None where there is none."""
    settings, source, target = task.settings, task.source, task.target("hiss")
    found_dbfs = estimate_hiss(source).level_dbfs
    if found_dbfs < settings.noise_floor_dbfs:
        return None
    reduce_hiss(source, target, most_db=settings.denoise_limit_db)
    left_dbfs = estimate_hiss(target).level_dbfs
    fallen_db, lost_db = found_dbfs - left_dbfs, task.lost_db(target)
    figures = [{"name": "Hiss", "before": f"{found_dbfs:.0f} dBFS", "after": f"{left_dbfs:.0f} dBFS"}]
    if lost_db > settings.denoise_loss_db:
        why = f"It would have taken music: what went was only {-lost_db:.0f} dB below the stem."
        return left(STEP, task, target, why, figures)
    if fallen_db < settings.denoise_gain_db:
        why = f"It fell by {fallen_db:.1f} dB only; {settings.denoise_gain_db:g} dB is the least."
        return left(STEP, task, target, why, figures)
    why = f"It fell by {fallen_db:.1f} dB; all that was taken away is {-lost_db:.0f} dB below the stem."
    return kept(STEP, task, target, why, figures)
