"""What the tests of the store's contract share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bridge.jobs import Command, JobStore, ProcessMark, Worker
from bridge.values import Delivery, Job
from tests.jobs.support import HERE, PRINT, Clock, request

DELIVERY = Delivery(folder=Path("/projects/one/StemBridge/Night Drive"), files=("Stems/a.wav",))
STARTED_S = Clock().now_s


class Processes:
    """Which processes run; one that is in neither set is on another host."""

    def __init__(self) -> None:
        self.running = {HERE.process}
        self.gone: set[ProcessMark] = set()
        self.look: Callable[[ProcessMark], bool | None] = self._look

    def __call__(self, mark: ProcessMark) -> bool | None:
        return self.look(mark)

    def _look(self, mark: ProcessMark) -> bool | None:
        return True if mark in self.running else False if mark in self.gone else None


def claimed(store: JobStore, worker: Worker = HERE) -> Job:
    job = store.claim(worker, store.submit(request(), PRINT).id)
    assert job is not None
    return job


def command(number: int = 7, client: str = "device-1") -> Command:
    return Command(client=client, number=number)
