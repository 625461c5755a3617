"""What tests of the folder door share: songs, a clock, a folder's intake without threads."""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bridge.config import WatchedFolder
from bridge.errors import StembridgeError
from bridge.jobs import Inspected
from bridge.service.listing import Rules
from bridge.service.marks import Mark
from bridge.testing.service import FakeService
from bridge.values import Job, JobState
from watcher.book import Book
from watcher.intake import Intake

QUIET_S = 3.0
PATIENCE_S = 600.0


def wav(words: str = "song", frames: int = 400) -> bytes:
    """A whole WAV, mono, 16 bit, whose samples say ``words``."""
    data = (words.encode() * (2 * frames // len(words) + 1))[: 2 * frames]
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return (
        struct.pack("<4sI4s", b"RIFF", 4 + len(form) + 8 + len(data), b"WAVE")
        + form
        + (struct.pack("<4sI", b"data", len(data)) + data)
    )


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def settings_for(*folders: WatchedFolder, **watch: float) -> dict[str, Any]:
    """Settings that watch these folders."""
    return {"watch": {"folders": [folder.model_dump() for folder in folders], "quiet_s": QUIET_S, **watch}}


class Desk:
    """The intake of one folder, with a service, a clock, and inspections that wait to be done."""

    def __init__(self, root: Path, **watched: Any) -> None:
        self.root = root
        self.watched = WatchedFolder(path=str(root), **watched)
        self.service = FakeService(settings_for(self.watched))
        self.clock = Clock()
        self._began_s = time.time() - self.clock.now_s
        self.book = Book(self.service)
        self.looked_again: list[Path] = []
        self.waiting: list[tuple[Path, Mark]] = []
        self.inspected: list[Path] = []
        self.open()

    def open(self) -> None:
        """As a door that starts: with what the ledger knows."""
        self.book = Book(self.service)
        self.book.load(self.root)
        rules = Rules(
            root=self.root,
            delivery_folder="StemBridge",
            inboxes=frozenset(name.casefold() for name in self.service.config.recipes),
        )
        self.intake = Intake(
            self.watched,
            rules,
            self.book,
            self.service,
            inspect=lambda path, mark: self.waiting.append((path, mark)),
            look_again=self.looked_again.append,
            clock=self.clock,
            wall_clock=lambda: self._began_s + self.clock.now_s,
            patience_s=PATIENCE_S,
        )

    def scan(self) -> None:
        """See what is there."""
        self.intake.take_in(self.intake.scan_all())

    def pass_s(self, seconds: float) -> None:
        """Let time pass, and hand over what is quiet then."""
        self.clock.now_s += seconds
        self.intake.hand_over()

    def inspect(self, found: Inspected | Exception | None = None) -> None:
        """Do the inspections that wait, or give them all that answer."""
        waiting, self.waiting = self.waiting, []
        for path, mark in waiting:
            self.inspected.append(path)
            self.intake.judge(path, mark, found or self._found(path))

    def settle(self) -> None:
        """See, wait, inspect: what happens to a file that nobody touches."""
        self.scan()
        self.pass_s(QUIET_S)
        self.inspect()

    def put(self, name: str, content: bytes | None = None) -> Path:
        """A song in the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav(name) if content is None else content)
        return path

    @property
    def jobs(self) -> list[Job]:
        """All jobs, the oldest first."""
        return list(reversed(self.service.jobs()))

    @property
    def states(self) -> list[tuple[str, JobState]]:
        """Their songs and states."""
        return [(job.request.source.name, job.state) for job in self.jobs]

    def fail(self, job: Job, message: str = "it is silent.", error: str = "InputError") -> None:
        """A job fails."""
        self.service.play_failed(self.service.play_start(job.id), message, error)

    def _found(self, path: Path) -> Inspected | Exception:
        try:
            return self.service.inspect(path)
        except StembridgeError as error:
            return error


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """As a user without the rights of root, who may read everything; this folder may be written to."""
    if os.name != "posix" or os.geteuid() != 0:
        yield
        return
    modes = {around: around.stat().st_mode for around in (folder, *folder.parents)}
    opened = {around: mode for around, mode in modes.items() if mode & 0o055 != 0o055 or around == folder}
    for around, mode in opened.items():
        around.chmod(mode | (0o077 if around == folder else 0o055))
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for around, mode in opened.items():
            around.chmod(mode)


def eventually(condition: Callable[[], object], timeout_s: float = 10.0) -> bool:
    """Whether it comes true in time."""
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.01)):
        if condition():
            return True
        pause.wait(0.01)
    return False
