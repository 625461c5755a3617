"""Noise taken out by the first denoiser that helps: networks where they are installed, else what is built in.

A network for speech takes a sung voice, or the whole music, for noise. So what it did is kept only where
what went was noise by three measures: the pauses fell, the voice kept its level, and what went has the
texture of noise or, at least, did not grow with the voice.
"""

from __future__ import annotations

from pathlib import Path

from bridge.measure.removal import Removal, measure_removal
from bridge.stages.base import part_of
from bridge.stages.repairs import hiss
from bridge.stages.repairs.base import Repair, Task, kept, left
from bridge.stages.repairs.trying import by_enhancer, first_that_helps

BUILT_IN = "hiss"
MOST_TEXTURE_DB, MOST_WORST_TEXTURE_DB = 5.0, 6.0
"""What goes out of noisy speech has 2.4 to 4.7 dB (noise has 2.5); a sung voice's share of it has 5 to 21."""
MOST_LOSS_DB = -10.0
"""Out of noisy speech 13 to 35 dB below the voice go, out of music and sung vocals -9 to 9 dB above."""
LEAST_STEADY_LOSS_DB, MOST_STEADY_GROWTH_DB = -20.0, 6.0
"""Little noise under a clear voice: what goes has the voice's texture, but hardly grows with it."""


def repair(task: Task) -> Repair | None:
    """Denoise, each denoiser in the order of the settings until one helps; None where there is no reason."""
    return first_that_helps(task.settings.denoisers, task, _attempt)


def _attempt(name: str, task: Task) -> Repair | None:
    if name == BUILT_IN:
        return hiss.repair(task)
    if measure_removal(task.source, task.source).pause_dbfs < task.settings.noise_floor_dbfs:
        return None
    return by_enhancer(name, f"Noise ({name})", task, task.target(name), _judged)


def _judged(step: str, task: Task, target: Path) -> Repair:
    seen = measure_removal(task.source, target, part_of(task.progress, 0.8, 1.0))
    after_dbfs = seen.pause_dbfs - seen.pause_fall_db
    figures = [
        {"name": "Pauses", "before": f"{seen.pause_dbfs:.0f} dBFS", "after": f"{after_dbfs:.0f} dBFS"},
        {"name": "Voice lost", "before": "0 dB", "after": f"{seen.loss_db:.0f} dB"},
    ]
    fault = _fault(seen, task.settings.denoise_gain_db)
    if fault:
        return left(step, task, target, fault, figures)
    why = f"The pauses fell by {seen.pause_fall_db:.1f} dB, and what was taken away is noise."
    return kept(step, task, target, why, figures)


def _fault(seen: Removal, least_fall_db: float) -> str:
    """Why the result is not better than its source; "" where it is."""
    if seen.pause_fall_db < least_fall_db:
        return f"The pauses fell by {seen.pause_fall_db:.1f} dB only; {least_fall_db:g} dB is the least."
    if seen.loss_db > MOST_LOSS_DB:
        return f"It would have taken voice or music: {seen.loss_db:.0f} dB of it, against what stayed."
    is_steady = seen.loss_db <= LEAST_STEADY_LOSS_DB and seen.growth_db <= MOST_STEADY_GROWTH_DB
    is_noise = seen.texture_db <= MOST_TEXTURE_DB and seen.worst_texture_db <= MOST_WORST_TEXTURE_DB
    return (
        ""
        if is_noise or is_steady
        else "It would have taken music: what went sounds like notes, not like noise."
    )
