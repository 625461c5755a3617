"""Keeps engines' processes between jobs: loading takes seconds, and memory is not for ever."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Iterator

from bridge.engines.apart.host import TICK_S, EngineHost, Start
from bridge.protocols import Progress, no_progress

_kept: EngineHost | None = None
_timer: threading.Timer | None = None
_in_use = threading.Lock()
"""One engine works at a time: two would take twice the memory and share the same cores."""
_state = threading.Lock()


@contextlib.contextmanager
def borrowed(start: Start, progress: Progress = no_progress) -> Iterator[EngineHost]:
    """The process of an engine, warm where the last one was the same; nobody else asks it meanwhile.

    Raises what ``progress`` raises while it waits for another thread, EngineError where it does not start.
    """
    while not _in_use.acquire(timeout=TICK_S):
        progress(0.0)
    try:
        host = _taken(start)
        try:
            yield host
        finally:
            _put_back(host)
    finally:
        _in_use.release()


def close_all() -> None:
    """End what is kept warm."""
    global _kept
    with _state:
        _stop_timer()
        host, _kept = _kept, None
    if host is not None:
        host.close()


def _taken(start: Start) -> EngineHost:
    global _kept
    with _state:
        _stop_timer()
        host, _kept = _kept, None
    if host is not None and (host.start != start or not host.is_alive):
        host.close()
        host = None
    return host if host is not None else EngineHost(start)


def _put_back(host: EngineHost) -> None:
    """Keep it for a while; a dead one, or one that shall not be kept, is closed."""
    global _kept, _timer
    idle_s = host.start.settings.idle_s
    if not host.is_alive or idle_s <= 0:
        host.close()
        return
    with _state:
        _kept = host
        _timer = threading.Timer(idle_s, _close_idle, (host,))
        _timer.daemon = True
        _timer.start()


def _close_idle(host: EngineHost) -> None:
    global _kept
    with _state:
        if _kept is not host:
            return  # it was taken in the meantime
        _kept = None
    host.close()


def _stop_timer() -> None:
    global _timer
    if _timer is not None:
        _timer.cancel()
        _timer = None


atexit.register(close_all)
