"""What the service says about itself, in a file that ``status`` and ``doctor`` read."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from bridge.jobs import ProcessMark, is_running
from bridge.values import Facts, Value

STATE_FILE = "service.json"
LOCK_FILE = "service.lock"


class DoorState(Value):
    """How a door does."""

    name: str
    is_open: bool
    words: str
    """One sentence for people: "watching 2 folders", "OSC on 127.0.0.1:17710"."""
    waiting: int = 0
    """What lies at the door and is no job yet: songs that are still written, for example."""
    facts: Facts = Field(default={})


class ServiceState(Value):
    """How the service does."""

    process: ProcessMark
    version: str
    started_s: float
    data_folder: Path
    jobs: int
    """Jobs that may be at work at once."""
    is_ready: bool = False
    """Whether it has started: jobs run, and every door was opened or has said why not."""
    is_draining: bool = False
    paused: str = ""
    """Why no job is started at present; "" where they are."""
    doors: tuple[DoorState, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know, such as settings that take effect after a restart."""


def read_state(data_folder: Path) -> ServiceState | None:
    """The state of the service that runs on ``data_folder``; None where none does."""
    try:
        state = ServiceState.model_validate_json((data_folder / STATE_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    runs = is_running(state.process)
    if runs is None:  # another host's: or this one had another name before it lost its power
        runs = _is_held(data_folder)
    return state if runs else None


def _is_held(data_folder: Path) -> bool:
    """Whether a service holds the folder's lock, as far as anybody can say."""
    lock = FileLock(data_folder / LOCK_FILE)
    try:
        with lock.acquire(timeout=0):
            return False
    except (Timeout, OSError):
        return True
