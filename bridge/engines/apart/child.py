"""The engine's side, run by the engine's own Python: ``python -I child.py FOLDER``.

It needs nothing but the standard library, and never imports ``bridge``. FOLDER is a package with the engine's
code; its ``OPERATIONS`` maps a name to a function of a dictionary and a ``Teller`` that gives a dictionary.
An exception with a true attribute ``is_told`` has a message for people; any other is told with its kind.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO


class Cancelled(BaseException):
    """The parent does not want the answer any more."""


class Pipe:
    """The way to the parent, one line at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, **words: Any) -> None:
        """Send a line."""
        line = json.dumps(words).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()


class Inbox:
    """Reads in a thread of its own, so that a cancel is seen while the engine computes."""

    def __init__(self, file: BinaryIO) -> None:
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled = -1
        threading.Thread(target=self._listen, args=(file,), name="parent", daemon=True).start()

    def next(self) -> dict[str, Any]:
        """The next request."""
        return self._requests.get()

    def is_cancelled(self, number: int) -> bool:
        """Whether the parent gave that request up."""
        return self._cancelled >= number

    def _listen(self, file: BinaryIO) -> None:
        for line in file:
            words = json.loads(line)
            if "cancel" in words:
                self._cancelled = words["cancel"]
            else:
                self._requests.put(words)
        os._exit(0)  # nobody is there any more to take the result


class Teller:
    """What an operation tells how far it is; Cancelled comes out of it once the parent gave up."""

    def __init__(self, number: int, inbox: Inbox, pipe: Pipe) -> None:
        self._number, self._inbox, self._pipe = number, inbox, pipe

    def share(self, share: float) -> None:
        """Say what share is done, 0 to 1; also the sign of life that is waited for."""
        if self._inbox.is_cancelled(self._number):
            raise Cancelled
        self._pipe.send(id=self._number, share=share)


def main(folder: Path) -> None:
    """Serve requests until the parent closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what Ctrl-C means is the parent's decision
    incoming, outgoing = _take_pipes()
    faulthandler.enable()
    pipe = Pipe(outgoing)
    inbox = Inbox(incoming)
    operations = _package(folder).OPERATIONS
    pipe.send(is_ready=True)
    while True:
        request = inbox.next()
        _serve(operations, request, Teller(request["id"], inbox, pipe), pipe)


def _serve(operations: dict[str, Any], request: dict[str, Any], teller: Teller, pipe: Pipe) -> None:
    number = request["id"]
    try:
        answer = operations[request["do"]](request["what"], teller)
        pipe.send(id=number, answer=answer)
    except Cancelled:
        pipe.send(id=number, fault="It was cancelled.")
    except Exception as fault:
        message = str(fault) if getattr(fault, "is_told", False) else f"{type(fault).__name__}: {fault}"
        pipe.send(id=number, fault=message, errno=_errno_of(fault))


def _package(folder: Path) -> ModuleType:
    """The engine's code, under a name that nothing else has."""
    name = f"stembridge_{folder.name}_{folder.parent.name}"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes to the parent, and put harmless things in their place: libraries print."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb")


def _errno_of(fault: BaseException | None) -> int:
    while fault is not None:
        if isinstance(fault, OSError) and fault.errno:
            return fault.errno
        fault = fault.__cause__
    return 0


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main(Path(sys.argv[1]))
