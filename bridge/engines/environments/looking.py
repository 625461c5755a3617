"""A look at each engine: in which state it is, what is in its environment, what it would run on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from bridge.config import Config
from bridge.engines.environments.catalogue import Engine
from bridge.engines.environments.place import Place
from bridge.engines.environments.serving import base_serves, missing_words, python_of
from bridge.errors import EngineError
from bridge.values import Value
from bridge.weights import WeightsFolder, weights_named

TRIAL_LIMIT_S = 300.0
_TRIAL = """
import importlib, importlib.metadata, json, sys
modules, shown = json.loads(sys.argv[1])
for name in modules:
    importlib.import_module(name)
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
device = "cpu"
torch = sys.modules.get("torch")
if torch is None:
    pass
elif torch.cuda.is_available():
    device = f"cuda ({torch.cuda.get_device_name()})"
elif getattr(torch.backends, "mps", None) and torch.backends.mps.is_available():
    device = "mps (Apple's GPU)"
print()
print(json.dumps({"versions": {name: version(name) for name in shown}, "device": device}))
"""


class State(StrEnum):
    """In which state an engine is."""

    READY = "ready"
    NAMED = "your own Python"
    BASE = "in stembridge's Python"
    OUTDATED = "outdated"
    UNFINISHED = "unfinished"
    BROKEN = "broken"
    ABSENT = "not installed"

    @property
    def serves(self) -> bool:
        """Whether the engine can be used."""
        return self in (State.READY, State.NAMED, State.BASE, State.OUTDATED)


class Look(Value):
    """What a look at an engine found."""

    engine: str
    state: State
    words: str = ""
    """What is wrong, and the command that mends it; "" where nothing is."""
    python: Path | None = None
    versions: Mapping[str, str] = {}
    device: str = ""
    has_weights: bool = False


def state_of(engine: Engine, config: Config) -> State:
    """In which state an engine is, without starting anything but, perhaps, a trial of this interpreter."""
    place = Place(engine, config)
    if config.engines.pythons.get(engine.name):
        return State.NAMED
    if place.is_ready:
        return State.READY if place.is_current() else State.OUTDATED
    if base_serves(engine):
        return State.BASE
    if not place.folder.exists():
        return State.ABSENT
    return State.UNFINISHED if place.stamp is None else State.BROKEN


def look(engine: Engine, config: Config) -> Look:
    """A look that starts the engine's interpreter and imports what it needs there."""
    state = state_of(engine, config)
    has_weights = has_weights_of(engine, config)
    if not state.serves:
        words = (
            f"{missing_words(engine, Place(engine, config))} Get it: stembridge engines install {engine.name}"
        )
        return Look(engine=engine.name, state=state, words=words, has_weights=has_weights)
    try:
        python = python_of(engine.name, config)
        about = _tried(engine, python)
    except EngineError as fault:
        return Look(engine=engine.name, state=State.BROKEN, words=fault.message, has_weights=has_weights)
    words = _outdated(engine) if state is State.OUTDATED else ""
    return Look(engine=engine.name, state=state, words=words, python=python, has_weights=has_weights, **about)


def has_weights_of(engine: Engine, config: Config) -> bool:
    """Whether the weights that the engine is best used with are here."""
    return bool(engine.weights) and WeightsFolder(config.weights_folder).is_here(
        weights_named(engine.weights)
    )


def _outdated(engine: Engine) -> str:
    again = f"stembridge engines install {engine.name}"
    return f"It was made for another version of stembridge. Bring it up to date: {again}"


def _tried(engine: Engine, python: Path) -> Mapping[str, object]:
    command = [str(python), "-I", "-c", _TRIAL, json.dumps([engine.modules, engine.shown])]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"}
    again = f"Make it anew: stembridge engines remove {engine.name}, then install {engine.name}"
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=TRIAL_LIMIT_S, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise EngineError(f"{python} does not run as it should: {cause}. {again}") from cause
    if done.returncode:
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"code {done.returncode}"])[
            -1
        ]
        raise EngineError(f"{python} does not run {engine.name}: {last}. {again}")
    found: Mapping[str, object] = json.loads(done.stdout.decode("utf-8", "replace").splitlines()[-1])
    return found
