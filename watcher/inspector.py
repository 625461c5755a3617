"""Has songs inspected, one after the other, while their folder goes on being watched."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from bridge.errors import StembridgeError
from bridge.jobs import Inspected
from bridge.service import Service
from bridge.service.marks import Mark

Answer = Callable[[Path, Mark, Inspected | Exception], None]
"""Called, in the inspector's thread, with what was found or with what stood in its way."""

log = logging.getLogger(__name__)


class Inspector:
    """A thread that waits for the worker which reads a file, and passes on what that finds."""

    def __init__(self, service: Service, answer: Answer, name: str) -> None:
        self._service = service
        self._answer = answer
        self._waiting: queue.SimpleQueue[tuple[Path, Mark] | None] = queue.SimpleQueue()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name=f"inspect {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def inspect(self, path: Path, mark: Mark) -> None:
        """Have a file inspected in its turn; returns at once."""
        self._waiting.put((path, mark))

    def stop(self) -> None:
        """Begin no further file. The one that is read now is not waited for."""
        self._is_stopped = True
        self._waiting.put(None)

    def join(self, timeout_s: float) -> None:
        """Wait for the thread's end."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None and not self._is_stopped:
            path, mark = item
            self._answer(path, mark, self._inspected(path))

    def _inspected(self, path: Path) -> Inspected | Exception:
        try:
            return self._service.inspect(path)
        except StembridgeError as error:
            return error
        except Exception as error:
            log.exception("%s could not be inspected", path, extra={"action": "inspection_failed"})
            return error
