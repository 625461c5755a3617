"""Messages between a worker process and its parent: length-prefixed frames over two pipes."""

from __future__ import annotations

import pickle
import struct
import threading
from enum import StrEnum
from typing import IO, Any, NamedTuple

_HEADER = struct.Struct(">cQQ")


class Kind(StrEnum):
    """What a frame says; one letter on the wire."""

    RUN = "r"
    """Parent to child: do this; the payload is a ``Task``."""
    CANCEL = "c"
    """Parent to child: stop the run of that number."""
    TAKEN = "t"
    """Child to parent: the run has begun, so it must not be given to another worker."""
    EVENT = "e"
    """Child to parent: an event."""
    LOG = "l"
    """Child to parent: a log record; the payload is a ``LogLine``."""
    ENDED = "x"
    """Child to parent: the run has ended; the payload is an ``Ending``."""


class Frame(NamedTuple):
    """One message; ``number`` tells the runs of a worker apart."""

    kind: Kind
    number: int
    payload: bytes


class Task(NamedTuple):
    """What to call: ``module:function`` and its arguments before ``report``."""

    target: str
    arguments: tuple[Any, ...]
    log_level: int
    """From which on log records are sent back."""


class Ending(NamedTuple):
    """How a call ended: with a value, or with an error of ``bridge.errors``."""

    value: Any = None
    """The result; beside an error, the ``delivery`` that the error carries, if it does."""
    error_class: str = ""
    message: str = ""
    log: str = ""
    peak_bytes: int | None = None


class FrameWriter:
    """Writes whole frames, from any thread. OSError where the other side is gone."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: Kind, number: int, message: Any = None) -> None:
        """Write one frame and flush it."""
        payload = b"" if message is None else pickle.dumps(message)
        with self._lock:
            self._pipe.write(_HEADER.pack(kind.encode(), number, len(payload)) + payload)
            self._pipe.flush()


def read_frame(pipe: IO[bytes]) -> Frame | None:
    """The next frame; None when the other side is gone, also in the middle of one."""
    try:
        header = pipe.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return None
        kind, number, size = _HEADER.unpack(header)
        payload = pipe.read(size)
    except (OSError, ValueError):
        return None
    return Frame(Kind(kind.decode()), number, payload) if len(payload) == size else None
