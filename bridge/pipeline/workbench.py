"""Runs stages: finds what is finished on the shelf, computes the rest, tells how far the job is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bridge import events
from bridge.config import Config
from bridge.errors import StageError, StembridgeError, is_disk_full
from bridge.pipeline.shelf import Shelf, content_key
from bridge.stages.base import Inputs, Made, P, Room, Stage
from bridge.values import Asset, StageResult

log = logging.getLogger(__name__)

Report = Callable[[events.Event], None]
"""Hears what happens; may raise JobCancelled."""


class Workbench:
    """One job's way through the stages.

    Args:
        shelf: where finished stages are kept.
        config: the settings that stages work by.
        job_id: for the log.
        plan: the stages that will probably run, in order: they make up the progress.
        report: hears of stages and progress; may raise JobCancelled.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        shelf: Shelf,
        config: Config,
        job_id: str,
        plan: Sequence[Stage[Any]],
        report: Report,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.results: list[tuple[StageResult, bool]] = []
        """Every result so far, with whether it was found on the shelf."""
        self._shelf = shelf
        self._config = config
        self._job_id = job_id
        self._forecast = _Forecast(plan, clock)
        self._report = report
        self._clock = clock

    def do(self, stage: Stage[P], params: P, inputs: Iterable[Asset] = ()) -> StageResult:
        """The stage's result for these inputs and parameters: from the shelf, or computed now."""
        assets = tuple(inputs)
        key = content_key(stage.name, stage.version, params, assets)
        self._report(events.StageStarted(job_id=self._job_id, stage=stage.name))
        found = self._shelf.find(key)
        result = found or self._compute(stage, params, assets, key)
        self._done(stage, result, is_reused=found is not None)
        return result

    def keys(self) -> tuple[str, ...]:
        """The content keys of this job's results."""
        return tuple(result.key for result, _ in self.results)

    def _compute(self, stage: Stage[P], params: P, assets: tuple[Asset, ...], key: str) -> StageResult:
        with self._shelf.faults_told():
            return self._computed(stage, params, assets, key)

    def _computed(self, stage: Stage[P], params: P, assets: tuple[Asset, ...], key: str) -> StageResult:
        started_s = self._clock()
        folder = self._shelf.room(key)
        room = Room(folder=folder, progress=lambda share: self._progress(stage, share), config=self._config)
        try:
            made = _run(stage, params, Inputs(assets), room)
            return self._shelf.put(key, stage.name, folder, made, self._clock() - started_s)
        except BaseException:
            self._shelf.discard(folder)
            raise

    def _progress(self, stage: Stage[Any], share: float) -> None:
        whole, left_s = self._forecast.at(stage, share)
        self._report(
            events.JobProgress(job_id=self._job_id, stage=stage.name, share=whole, remaining_s=left_s)
        )

    def _done(self, stage: Stage[Any], result: StageResult, *, is_reused: bool) -> None:
        self._forecast.done(stage, is_reused=is_reused)
        self.results.append((result, is_reused))
        self._report(
            events.StageDone(
                job_id=self._job_id,
                stage=stage.name,
                key=result.key,
                seconds=result.seconds,
                was_reused=is_reused,
            )
        )
        how = "found finished, not run again" if is_reused else f"done in {result.seconds:.1f} s"
        log.info(
            "Stage %s: %s",
            stage.name,
            how,
            extra={
                "action": "stage_reused" if is_reused else "stage_done",
                "job": self._job_id,
                "key": result.key,
            },
        )


class _Forecast:
    """Share done and time left, from what the stages usually cost and how fast they go here."""

    def __init__(self, plan: Sequence[Stage[Any]], clock: Callable[[], float]) -> None:
        self._left = {stage.name: stage.cost for stage in plan}
        self._total = sum(self._left.values()) or 1.0
        self._clock = clock
        self._worked_s = 0.0
        self._worked_cost = 0.0
        self._started_s = clock()
        self._highest = 0.0

    def at(self, stage: Stage[Any], share: float) -> tuple[float, float | None]:
        here = self._left.get(stage.name, 0.0)
        left = sum(self._left.values()) - here * share
        self._highest = max(self._highest, min(1.0, 1.0 - left / self._total))
        return self._highest, self._seconds_for(left, stage.cost * share)

    def _seconds_for(self, left: float, current: float) -> float | None:
        worked = self._worked_cost + current
        if worked < 0.1 * self._total:
            return None  # too early to say
        return left * (self._worked_s + self._clock() - self._started_s) / worked

    def done(self, stage: Stage[Any], *, is_reused: bool) -> None:
        now_s = self._clock()
        if not is_reused:
            self._worked_s += now_s - self._started_s
            self._worked_cost += stage.cost
        self._started_s = now_s
        self._left[stage.name] = 0.0


def _run(stage: Stage[P], params: P, inputs: Inputs, room: Room) -> Made:
    try:
        return stage.run(params, inputs, room)
    except (StembridgeError, MemoryError, KeyboardInterrupt):
        raise
    except Exception as cause:
        if isinstance(cause, OSError) and is_disk_full(cause):
            raise  # told as such where the job ends
        raise StageError(
            f"The stage '{stage.name}' failed: {type(cause).__name__}: {cause}. "
            "The song is untouched; what was finished before is kept. Please report this with the log."
        ) from cause
