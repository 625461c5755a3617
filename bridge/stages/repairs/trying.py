"""Enhancers tried in the order of the settings until one helps; what made the others fail is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from bridge.errors import EngineError, JobCancelled, RegistryError, is_disk_full
from bridge.protocols import Enhancer
from bridge.stages.base import part_of
from bridge.stages.choosing import make, missing
from bridge.stages.repairs.base import Repair, Task, left
from bridge.values import Facts

log = logging.getLogger(__name__)

GROUP = "bridge.enhancers"


def first_that_helps(
    names: Sequence[str], task: Task, attempt: Callable[[str, Task], Repair | None]
) -> Repair | None:
    """The first repair that is kept, else the last that was left; None where none had a reason."""
    tried: list[Facts] = []
    for number, name in enumerate(names):
        share = part_of(task.progress, number / len(names), 1.0)
        made = attempt(name, task.on(task.source, share))
        if made is not None and made.decision["kept"]:
            return made.evolve(tried=tuple(tried))
        tried += [made.decision] if made is not None else []
    return Repair(path=task.source, decision=tried[-1], tried=tuple(tried[:-1])) if tried else None


def by_enhancer(
    name: str,
    step: str,
    task: Task,
    target: Path,
    judged: Callable[[str, Task, Path], Repair],
    has_reason: Callable[[Task], bool] = lambda _task: True,
) -> Repair | None:
    """What one enhancer came to, as ``judged`` finds; None where it is not meant for it or has no reason."""
    try:
        enhancer: Enhancer = make(GROUP, name, task.config)
        if task.role not in enhancer.roles or not has_reason(task):
            return None
        if lack := missing(enhancer):
            return left(step, task, target, f"It is not installed: {lack}")
        enhancer.enhance(task.source, target, part_of(task.progress, 0.1, 0.8))
    except JobCancelled:
        raise
    except (EngineError, RegistryError) as failure:
        if is_disk_full(failure):
            raise  # another engine is no answer to that
        log.warning("Enhancer %s did not do it: %s", name, failure, extra={"action": "engine_skipped"})
        return left(step, task, target, f"It could not do it: {failure}")
    return judged(step, task, target)
