"""An offset (DC) taken away where it got smaller by that."""

from __future__ import annotations

import math

from bridge.dsp.offset import remove_offset
from bridge.measure.survey import Survey, survey_file
from bridge.stages.repairs.base import Repair, Task, kept, left

LEAST_GAIN_DB = 6.0
"""An offset has to shrink by this much."""
STEP = "Offset (DC)"


def repair(task: Task) -> Repair | None:
    """Take the offset away; None where there is none."""
    found_dbfs = _offset_dbfs(task.before)
    if found_dbfs <= task.settings.dc_dbfs:
        return None
    target = task.target("offset")
    remove_offset(task.source, target)
    left_dbfs = _offset_dbfs(survey_file(target))
    figures = [
        {"name": "Offset", "before": f"{found_dbfs:.0f} dBFS", "after": f"{max(left_dbfs, -144):.0f} dBFS"}
    ]
    if left_dbfs < found_dbfs - LEAST_GAIN_DB:
        return kept(STEP, task, target, "It cost headroom and clicked at cuts.", figures)
    return left(STEP, task, target, "The filter did not make it smaller: nothing was changed.", figures)


def _offset_dbfs(seen: Survey) -> float:
    offset = abs(seen.artefacts.dc_offset)
    return 20 * math.log10(offset) if offset > 0 else -math.inf
