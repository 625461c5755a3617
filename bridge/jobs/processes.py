"""Which process is which, across crashes: a process id alone comes round again."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from pathlib import Path

from bridge.values import Value


class ProcessMark(Value):
    """A process, told apart from a later one that got the same number."""

    host: str
    pid: int
    started: str
    """When it started, in the system's own terms; "" where the system does not say."""


def this_process() -> ProcessMark:
    """The mark of the process that asks."""
    return ProcessMark(host=platform.node(), pid=os.getpid(), started=_own_start(os.getpid()))


def is_running(mark: ProcessMark) -> bool | None:
    """Whether that very process still runs; None where it is on another host and nobody here can say."""
    if mark.host != platform.node():
        return None
    started = start_of(mark.pid)
    return started is not None and (not mark.started or not started or started == mark.started)


def start_of(pid: int) -> str | None:
    """When process ``pid`` started: None if there is no such process, "" if the system does not say."""
    return _start_linux(pid) if sys.platform == "linux" else _start_elsewhere(pid)


@cache
def _own_start(pid: int) -> str:
    return start_of(pid) or ""


def _start_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name in brackets may hold spaces and brackets; after the last one come the fields from "state" on
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None  # dead, and only not yet collected by its parent
    return f"{_boot_id()}:{fields[19]}"


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _start_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        is_dead = process.status() == psutil.STATUS_ZOMBIE  # and only not yet collected by its parent
        return None if is_dead else f"{process.create_time():.6f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return ""
