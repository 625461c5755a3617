"""One service for a data folder: a lock, what the service says about itself, a way to ask it to stop."""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
import time
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from bridge.errors import ServiceError, StorageError
from bridge.jobs import ProcessMark, this_process
from bridge.service.state import LOCK_FILE, STATE_FILE, DoorState, ServiceState, read_state
from bridge.values import Value

STOP_FILE = "service.stop"


class StopWay(StrEnum):
    """How a service ends."""

    NOW = "now"
    """Jobs at work are put back; they go on from their last finished stage."""
    DRAIN = "drain"
    """Jobs at work are finished first; those that wait stay."""


class StopRequest(Value):
    """What another process wants of a running service."""

    process: ProcessMark
    """The service that is meant: not a later one."""
    way: StopWay


class Instance:
    """Holds the data folder while the context lasts. ServiceError, naming the owner, where another does."""

    def __init__(self, data_folder: Path, *, version: str, jobs: int) -> None:
        self._folder = data_folder
        self._lock = FileLock(data_folder / LOCK_FILE)
        self._guard = threading.Lock()
        self._is_written = False
        self._state = ServiceState(
            process=this_process(), version=version, started_s=time.time(), data_folder=data_folder, jobs=jobs
        )

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as cause:
            raise ServiceError(_owner_words(self._folder)) from cause
        except OSError as cause:
            raise StorageError(
                f"{self._folder} cannot be used ({cause.strerror or cause}); the service keeps its jobs "
                "there. Mend the permission, or set work.folder to another place."
            ) from cause
        (self._folder / STOP_FILE).unlink(missing_ok=True)
        self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            (self._folder / STATE_FILE).unlink(missing_ok=True)
        self._lock.release()

    @property
    def state(self) -> ServiceState:
        """What the service says about itself."""
        return self._state

    def tell(self, **changes: Any) -> None:
        """Say something new about the service, or again what could not be written.

        A full disk keeps nobody from working.
        """
        with self._guard:
            self._tell(changes)

    def tell_door(self, door: DoorState) -> None:
        """Say how a door does."""
        with self._guard:
            others = tuple(known for known in self._state.doors if known.name != door.name)
            self._tell({"doors": tuple(sorted((*others, door), key=lambda known: known.name))})

    def wanted_stop(self) -> StopWay | None:
        """How somebody asked this service to end; None where nobody did."""
        try:
            request = StopRequest.model_validate_json((self._folder / STOP_FILE).read_bytes())
        except (OSError, ValidationError):
            return None
        return request.way if request.process == self._state.process else None

    def _tell(self, changes: dict[str, Any]) -> None:
        new = self._state.evolve(**changes)
        if new == self._state and self._is_written:
            return
        self._state, self._is_written = new, False
        with contextlib.suppress(OSError):
            self._write()

    def _write(self) -> None:
        _put(self._folder / STATE_FILE, self._state.model_dump_json(indent=2))
        self._is_written = True


def ask_to_stop(data_folder: Path, way: StopWay) -> ServiceState:
    """Ask the service of a data folder to end; ServiceError where none runs there."""
    state = read_state(data_folder)
    if state is None:
        raise ServiceError(f"No service runs on {data_folder}; there is nothing to stop.")
    _put(data_folder / STOP_FILE, StopRequest(process=state.process, way=way).model_dump_json())
    return state


def _put(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _owner_words(folder: Path) -> str:
    state = read_state(folder)
    who = "another process"
    if state is not None:
        since = datetime.datetime.fromtimestamp(state.started_s).strftime("%d %b %H:%M")
        who = f"process {state.process.pid} on {state.process.host}, since {since}"
    return (
        f"stembridge is already at work on {folder} ({who}). See what it does: stembridge status. "
        "End it: stembridge stop. Or give this one a folder of its own (work.folder)."
    )
