"""Which interpreter runs an engine."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from bridge.config import Config
from bridge.engines.environments.catalogue import Engine, engine_named
from bridge.engines.environments.place import Place
from bridge.errors import EngineError

IMPORT_LIMIT_S = 300.0
"""torch on a slow disk, for the very first time, takes a minute."""


def python_of(engine: str, config: Config) -> Path:
    """The interpreter that runs ``engine``: the one that the settings name, its environment's, or this one.

    The third only where the engine's packages import there, which a child process finds out.

    Raises:
        EngineError: none of them can run it; the message says what is missing and the command to get it.
    """
    known = engine_named(engine)
    named = config.engines.pythons.get(engine)
    if named:
        return _named(known, Path(named).expanduser())
    place = Place(known, config)
    if place.is_ready:
        return place.python
    if base_serves(known):
        return Path(sys.executable)
    raise EngineError(f"{missing_words(known, place)} Get it: stembridge engines install {engine}")


def base_serves(engine: Engine) -> bool:
    """Whether stembridge's own interpreter runs the engine; a child process tries, nothing is imported."""
    names = {module.partition(".")[0] for module in engine.modules}
    is_there = all(importlib.util.find_spec(name) is not None for name in names)
    return is_there and not _known_fault(Path(sys.executable), engine.modules)


def import_fault(python: Path, modules: tuple[str, ...]) -> str:
    """Why ``modules`` do not import in ``python``, in its own last words; "" where they do."""
    command = [str(python), "-I", "-c", "".join(f"import {module}\n" for module in modules)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=IMPORT_LIMIT_S, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"its packages did not import within {IMPORT_LIMIT_S:g} s"
    except OSError as fault:
        return f"it does not run ({fault.strerror})"
    if done.returncode == 0:
        return ""
    words = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return words[-1] if words else f"it ended with code {done.returncode}"


def missing_words(engine: Engine, place: Place) -> str:
    """What keeps an environment from serving."""
    if not place.folder.exists():
        return f"{engine.short_title} is not installed."
    if place.stamp is None:
        return f"The installation of {engine.name} in {place.folder} was not finished."
    return f"The environment in {place.folder} has lost the Python that it was made with."


_known_fault = cache(import_fault)


def _named(engine: Engine, python: Path) -> Path:
    where = f"engines.pythons names {python} for {engine.name}"
    if not python.is_file():
        raise EngineError(f"{where}, which is not there. Name another, or take the setting out.")
    fault = _known_fault(python, engine.modules)
    if fault:
        raise EngineError(
            f"{where}, which cannot run it: {fault}. Install it there, or take the setting out."
        )
    return python
