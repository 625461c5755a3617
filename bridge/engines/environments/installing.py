"""Makes environments and deletes them. What was begun goes on; the stamp comes last."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bridge.config import Config
from bridge.engines.environments.catalogue import Device, Engine, stand_in_folder
from bridge.engines.environments.indexes import is_reachable
from bridge.engines.environments.pip import HowFar, Package, Pip, Told, tells_full_disk
from bridge.engines.environments.place import Place, Stamp
from bridge.engines.environments.pythons import Machine, Python, find_python
from bridge.engines.environments.serving import import_fault
from bridge.errors import DiskFullError, EngineError, is_disk_full

SPARE_MB = 500
"""That must stay free on the disk."""


@dataclass(frozen=True)
class Installed:
    """What an installation did."""

    python: Path
    was_there: bool


def install(
    engine: Engine,
    config: Config,
    *,
    device: Device = "cpu",
    named: Path | None = None,
    machine: Machine | None = None,
    told: Told = lambda _: None,
) -> Installed:
    """Make the environment of ``engine``, or go on with one that is unfinished; an outdated one is made anew.

    Args:
        engine: what to install.
        config: where, and from which indexes.
        device: "cuda" lets NVIDIA's packages in; without it they are refused.
        named: the Python to make it with; None finds one.
        machine: where Pythons may be.
        told: called with how far it is; it may raise, and what came is kept.

    Raises:
        EngineError: there is no Python for it, packages cannot be had, or it does not import afterwards.
        DiskFullError: there is no room.
    """
    place = Place(engine, config)
    if place.is_ready and place.is_current(device):
        return Installed(python=place.python, was_there=True)
    if config.weights.offline:
        raise EngineError(
            f"{engine.short_title} is not installed, and weights.offline keeps everything from being "
            "fetched. Without a network, name an interpreter that has it in engines.pythons."
        )
    python = find_python(engine, named=named, machine=machine)
    _expect_sense(device, python)
    _expect_room(engine, place, device)
    with _alone(place), _temporary(place) as folder, _words():
        _make(engine, place, python, device, told)
        pip = Pip(place.python, folder, told)
        _fill(engine, place, config, device, pip, told)
        _finish(engine, place, device, python, told)
    return Installed(python=place.python, was_there=False)


def remove(engine: Engine, config: Config) -> int:
    """Delete the environment; the bytes that became free, 0 where there was none."""
    place = Place(engine, config)
    with _alone(place), _words():
        freed = _size_of(place.folder)
        _delete(place)
    return freed


def _expect_sense(device: Device, python: Python) -> None:
    if device == "cuda" and python.platform.system == "darwin":
        raise EngineError(
            "There is no CUDA on macOS. Leave --cuda out: torch uses Apple's own GPU where it has one."
        )


def _expect_room(engine: Engine, place: Place, device: Device) -> None:
    free_mb = shutil.disk_usage(_nearest(place.folder)).free / 1e6
    here_mb = _size_of(place.folder) / 1e6
    needed_mb = max(0.0, engine.disk_mb[device] - here_mb) + engine.download_mb[device] + SPARE_MB
    if free_mb < needed_mb:
        raise DiskFullError(
            f"{place.folder.parent} has {free_mb:.0f} MB free; {engine.short_title} needs "
            f"{needed_mb:.0f} MB. Free some space, or set work.folder to another disk."
        )


def _nearest(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


@contextlib.contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One process works on an environment at a time."""
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.folder.with_name(f".{place.folder.name}.lock"), timeout=0)
    try:
        with lock:
            yield
    except Timeout as cause:
        raise EngineError(f"Another stembridge is at work on {place.folder}; wait for that.") from cause


@contextlib.contextmanager
def _temporary(place: Place) -> Iterator[Path]:
    """A folder on the same disk: the system's own for such is often small, and in memory."""
    folder = place.folder.with_name(f".{place.folder.name}-temporary")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        if is_disk_full(fault):
            raise DiskFullError(
                "The disk became full; free some, and go on with the same command."
            ) from fault
        raise EngineError(
            f"The environment could not be written: {fault}. Is it in use? Stop the service: stembridge stop"
        ) from fault


