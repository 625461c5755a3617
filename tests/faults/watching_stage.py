"""What the trials of the folder door play on: songs without sound, a service, workers for its jobs."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bridge.errors import InputError, StorageError
from bridge.jobs import OPEN, Command, Inspected, SeenFile, Submitted, Worker, fingerprint
from bridge.testing.service import FakeService
from bridge.values import Delivery, Job, JobRequest, JobState

GOOD, REFUSED, FAILING, RAW = b"g", b"x", b"f", b"r"
"""What a song is: fine; no song to the inspector; fails as a job; fine, but without a stated length."""


def song(rng: random.Random, kind: bytes = GOOD, size: int = 0) -> bytes:
    """Bytes that state their own length, so that half of them can be told, unless they are RAW."""
    body = rng.randbytes(size or rng.randint(40, 4000))
    return b"SONG" + kind + len(body).to_bytes(4, "big") + body


def lacks(content: bytes) -> str:
    """What is missing in a song's bytes."""
    if len(content) < 9:
        return "it has hardly begun."
    if content[4:5] == RAW:
        return ""
    wanted, found = int.from_bytes(content[5:9], "big"), len(content) - 9
    return "" if found == wanted else f"it holds {found} bytes of {wanted}."


def sha256_of(content: bytes) -> str:
    """As the inspector and the judge write it."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_source(contents: dict[str, bytes]) -> str:
    """The hash of a song, or of a folder of stems."""
    return sha256_of(contents[""]) if "" in contents else sha256_of_set(contents)


def sha256_of_set(contents: dict[str, bytes]) -> str:
    """The hash of a folder of stems."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(name.encode() + sha256_of(contents[name]).encode())
    return digest.hexdigest()


class StageService(FakeService):
    """A service whose files are inspected here, and whose storage may fail at any call."""

    def __init__(self, settings: dict[str, Any], rng: random.Random, trouble: float) -> None:
        super().__init__(settings)
        self.given_for: dict[str, str] = {}
        """The hash of the content that a job was given for."""
        self.worked_from: dict[str, str] = {}
        """And of the content that was read for it."""
        self._rng, self.trouble = rng, trouble
        self._ledger = _TroubledLedger(super().files, self._may_fail)
        self.ending = threading.Lock()
        """Holds the moment in which a job ends together, as one transaction of the real store does."""

    @property
    def files(self) -> Any:
        return self._ledger

    def inspect(self, path: Path) -> Inspected:
        self._may_fail()
        try:
            return self._inspected_set(path) if path.is_dir() else self._inspected(path)
        except OSError as cause:
            raise InputError(f"{path.name} cannot be read: {cause.strerror}.") from cause

    def _inspected(self, path: Path) -> Inspected:
        with path.open("rb") as file:
            found, content = os.fstat(file.fileno()), file.read()
        if content[4:5] == REFUSED:
            raise InputError(f"{path.name} is no song. Export it again.")
        return Inspected(
            path=path,
            size_bytes=found.st_size,
            modified_ns=found.st_mtime_ns,
            inode=found.st_ino,
            sha256=sha256_of(content),
            is_whole=not lacks(content),
            missing=lacks(content),
        )

    def _inspected_set(self, path: Path) -> Inspected:
        contents = {file.name: file.read_bytes() for file in path.iterdir()}
        lacking = "; ".join(
            f"{name}: {lacks(content)}" for name, content in contents.items() if lacks(content)
        )
        return Inspected(
            path=path,
            size_bytes=sum(map(len, contents.values())),
            modified_ns=0,
            inode=0,
            sha256=sha256_of_set(contents),
            is_whole=not lacking,
            missing=lacking,
        )

    def submit(
        self,
        request: JobRequest,
        *,
        sha256: str = "",
        counting: Collection[JobState] = OPEN,
        command: Command | None = None,
    ) -> Submitted:
        self._may_fail()
        submitted = super().submit(request, sha256=sha256, counting=counting, command=command)
        self.given_for[submitted.job.id] = sha256
        return submitted

    def supersede(self, old_job_id: str, reason: str) -> Job:
        self._may_fail()
        with self.ending:
            return super().supersede(old_job_id, reason)

    def _may_fail(self) -> None:
        if self._rng.random() < self.trouble:
            raise StorageError("The database is locked. Close what holds it.")


class _TroubledLedger:
    """The ledger, failing now and then before or after it has written."""

    def __init__(self, ledger: Any, may_fail: Any) -> None:
        self._ledger, self._may_fail = ledger, may_fail

    def seen(self, path: Path) -> SeenFile | None:
        self._may_fail()
        found: SeenFile | None = self._ledger.seen(path)
        return found

    def seen_under(self, folder: Path) -> tuple[SeenFile, ...]:
        found: tuple[SeenFile, ...] = self._ledger.seen_under(folder)
        return found

    def remember(self, file: SeenFile) -> None:
        self._may_fail()
        self._ledger.remember(file)

    def forget(self, path: Path) -> None:
        self._may_fail()
        self._ledger.forget(path)


class Player:
    """A thread that takes the jobs, one after the other, as the bridge would: it reads the source first."""

    def __init__(self, service: StageService, rng: random.Random, longest_s: float) -> None:
        self._service, self._rng, self._longest_s = service, rng, longest_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, name="player", daemon=True) for _ in range(3)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            job = self._service.store.claim(Worker.here())
            if job is None:
                self._stop.wait(0.02)
            else:
                self._play(job)

    def _play(self, job: Job) -> None:
        """Work from what the source holds now, and anew if it changed meanwhile, as the bridge does."""
        try:
            content = _content_of(job.request.source)
        except OSError:
            content = {}
        fault = _fault_of(job.request.source.name, content)
        if not fault:
            self._service.worked_from[job.id] = sha256_of_source(content)
            with self._service.ending:
                self._service.store.note_source(job, fingerprint(job.request, sha256_of_source(content)))
        self._stop.wait(self._rng.random() ** 4 * self._longest_s)
        with self._service.ending:
            self._end(job, fault, content)

    def _end(self, job: Job, fault: tuple[str, str] | None, content: dict[str, bytes]) -> None:
        service = self._service
        if service.store.is_cancel_requested(job):
            service.play_cancelled(job)
        elif fault:
            service.play_failed(job, fault[1], fault[0])
        elif _is_changed(job.request.source, content):
            service.store.release(job)
        else:
            # a folder that is there: a song whose delivery was thrown away is rightly made again
            service.play_done(job, Delivery(folder=job.request.destination, files=()))


def _content_of(source: Path) -> dict[str, bytes]:
    """A song's bytes, or those of its stems, by name."""
    if source.is_dir():
        return {file.name: file.read_bytes() for file in source.iterdir()}
    return {"": source.read_bytes()}


def _is_changed(source: Path, content: dict[str, bytes]) -> bool:
    try:
        return _content_of(source) != content
    except OSError:
        return False  # gone: what was read of it was whole


def _fault_of(name: str, content: dict[str, bytes]) -> tuple[str, str] | None:
    if not content:
        return "SourceMissingError", f"{name} is not there. Check the path."
    if lacking := "".join(map(lacks, content.values())):
        return "InputError", f"{name} is not whole: {lacking}"
    if any(part[4:5] == FAILING for part in content.values()):
        return "InputError", f"{name} is silent. Export it again."
    if any(part[4:5] == REFUSED for part in content.values()):
        return "InputError", f"{name} is no song."
    return None
