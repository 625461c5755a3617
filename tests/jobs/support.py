"""What the tests of jobs share: requests, a clock that is set by hand, and waiting for a fact."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bridge.jobs import ProcessMark, Worker
from bridge.values import JobRequest

ROOT = Path(__file__).parents[2]
HERE = Worker(name="here", process=ProcessMark(host="here", pid=1, started="1"))
THERE = Worker(name="there", process=ProcessMark(host="there", pid=2, started="2"))
PRINT = "a" * 64
OTHER_PRINT = "b" * 64


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now_s: float = 1_700_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def request(name: str = "Night Drive.mp3", recipe: str = "full") -> JobRequest:
    return JobRequest(source=Path("/songs") / name, recipe=recipe, destination=Path("/projects/one"))


def wait_until(is_so: Callable[[], bool], within_s: float = 5.0) -> float:
    """Seconds until ``is_so``; fails where it does not come true."""
    started_s = time.monotonic()
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() - started_s < within_s, "did not come true in time"
        pause.wait(0.005)
    return time.monotonic() - started_s


StartPython = Callable[..., subprocess.Popen[str]]


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another interpreter that runs ``code``; it can be read from, and written to."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that a process writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def output_of(process: subprocess.Popen[str]) -> str:
    """All that a process still writes, with nothing more to read for it, until it has ended well."""
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return output
