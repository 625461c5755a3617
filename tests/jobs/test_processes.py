"""Telling a living process from a dead one and from its successor."""

from __future__ import annotations

import os
import subprocess
import sys

from bridge.jobs.processes import _start_elsewhere, is_running, start_of, this_process
from tests.jobs.support import StartPython


def test_this_process_runs() -> None:
    """And has a start time, the same each time."""
    mark = this_process()
    assert mark == this_process()
    assert mark.pid == os.getpid()
    assert mark.started
    assert is_running(mark) is True


def test_a_process_that_ended_does_not(start: StartPython) -> None:
    """Also while its parent has not yet asked how it ended."""
    other = start("")
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)  # dead, not collected
    assert start_of(other.pid) is None
    other.communicate()
    assert start_of(other.pid) is None


def test_a_successor_with_the_same_number_is_another() -> None:
    """The number runs, the process does not."""
    assert is_running(this_process().evolve(started="before the last boot")) is False


def test_nothing_is_said_of_other_hosts() -> None:
    """Neither that it runs nor that it does not."""
    assert is_running(this_process().evolve(host="elsewhere")) is None


def test_systems_without_proc_say_the_same(start: StartPython) -> None:
    """As another process sees it, whatever clock and language it has."""
    mine = _start_elsewhere(os.getpid())
    script = f"from bridge.jobs.processes import _start_elsewhere as start; print(start({os.getpid()}))"
    environment = {**os.environ, "TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8"}
    other = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == mine
    dead = start("")
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    assert _start_elsewhere(dead.pid) is None
    dead.communicate()
    assert _start_elsewhere(dead.pid) is None
