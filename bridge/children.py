"""What our child processes have in common: how they start and end, and the last of what they print."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import IO, BinaryIO

TAIL_BYTES = 65_536
ENGINE_MARK = "stembridge-engine"
"""Stands in the command of every engine that runs apart: its host watches its memory, not the job's limit."""


def python_command(code: str, *arguments: str) -> list[str]:
    """The command that runs ``code`` in a fresh interpreter with this one's import path.

    The code finds ``arguments`` from ``sys.argv[2]`` on.
    """
    paths = json.dumps([str(Path(entry).absolute()) for entry in sys.path])
    bootstrap = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); {code}"
    return [sys.executable, "-P", "-c", bootstrap, paths, *arguments]


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """In a child: keep the pipes to the parent, and put harmless things in their place.

    Libraries print; what is started from here inherits. Neither may reach what is said between the two.
    """
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def bury(process: subprocess.Popen[bytes], readers: Iterable[threading.Thread]) -> None:
    """Wait until a process that was ended is gone, and let go of it.

    Its ``readers`` close the pipes that they read. What the process started may hold those open for as long
    as it lives, and to close one that is being read would wait for that: such a reader is left to itself.
    """
    process.wait()
    for reader in readers:
        reader.join(timeout=1)
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]


def ending_words(code: int) -> str:
    """How a process ended, in words: "crashed (SIGSEGV)", "ended its process (exit 1)"."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"crashed ({signal.Signals(-code).name})"
        return f"crashed (signal {-code})"
    if sys.platform == "win32" and code & 0xC0000000 == 0xC0000000:
        return f"crashed (0x{code:08X})"
    return f"ended its process (exit {code})"


class Tail:
    """The last bytes of a stream, however much comes."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget what came."""
        with self._lock:
            self._parts.clear()

    def text(self) -> str:
        """The last of it, as text."""
        with self._lock:
            return b"".join(self._parts).decode("utf-8", "replace")

    def fill_from(self, pipe: IO[bytes]) -> None:
        """Read until the stream ends, and close it."""
        with contextlib.suppress(OSError), pipe:
            while part := pipe.read1(TAIL_BYTES):  # type: ignore[attr-defined]
                self._append(part)

    def _append(self, part: bytes) -> None:
        with self._lock:
            self._parts.append(part)
            while sum(map(len, self._parts)) > TAIL_BYTES and len(self._parts) > 1:
                self._parts.popleft()
