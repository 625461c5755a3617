"""Finished stages by content key: what was computed once is found again.

A key stands for what went in: the stage and its version, the parameters, the hashes of the input files. A
result is a folder with its files and ``result.json``, put in place by one rename, so that there is either a
whole result or none.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from bridge.audio import sync_folder, sync_tree
from bridge.errors import AudioError, StageError, StorageError, is_disk_full
from bridge.hashes import hash_file
from bridge.stages.base import Made
from bridge.values import Asset, StageResult, Value

RESULT_FILE = "result.json"
HELD = "-held"
"""Ends the name of a job's folder of empty files, named as the results that it works with."""
STALE_AFTER_S = 24 * 3600.0
_REFUSALS = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ESTALE}
    | {errno.ENOTCONN, errno.ETIMEDOUT}
)
"""What a disk says that is read-only, failing or gone."""


class ShelvedFile(Value):
    """A file of a result: where it lies under the shelf, and what it was when it was put there."""

    path: str
    role: str
    sha256: str
    size_bytes: int
    modified_ns: int


class ShelvedResult(Value):
    """``result.json``: the stage's result with paths relative to the shelf."""

    result: StageResult
    files: tuple[ShelvedFile, ...]


class Shelf:
    """The folder of finished stages; ``owner`` is the job that it is opened for."""

    def __init__(self, root: Path, owner: str = "") -> None:
        self.root = root
        self._owner = owner
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise StorageError(
                f"{root} cannot be made ({cause.strerror}); stembridge keeps its work there. "
                "Free the disk, mend the permission, or set work.folder."
            ) from cause

    def find(self, key: str) -> StageResult | None:
        """The result under that key, if all its files are there and unchanged; the owner holds it then."""
        self._hold(key)
        try:
            shelved = ShelvedResult.model_validate_json((self.root / key / RESULT_FILE).read_bytes())
        except (OSError, ValidationError):
            return None
        if not all(self._is_unchanged(file) for file in shelved.files):
            return None
        self._touch(key)
        return shelved.result.evolve(assets=tuple(self._asset(file) for file in shelved.files))

    def room(self, key: str) -> Path:
        """A fresh folder to make a result in."""
        folder = self.root / f".{self._owner}-{key}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        return folder

    def clear_rooms(self) -> None:
        """Remove the owner's rooms, which a killed attempt may have left, and let go what it held."""
        if self._owner:
            for folder in self.root.glob(f".{self._owner}-*"):
                shutil.rmtree(folder, ignore_errors=True)

    def put(self, key: str, stage: str, folder: Path, made: Made, seconds: float) -> StageResult:
        """Give what was made in ``folder`` its place under ``key``."""
        files = tuple(_shelved(folder, key, role, path) for role, path in made.files.items())
        passed_on = tuple(self._passed_on(asset) for asset in made.passed_on)
        result = StageResult(stage=stage, key=key, facts=made.facts, seconds=seconds)
        shelved = ShelvedResult(result=result, files=files + passed_on)
        (folder / RESULT_FILE).write_text(shelved.model_dump_json(), encoding="utf-8")
        sync_tree(folder)  # size and time of a file may be on the disk before its bytes are
        self._move_in(folder, key)
        return result.evolve(assets=tuple(self._asset(file) for file in shelved.files))

    @contextlib.contextmanager
    def faults_told(self) -> Iterator[None]:
        """Within the context, what the shelf's disk refuses is a StorageError: that may pass, a bug does not.

        Of a full disk is told elsewhere.
        """
        try:
            yield
        except (OSError, AudioError, StageError) as fault:
            refusal = None if is_disk_full(fault) else self._refusal_in(fault)
            if refusal is None:
                raise
            raise StorageError(
                f"{self.root} cannot be used ({refusal.strerror}); finished stages are kept there. "
                "Check the disk and the permission, or set work.folder."
            ) from fault

    def discard(self, folder: Path) -> None:
        """Remove a room that came to nothing."""
        shutil.rmtree(folder, ignore_errors=True)

    def release(self, key: str) -> None:
        """Remove a result that shall not be found again, unless another job has asked for it already."""
        own = f".{self._owner}{HELD}"
        if all(held.parent.name == own for held in self.root.glob(f".*{HELD}/{key}")):
            shutil.rmtree(self.root / key, ignore_errors=True)

    def prune(
        self, keep_bytes: int, spare: Iterable[str] = (), *, older_than_s: float = float("inf")
    ) -> None:
        """Remove the results unused for longest until the rest fits, those unused for ``older_than_s``, and
        rooms left by a crash.

        What another job at work has asked for stays, too: it will be read again.
        """
        self._remove_stale_rooms()
        spared = {*spare, *(held.name for held in self.root.glob(f".*{HELD}/*"))}
        results = sorted(self._results(), key=lambda item: item[0], reverse=True)
        total, oldest_s = 0, time.time() - older_than_s
        for used_s, folder, size in results:
            total += size
            if (total > keep_bytes or used_s < oldest_s) and folder.name not in spared:
                shutil.rmtree(folder, ignore_errors=True)

    def make_room(self, missing_bytes: int) -> None:
        """Remove so many bytes of results, the longest unused first; less where others are needed."""
        total = sum(size for _used, _folder, size in self._results())
        self.prune(max(0, total - missing_bytes))

    def _hold(self, key: str) -> None:
        """Before the look, so that no other job removes the result between look and use."""
        if self._owner:
            folder = self.root / f".{self._owner}{HELD}"
            with contextlib.suppress(OSError):  # a read-only shelf still serves
                folder.mkdir(exist_ok=True)
                (folder / key).touch()

    def _results(self) -> list[tuple[float, Path, int]]:
        found = []
        for folder in self.root.glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # or removed just now
                used_s = (folder / RESULT_FILE).stat().st_mtime
                size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
                found.append((used_s, folder, size))
        return found

    def _remove_stale_rooms(self) -> None:
        for folder in self.root.glob(".*-*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - folder.stat().st_mtime > STALE_AFTER_S:
                    shutil.rmtree(folder, ignore_errors=True)

    def _refusal_in(self, fault: BaseException | None) -> OSError | None:
        """The refusal from which a fault comes: a write to a read-only disk, or trouble with our files."""
        while fault is not None:
            if isinstance(fault, OSError) and (fault.errno == errno.EROFS or self._is_ours(fault)):
                return fault
            fault = fault.__cause__
        return None

    def _is_ours(self, fault: OSError) -> bool:
        names = (fault.filename, fault.filename2)
        ours = any(
            isinstance(name, str | os.PathLike) and Path(name).is_relative_to(self.root) for name in names
        )
        return ours and fault.errno in _REFUSALS

    def _touch(self, key: str) -> None:
        try:
            os.utime(self.root / key / RESULT_FILE)
        except OSError:
            return  # a read-only shelf still serves

    def _move_in(self, folder: Path, key: str) -> None:
        place = self.root / key
        if place.exists() and self.find(key) is None:
            shutil.rmtree(place, ignore_errors=True)
        try:
            folder.rename(place)
        except OSError:
            if self.find(key) is None:
                raise
            self.discard(folder)  # another worker made the same result first
        sync_folder(self.root)

    def _is_unchanged(self, file: ShelvedFile) -> bool:
        try:
            status = (self.root / file.path).stat()
        except OSError:
            return False
        return status.st_size == file.size_bytes and status.st_mtime_ns == file.modified_ns

    def _asset(self, file: ShelvedFile) -> Asset:
        return Asset(path=self.root / file.path, sha256=file.sha256, role=file.role)

    def _passed_on(self, asset: Asset) -> ShelvedFile:
        status = asset.path.stat()
        return ShelvedFile(
            path=asset.path.relative_to(self.root).as_posix(),
            role=asset.role,
            sha256=asset.sha256,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
        )


def content_key(stage: str, version: int, params: Value, inputs: Iterable[Asset]) -> str:
    """The key of a stage's result: a hash of all that it depends on."""
    about = {
        "stage": stage,
        "version": version,
        "params": params.model_dump(mode="json"),
        "inputs": [(asset.role, asset.sha256) for asset in inputs],
    }
    text = json.dumps(about, sort_keys=True, ensure_ascii=False)
    return f"{stage}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _shelved(folder: Path, key: str, role: str, path: Path) -> ShelvedFile:
    status = path.stat()
    return ShelvedFile(
        path=f"{key}/{path.relative_to(folder).as_posix()}",
        role=role,
        sha256=hash_file(path),
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
    )
