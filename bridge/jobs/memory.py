"""Memory of processes: what one holds now with its children, and the peak of this one."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.children import ENGINE_MARK

if TYPE_CHECKING:
    import psutil


def held_bytes(pid: int) -> int | None:
    """Bytes that process ``pid`` and all that it started hold in memory; None where it is gone.

    What they share counts once for each. Engines that run apart do not count: their host watches them.
    """
    import psutil

    try:
        return sum(map(_resident, _family(psutil.Process(pid))))
    except psutil.Error:
        return None


def _family(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    members = [process]
    for child in process.children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if ENGINE_MARK not in child.cmdline():
                members += _family(child)
    return members


def _resident(process: psutil.Process) -> int:
    import psutil

    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0  # it has just ended


def reset_peak() -> None:
    """Start counting anew. Linux alone can; elsewhere the peak is that of the process's whole life."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5): 5 resets the peak
        except OSError:
            return


def peak_bytes() -> int | None:
    """Most bytes held in memory at once; None where the system does not say."""
    if sys.platform == "linux":
        return _peak_linux()
    if sys.platform == "win32":
        return _peak_windows()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _peak_linux() -> int | None:
    # not ru_maxrss: that survives exec, so a small child of a big parent would report the parent's
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    lines = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((int(fields[1]) * 1024 for fields in lines), None)


def _peak_windows() -> int | None:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.DWORD),
            ("page_faults", wintypes.DWORD),
            ("peak_working_set", ctypes.c_size_t),
            ("rest", ctypes.c_size_t * 7),
        )

    counters = Counters()
    counters.size = ctypes.sizeof(counters)
    kernel32 = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    kernel32.GetCurrentProcess.restype = wintypes.HANDLE
    kernel32.K32GetProcessMemoryInfo.argtypes = [wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD]
    done = kernel32.K32GetProcessMemoryInfo(
        kernel32.GetCurrentProcess(), ctypes.byref(counters), counters.size
    )
    return int(counters.peak_working_set) if done else None
