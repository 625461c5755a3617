"""Where an engine's environment lies, and in which state it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import ValidationError

from bridge.config import Config
from bridge.engines.environments.catalogue import Device, Engine
from bridge.values import Value


class Stamp(Value):
    """What an environment was made of; written last, so that one without it is unfinished."""

    engine: str
    requirements: str
    """SHA-256 of what was asked for."""
    python: str
    """Such as "3.11.7"."""
    device: Device


class Place:
    """The folder of one engine's environment."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self._engine = engine
        self.folder = config.data_folder / "engines" / engine.name
        self.python = interpreter_in(self.folder)
        self.stamp_path = self.folder / "stembridge.json"
        self.begun_path = self.folder / "stembridge-begun.json"

    @property
    def stamp(self) -> Stamp | None:
        """What it was made of; None where it is unfinished, or not there."""
        return _read(self.stamp_path)

    @property
    def begun(self) -> Stamp | None:
        """What it was to be made of when it was begun."""
        return _read(self.begun_path)

    @property
    def is_ready(self) -> bool:
        """Whether it can be used."""
        return self.stamp is not None and self.has_python

    def is_current(self, device: Device | None = None) -> bool:
        """Whether what it was made of is what would be asked for today."""
        stamp = self.stamp
        if stamp is None or (device is not None and stamp.device != device):
            return False
        return stamp.requirements == self._engine.fingerprint(stamp.device)

    @property
    def has_python(self) -> bool:
        """Whether its interpreter is there, and the one that it was made with."""
        home = _home(self.folder)
        return self.python.exists() and home is not None and home.is_dir()

    @property
    def has_pip(self) -> bool:
        """Whether packages can be installed into it."""
        return (self.packages / "pip" / "__main__.py").is_file()

    @property
    def packages(self) -> Path:
        """Where its packages lie."""
        if sys.platform == "win32":
            return self.folder / "Lib" / "site-packages"
        found = sorted(self.folder.glob("lib/python3.*/site-packages"))
        return found[0] if found else self.folder / "lib" / "site-packages"

    def begin(self, stamp: Stamp) -> None:
        """Note what is being made."""
        _write(self.begun_path, stamp)

    def stamp_it(self, stamp: Stamp) -> None:
        """Declare it finished."""
        _write(self.stamp_path, stamp)


def interpreter_in(folder: Path, system: str = sys.platform) -> Path:
    """Where a virtual environment has its interpreter."""
    return folder / "Scripts" / "python.exe" if system == "win32" else folder / "bin" / "python"


def _read(path: Path) -> Stamp | None:
    try:
        return Stamp.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _write(path: Path, stamp: Stamp) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(stamp.model_dump_json())
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _home(folder: Path) -> Path | None:
    """The folder of the interpreter that an environment was made with, as it says itself."""
    try:
        lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    pairs = (line.partition("=") for line in lines)
    return next((Path(value.strip()) for key, _, value in pairs if key.strip() == "home"), None)
