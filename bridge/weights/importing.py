"""Brings in weights that somebody carried here: found by what they are, whatever they are called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import DiskFullError, WeightsError, is_disk_full
from bridge.hashes import hash_file
from bridge.weights.catalogue import Form, Weights, catalogue
from bridge.weights.folder import WeightsFolder, fault_of

MOST_FILES = 200_000
"""More are not looked through: that is somebody's whole disk."""


@dataclass(frozen=True)
class Imported:
    """One file that is in its place now."""

    weights: str
    file: str
    origin: Path
    was_here: bool


def import_weights(place: Path, folder: WeightsFolder) -> tuple[Imported, ...]:
    """Copy every known file of weights in ``place``, a file or a folder, to where engines look for them.

    Files are known by size and SHA-256, so caches of other programs serve too, whatever they call them.

    Raises:
        WeightsError: nothing that is known is there, or it cannot be read.
        DiskFullError: there is no room for a copy.
    """
    wanted = [(weights, form) for weights in catalogue().values() for form in _forms(weights)]
    found: dict[str, Imported] = {}
    for path in _files_in(place):
        for weights, form in wanted:
            if form.sha256 not in found and _is(path, form):
                found[form.sha256] = _brought(path, weights, form, folder)
    if not found:
        raise WeightsError(
            f"{place} holds no weights that stembridge knows; wanted one of these files, as published: "
            f"{', '.join(form.file for _, form in wanted)}. They may have any name."
        )
    return tuple(found.values())


def import_own(file: Path, weights: Weights, folder: WeightsFolder) -> Path:
    """Take ``file`` as the one that is made of the weights' parts, on the word of whoever names it.

    Only for files that hold numbers and no program (ONNX); the engine looks at its form before it is used.
    """
    if weights.own_file is None:
        raise WeightsError(f"{weights.name} takes published files alone; nothing is made of them.")
    if file.suffix.lower() != Path(weights.own_file).suffix:
        raise WeightsError(
            f"{file.name} cannot stand for {weights.own_file}; wanted a {Path(weights.own_file).suffix} file."
        )
    target = folder.place(weights) / weights.own_file
    _copy(file, target)
    return target


def _forms(weights: Weights) -> Iterable[Form]:
    return (form for part in weights.parts for form in part.forms)


def _files_in(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    if not place.is_dir():
        raise WeightsError(f"{place} is not there; wanted a file, or a folder that holds weights.")
    count = 0
    for root, _folders, names in os.walk(place):  # links to folders are not followed: some lead in circles
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise WeightsError(f"{place} holds more than {MOST_FILES} files; name a folder further down.")
            path = Path(root, name)
            if path.is_file():
                yield path


def _is(path: Path, form: Form) -> bool:
    try:
        return form.may_have(path.stat().st_size) and hash_file(path) == form.sha256
    except OSError:
        return False


def _brought(path: Path, weights: Weights, form: Form, folder: WeightsFolder) -> Imported:
    target = folder.path(weights, form)
    was_here = target.is_file() and not fault_of(target, form)
    if not was_here:
        _copy(path, target, form)
    return Imported(weights=weights.name, file=form.file, origin=path, was_here=was_here)


def _copy(path: Path, target: Path, form: Form | None = None) -> None:
    """Copy under a temporary name, look at what arrived, then give it its own."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.copy")
    try:
        shutil.copyfile(path, part)
        fault = fault_of(part, form) if form else ""
        if fault:
            raise WeightsError(f"The copy of {path} {fault} It changed under the copying; try again.")
        part.replace(target)
    except OSError as cause:
        if is_disk_full(cause):
            raise DiskFullError(f"There is no room for {path.name} in {target.parent}.") from cause
        raise WeightsError(f"{path} could not be copied to {target}: {cause}.") from cause
    finally:
        part.unlink(missing_ok=True)
