"""Workers that stay warm, and a store on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.jobs import JobStore, Workers, open_store
from tests.jobs.runner.support import Doing


@pytest.fixture(scope="package")
def workers() -> Iterator[Workers]:
    with Workers(keep_alive_s=30) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    made = open_store(tmp_path / "jobs.sqlite")
    yield made
    made.close()


@pytest.fixture
def doing(store: JobStore, workers: Workers) -> Doing:
    return Doing(store, workers)
