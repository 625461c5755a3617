"""Where an engine's environment lies, and in which state it is."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import ValidationError

from bridge.config import Config
from bridge.engines.environments.catalogue import Engine
from bridge.values import Value

STAMP = "stembridge.json"


class Stamp(Value):
    """What an environment was made of; written last, so that one without it is unfinished."""

    engine: str
    requirements: str
    """SHA-256 of what was asked for."""
    python: str
    """Such as "3.11.7"."""
    device: str
    """"cpu" or "cuda"."""


class Place:
    """The folder of one engine's environment."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self.folder = config.data_folder / "engines" / engine.name
        self.python = interpreter_in(self.folder)

    @property
    def stamp(self) -> Stamp | None:
        """What it was made of; None where it is unfinished, or not there."""
        try:
            return Stamp.model_validate_json((self.folder / STAMP).read_bytes())
        except (OSError, ValidationError):
            return None

    @property
    def has_python(self) -> bool:
        """Whether its interpreter is there, and the one that it was made with."""
        return self.python.exists() and (home := _home(self.folder)) is not None and home.is_dir()


def interpreter_in(folder: Path, system: str = sys.platform) -> Path:
    """Where a virtual environment has its interpreter."""
    return folder / "Scripts" / "python.exe" if system == "win32" else folder / "bin" / "python"


def _home(folder: Path) -> Path | None:
    """The folder of the interpreter that an environment was made with, as it says itself."""
    try:
        lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    pairs = (line.partition("=") for line in lines)
    return next((Path(value.strip()) for key, _, value in pairs if key.strip() == "home"), None)