def _make(engine: Engine, place: Place, python: Python, device: Device, told: Told) -> None:
    """An empty environment, or the one that was begun for the same."""
    wanted = _stamp(engine, device, python)
    if place.begun == wanted and place.has_python and place.has_pip:
        _drop_halves(place)
        return
    told(HowFar("making the environment"))
    _delete(place)
    done = subprocess.run(
        [str(python.path), "-I", "-m", "venv", str(place.folder)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        if tells_full_disk(said):
            raise OSError(errno.ENOSPC, "no room for an environment")
        last = " ".join(said.split()[-60:])
        raise EngineError(f"{python.path} could not make an environment in {place.folder}: {last}")
    place.begin(wanted)


def _drop_halves(place: Place) -> None:
    """Forget packages in whose unpacking pip was killed: it marks those that are whole as the last thing."""
    for about in place.packages.glob("*.dist-info"):
        if not (about / "INSTALLER").is_file():
            shutil.rmtree(about)


def _stamp(engine: Engine, device: Device, python: Python) -> Stamp:
    return Stamp(
        engine=engine.name,
        requirements=engine.fingerprint(device),
        python=python.version,
        device=device,
    )


def _fill(engine: Engine, place: Place, config: Config, device: Device, pip: Pip, told: Told) -> None:
    told(HowFar("looking up what is needed"))
    index = config.engines.indexes.get(device, "")
    is_used = bool(index) and is_reachable(index, config.engines.reach_s)
    wheels = ["--only-binary", ":all:", *(["--extra-index-url", index] if is_used else [])]
    pip.renew()
    wanted = [*wheels, "--constraint", str(engine.pins), *engine.requirements]
    fault = _device_fault(pip.plan(wanted), device, engine, index, is_used=is_used)
    if fault:
        _delete(place)
        raise EngineError(fault)
    told(HowFar("fetching"))
    pip.install(wanted)
    if engine.bare:
        pip.install([*wheels, "--no-deps", *engine.bare])


def _device_fault(
    packages: tuple[Package, ...], device: Device, engine: Engine, index: str, *, is_used: bool
) -> str:
    """Nobody gets gigabytes of CUDA by accident, nor goes without it who wants it; "" where all is well."""
    found = [package for package in packages if package.is_cuda]
    where = f"the index engines.indexes.{device} ({index or 'not set'})"
    state = "has no other" if is_used else "did not answer"
    if found and device == "cpu":
        names = ", ".join(package.name for package in found[:3])
        return (
            f"The torch that can be had here brings NVIDIA's packages with it ({len(found)}: {names}, ...; "
            f"about {engine.download_mb['cuda'] / 1000:.1f} GB), and nothing was installed: {where}, which "
            f"has torch without them, {state}. Set it to a mirror, try again later, or, where a GPU of "
            f"NVIDIA's is to be used: stembridge engines install {engine.name} --cuda"
        )
    if not found and device == "cuda":
        return (
            f"The torch that can be had here is one without CUDA, and nothing was installed: {where} "
            f"{state}. Set it to a mirror, try again later, or leave --cuda out."
        )
    return ""


def _finish(engine: Engine, place: Place, device: Device, python: Python, told: Told) -> None:
    """Our own modules, a trial, the stamp."""
    for name in engine.stand_ins:
        target = place.packages / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            stand_in_folder(engine.name) / name, target, ignore=shutil.ignore_patterns("__pycache__")
        )
    told(HowFar("trying it"))
    fault = import_fault(place.python, engine.modules)
    if fault:
        place.begun_path.unlink(missing_ok=True)  # so that the next try makes it anew
        raise EngineError(
            f"All packages of {engine.short_title} are there, but they do not import: {fault}. "
            f"Try once more: stembridge engines install {engine.name}"
        )
    place.stamp_it(_stamp(engine, device, python))


def _delete(place: Place) -> None:
    """The stamp goes first: what is half deleted serves nobody."""
    place.stamp_path.unlink(missing_ok=True)
    if place.folder.exists():
        shutil.rmtree(place.folder)


def _size_of(folder: Path) -> int:
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(root, name).lstat().st_size
    return total
