"""Noise taken out by the first denoiser that helps: networks where they are installed, else what is built in.

A network for speech takes a sung voice, or the whole music, for noise. So what it did is kept only where
what went was noise by three measures: the pauses fell, the voice kept its level, and what went has the
texture of noise or, at least, did not grow with the voice.
"""

from __future__ import annotations

import math
from pathlib import Path

from bridge.measure.removal import Removal, measure_removal
from bridge.stages.base import part_of
from bridge.stages.repairs import hiss
from bridge.stages.repairs.base import Repair, Task, kept, left
from bridge.stages.repairs.trying import by_enhancer, first_that_helps

BUILT_IN = "hiss"
MOST_TEXTURE_DB, MOST_WORST_TEXTURE_DB = 5.0, 6.0
"""What goes out of noisy speech has 2.4 to 4.7 dB (noise has 2.5); a sung voice's share of it has 5 to 21."""
MOST_LOSS_DB = -7.5
"""What goes with all the noise, against what stays: -10 dB and less for noisy speech, -7 to 12 for music."""
MOST_STEADY_LOSS_DB, MOST_STEADY_GROWTH_DB = -17.5, 6.0
"""Little noise under a clear voice: what goes has the voice's texture, but hardly grows with it."""


def repair(task: Task) -> Repair | None:
    """Denoise, each denoiser in the order of the settings until one helps; None where there is no reason."""
    return first_that_helps(task.settings.denoisers, task, _attempt)


def _attempt(name: str, task: Task) -> Repair | None:
    if name == BUILT_IN:
        return hiss.repair(task)
    return by_enhancer(name, f"Noise ({name})", task, task.target(name), _judged, _has_noise)


def _has_noise(task: Task) -> bool:
    """Whether the pauses hold so much noise that it would be heard."""
    seen = measure_removal(task.source, task.source, part_of(task.progress, 0.0, 0.1))
    return seen.pause_dbfs >= task.settings.noise_floor_dbfs


def _judged(step: str, task: Task, target: Path) -> Repair:
    seen = measure_removal(task.source, target, part_of(task.progress, 0.8, 1.0))
    after_dbfs = seen.pause_dbfs - seen.pause_fall_db
    figures = [{"name": "Pauses", "before": f"{seen.pause_dbfs:.0f} dBFS", "after": f"{after_dbfs:.0f} dBFS"}]
    fault = _fault(seen, task.settings.denoise_gain_db)
    if fault:
        return left(step, task, target, fault, figures)
    why = f"The pauses fell by {seen.pause_fall_db:.1f} dB, and what was taken away is noise."
    return kept(step, task, target, why, figures)


def _fault(seen: Removal, least_fall_db: float) -> str:
    """Why the result is not better than its source; "" where it is."""
    if seen.pause_fall_db < least_fall_db:
        return f"The pauses fell by {seen.pause_fall_db:.1f} dB only; {least_fall_db:g} dB is the least."
    loss_db = _whole_loss_db(seen)
    if loss_db > MOST_LOSS_DB:
        side = "above" if loss_db > 0 else "below"
        return f"It would have taken voice or music: what goes is {abs(loss_db):.0f} dB {side} what stays."
    is_steady = loss_db <= MOST_STEADY_LOSS_DB and seen.growth_db <= MOST_STEADY_GROWTH_DB
    is_noise = seen.texture_db <= MOST_TEXTURE_DB and seen.worst_texture_db <= MOST_WORST_TEXTURE_DB
    if is_noise or is_steady:
        return ""
    return "It would have taken music: what went sounds like notes, not like noise."


def _whole_loss_db(seen: Removal) -> float:
    """The loss, as if all of the noise had been taken: a limit on it hides how much of it was voice.

    The pauses, where there is nothing but noise, tell what share of it went.
    """
    share = 1 - 10 ** (-max(seen.pause_fall_db, 0.1) / 20)
    return seen.loss_db - 20 * math.log10(share)
