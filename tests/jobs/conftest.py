"""Fixtures of the tests of jobs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.jobs.support import StartPython, start_python


@pytest.fixture
def start() -> Iterator[StartPython]:
    """Starts interpreters, and ends those that a failed test left."""
    started: list[subprocess.Popen[str]] = []

    def _start(code: str, *arguments: object) -> subprocess.Popen[str]:
        started.append(start_python(code, *arguments))
        return started[-1]

    yield _start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
