"""The contract of job stores: the real one and the one in memory keep the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.jobs import JobStore, open_store
from bridge.testing.memory_store import MemoryJobStore
from tests.jobs.store.support import Processes
from tests.jobs.support import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture(params=["sqlite", "memory"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, processes: Processes
) -> Iterator[JobStore]:
    if request.param == "sqlite":
        made: JobStore = open_store(tmp_path / "jobs.sqlite", clock=clock, is_running=processes)
    else:
        made = MemoryJobStore(clock=clock, is_running=processes)
    yield made
    made.close()
