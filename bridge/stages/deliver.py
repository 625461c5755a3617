"""Deliver: everything under its name into the project's folder, whole or not at all.

The files are gathered in a hidden folder beside the place where they belong, synced, and put there by one
rename; the manifest is written last. What lies there already is never touched: the next delivery of a title
is "Title v2". A job that was killed between the rename and its own book-keeping finds its delivery by the
job's id in the manifest.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bridge.audio import sync_file, sync_folder
from bridge.errors import DeliveryError, DiskFullError, StembridgeError, is_disk_full
from bridge.hashes import hash_file
from bridge.naming import versioned
from bridge.protocols import Progress
from bridge.stages import roles
from bridge.stages.base import Inputs, Made, Room, Stage
from bridge.stages.manifest import Manifest, ManifestFile
from bridge.tags import Cover, write_tags
from bridge.values import Tags, Value

MANIFEST = "manifest.json"
RENAME_TRIES = 20
STALE_AFTER_S = 24 * 3600.0
JOB_ID = "[0-9a-f]" * 16
"""As a pattern of file names."""


class Placed(Value):
    """An asset and its path inside the delivery, with forward slashes."""

    role: str
    path: str
    tags: Tags | None = None
    """Written into the delivered file where given."""


class Params(Value):
    """What goes where, and what the manifest says about it."""

    job_id: str
    destination: Path
    """``PROJECT/StemBridge``."""
    title: str
    """A name that is safe for a folder."""
    placed: tuple[Placed, ...]
    manifest: Manifest


def run(params: Params, inputs: Inputs, room: Room) -> Made:
    """Put the delivery in its place and tell where that is."""
    try:
        folder = delivered_by(params.job_id, params.destination) or _deliver(params, inputs, room)
    except OSError as cause:
        raise _explained(params.destination, cause) from cause
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    files = [file["path"] for file in manifest["files"]]
    return Made(facts={"folder": str(folder), "files": [*files, MANIFEST]})


STAGE = Stage(name="deliver", version=1, cost=0.01, run=run)


def delivered_by(job_id: str, destination: Path) -> Path | None:
    """The folder that this job has delivered; a hidden one, which is still gathered, does not count."""
    for manifest in sorted(destination.glob(f"[!.]*/{MANIFEST}")):
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and content.get("job") == job_id:
            return manifest.parent
    return None


def take_back(job_id: str, destination: Path) -> None:
    """Undo the delivery of a job that was stopped in the moment after it, before anybody knew of it.

    Otherwise the job would stand as interrupted or failed, and the same command would deliver once more. A
    delivery that somebody has found and used in the meantime, as after a power cut, stays.
    """
    delivered = delivered_by(job_id, destination)
    with contextlib.suppress(OSError, LookupError, TypeError):  # or a manifest that somebody edited
        if delivered is not None and _is_untouched(delivered):
            delivered.rename(_partial(job_id, destination))
    remove_partial(job_id, destination)


def _is_untouched(folder: Path) -> bool:
    """Whether it holds what was delivered and nothing newer; Live writes beside every file that it plays."""
    manifest = folder / MANIFEST
    listed = {file["path"] for file in json.loads(manifest.read_text(encoding="utf-8"))["files"]}
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    written_ns = manifest.stat().st_mtime_ns
    return found.keys() == {*listed, MANIFEST} and all(
        path.stat().st_mtime_ns <= written_ns for path in found.values()
    )


def remove_partial(job_id: str, destination: Path) -> None:
    """Remove what a killed attempt of the job gathered."""
    shutil.rmtree(_partial(job_id, destination), ignore_errors=True)


def _partial(job_id: str, destination: Path) -> Path:
    return destination / f".{job_id}.partial"


def _deliver(params: Params, inputs: Inputs, room: Room) -> Path:
    partial = _partial(params.job_id, params.destination)
    remove_partial(params.job_id, params.destination)
    _remove_stale(params.destination)
    made_here = [
        folder for folder in (params.destination, *params.destination.parents) if not folder.exists()
    ]
    try:
        partial.mkdir(parents=True)
        for folder in made_here:  # a delivery that is synced is lost all the same with the folder around it
            sync_folder(folder.parent)
        files = list(_fill(partial, params, inputs, room.progress))
        _write_manifest(partial, params.manifest.evolve(job=params.job_id, files=files))
        return _move_in(partial, params)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made_here:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _remove_stale(destination: Path) -> None:
    """What killed jobs left that were never started again; nobody else's hidden folders."""
    for folder in destination.glob(f".{JOB_ID}.partial"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)


def _fill(partial: Path, params: Params, inputs: Inputs, progress: Progress) -> Iterator[ManifestFile]:
    cover = Cover.of(inputs.path(roles.COVER).read_bytes()) if inputs.has(roles.COVER) else None
    for number, placed in enumerate(params.placed):
        target = partial / placed.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(inputs.path(placed.role), target)
        if placed.tags is not None:
            write_tags(target, placed.tags, cover)
        sync_file(target)
        yield ManifestFile(
            path=placed.path, role=placed.role, sha256=hash_file(target), bytes=target.stat().st_size
        )
        progress((number + 1) / (len(params.placed) + 1))


def _write_manifest(partial: Path, manifest: Manifest) -> None:
    path = partial / MANIFEST
    path.write_text(manifest.to_text(), encoding="utf-8")
    sync_file(path)
    for folder, _, _ in os.walk(partial):
        sync_folder(Path(folder))


def _move_in(partial: Path, params: Params) -> Path:
    for _ in range(RENAME_TRIES):
        place = params.destination / versioned(params.destination, params.title)
        try:
            partial.rename(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES) or not place.exists():
                raise
            continue  # another job took the name between the look and the rename
        sync_folder(params.destination)
        return place
    raise DeliveryError(
        f"No free name for '{params.title}' in {params.destination} was found; remove old versions there."
    )


def _explained(destination: Path, cause: OSError) -> StembridgeError:
    kind: type[StembridgeError] = DeliveryError
    if is_disk_full(cause):
        kind = DiskFullError
        what, remedy = "the disk is full", "Free some space; nothing is computed twice."
    elif cause.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        what, remedy = (
            "writing there is not permitted",
            "Choose another folder with --project, or mend its permission.",
        )
    else:
        what, remedy = str(cause), "Check that the folder is there and give the same command again."
    return kind(
        f"The results could not be written to {destination}: {what}. {remedy} Nothing half-done was left."
    )
