"""Which process is which, across crashes: a process id alone comes round again."""

from __future__ import annotations

import os
import platform
import subprocess
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
    if sys.platform == "linux":
        return _start_linux(pid)
    if sys.platform == "win32":
        return _start_windows(pid)
    return _start_posix(pid)


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


def _start_posix(pid: int) -> str | None:
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return "" if _answers_signal(pid) else None
    return run.stdout.strip() or None


def _answers_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start_windows(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel32.OpenProcess.restype = wintypes.HANDLE
    kernel32.GetProcessTimes.argtypes = [wintypes.HANDLE] + [ctypes.POINTER(wintypes.FILETIME)] * 4
    kernel32.CloseHandle.argtypes = [wintypes.HANDLE]
    query_limited_information = 0x1000
    handle = kernel32.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return None
    try:
        created, ended, kernel, user = (wintypes.FILETIME() for _ in range(4))
        kernel32.GetProcessTimes(handle, *map(ctypes.byref, (created, ended, kernel, user)))
    finally:
        kernel32.CloseHandle(handle)
    has_ended = ended.dwHighDateTime or ended.dwLowDateTime
    return None if has_ended else f"{created.dwHighDateTime:08x}{created.dwLowDateTime:08x}"
