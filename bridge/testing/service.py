"""A service for tests of doors: everything but the work itself."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from bridge import events
from bridge.config import load_config, shipped_config_path
from bridge.errors import StembridgeError
from bridge.jobs import JobStore, Outcome, Worker
from bridge.service import DoorState, Feed, Service
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job


class InlineWorkers:
    """Calls tasks here and now instead of in a process of their own."""

    def run(self, target: str, /, *arguments: Any) -> Outcome:
        """Call "module:function"; an error of ours becomes the outcome's."""
        module, _, name = target.partition(":")
        try:
            return Outcome(value=getattr(importlib.import_module(module), name)(*arguments, _hear_nothing))
        except StembridgeError as error:
            return Outcome(error=error)


class FakeService(Service):
    """A ``Service`` without a dispatcher: jobs stay PENDING until a test plays them.

    Over a ``MemoryJobStore`` unless another store is given; ``settings`` are merged over the shipped ones;
    ``states`` are what doors told.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None, store: JobStore | None = None) -> None:
        self.store = store or MemoryJobStore()
        self.states: list[DoorState] = []
        config = load_config(shipped_config_path(), settings)
        super().__init__(
            lambda: config, self.store, InlineWorkers(), feed=Feed(), on_state=self.states.append
        )

    def play_start(self, job_id: str) -> Job:
        """A worker takes the job."""
        job = self.store.claim(Worker.here(), job_id)
        assert job is not None, f"{job_id} does not wait"
        self.feed.publish(events.JobStarted(job_id=job_id, attempt=job.attempt))
        return job

    def play_done(self, job: Job, delivery: Delivery) -> Job:
        """A job that was started ends well."""
        ended = self.store.succeed(job, delivery)
        self.feed.publish(events.JobDone(job_id=job.id, delivery=delivery))
        return ended

    def play_failed(
        self, job: Job, message: str, error: str = "InputError", delivery: Delivery | None = None
    ) -> Job:
        """A job that was started fails; what it could make is delivered all the same."""
        ended = self.store.fail(job, message, delivery)
        self.feed.publish(events.JobFailed(job_id=job.id, error=error, message=message))
        return ended

    def play_cancelled(self, job: Job, reason: str = "") -> Job:
        """A job that was started, and that somebody cancelled, ends so."""
        ended = self.store.confirm_cancel(job, reason)
        self.feed.publish(events.JobCancelled(job_id=job.id, reason=reason))
        return ended


def _hear_nothing(_event: events.Event) -> None:
    """What tasks report to."""
