"""A job that is run, and what was heard of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge import events
from bridge.events import Event
from bridge.jobs import Ended, JobStore, RetryPolicy, Workers, run_job
from bridge.values import Job
from tests.jobs.support import PRINT, request

TASKS = "bridge.testing.tasks"


class Doing:
    """Runs a task as a job and keeps what was heard; ``then`` is done at the first progress."""

    def __init__(self, store: JobStore, workers: Workers) -> None:
        self.store = store
        self.workers = workers
        self.heard: list[Event] = []
        self.job = store.submit(request(), PRINT)

    def run(self, task: str, *, then: Callable[[], object] | None = None, **options: Any) -> Ended:
        steps = events.JobProgress | events.JobNote

        def listen(event: Event) -> None:
            is_first = isinstance(event, steps) and not any(isinstance(e, steps) for e in self.heard)
            self.heard.append(event)
            if then is not None and is_first:
                then()

        target, settings = f"{TASKS}:{task}", {"threads": 2}
        ended = run_job(
            self.store,
            self.job.id,
            settings=settings,
            workers=self.workers,
            publish=listen,
            target=target,
            **options,
        )
        assert ended is not None
        return ended

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.heard]

    def now(self) -> Job:
        return self.store.get(self.job.id)


class Watched(list[Event]):
    def __init__(self, look: Callable[[], object]) -> None:
        super().__init__()
        self._look = look

    def append(self, event: Event) -> None:
        super().append(event)
        self._look()


RETRY = RetryPolicy(retry_after_s=(0.0, 60.0), pause_s=30.0)
