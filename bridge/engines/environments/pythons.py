"""Finds a Python that an engine can live in, or says how to get one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.engines.environments.catalogue import PLATFORMS, Engine, Platform
from bridge.errors import EngineError
from bridge.values import Value

PROBE_LIMIT_S = 30.0
_PROBE = """
import importlib.util, json, platform, struct, sys
print(json.dumps({
    "version": platform.python_version(), "bits": struct.calcsize("P") * 8,
    "platform": {"system": sys.platform, "machine": platform.machine()},
    "missing": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None],
}))
"""


class Python(Value):
    """An interpreter, as it told about itself."""

    path: Path
    version: str
    """Such as "3.11.7"."""
    bits: int
    platform: Platform
    missing: tuple[str, ...]
    """Modules without which it cannot make environments."""

    @property
    def minor(self) -> str:
        """Such as "3.11"."""
        return ".".join(self.version.split(".")[:2])


Command = list[str]
Probe = Callable[[Command], Python | None]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where interpreters may be on this machine."""

    own: Path = field(default_factory=lambda: Path(sys.executable))
    system: str = sys.platform
    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    which: Callable[[str], str | None] = shutil.which

    def commands(self, minors: tuple[str, ...]) -> Iterator[Command]:
        """What may start one of the wanted Pythons: this one first, then newer ones before older ones."""
        yield [str(self.own)]
        for minor in minors:
            if on_path := self.which(f"python{minor}"):
                yield [on_path]
            if self.system == "win32" and (launcher := self.which("py")):
                yield [launcher, f"-{minor}"]
            yield from ([str(path)] for path in self._managed(minor))

    def _managed(self, minor: str) -> Iterator[Path]:
        """Those that pyenv, uv, Homebrew and python.org's installers keep."""
        tail = "python.exe" if self.system == "win32" else f"bin/python{minor}"
        for folder, pattern in self._roots(minor):
            yield from sorted(folder.glob(f"{pattern}/{tail}"), key=_by_version, reverse=True)

    def _roots(self, minor: str) -> Iterator[tuple[Path, str]]:
        pyenv = self.environment.get("PYENV_ROOT", "")
        uv = self.environment.get("UV_PYTHON_INSTALL_DIR", "")
        if self.system == "win32":
            pyenv_folder = Path(pyenv) if pyenv else self.home / ".pyenv" / "pyenv-win"
            data = self.environment.get("APPDATA", "")
            uv_folder = Path(data) / "uv" / "python" if data else self.home / "AppData/Roaming/uv/python"
        else:
            pyenv_folder = Path(pyenv) if pyenv else self.home / ".pyenv"
            data = self.environment.get("XDG_DATA_HOME", "")
            uv_folder = (Path(data) if data else self.home / ".local/share") / "uv" / "python"
        yield pyenv_folder / "versions", f"{minor}.*"
        yield Path(uv) if uv else uv_folder, f"cpython-{minor}.*"
        if self.system == "darwin":
            for brew in ("/opt/homebrew/opt", "/usr/local/opt"):
                yield Path(brew), f"python@{minor}"
            yield Path("/Library/Frameworks/Python.framework/Versions"), minor


def probe(command: Command) -> Python | None:
    """What an interpreter says about itself; None where it does not run."""
    try:
        done = subprocess.run(
            [*command, "-I", "-c", f"{_PROBE}print(sys.executable)"],
            capture_output=True,
            timeout=PROBE_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
        about, path = done.stdout.decode("utf-8", "surrogateescape").splitlines()
        return Python.model_validate({"path": path, **json.loads(about)})
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        return None


def find_python(
    engine: Engine, *, named: Path | None = None, machine: Machine | None = None, probe: Probe = probe
) -> Python:
    """A Python that ``engine`` can live in: ``named``, or the first that is found.

    Raises:
        EngineError: there is none; the message says what was found, and how to get one on this system.
    """
    if named is not None:
        return _named(engine, named, probe)
    machine = machine or Machine()
    own = probe([str(machine.own)])
    platform = own.platform if own else Platform(system=machine.system, machine="")
    minors = engine.python_minors(platform)
    flawed: list[str] = []
    for command in machine.commands(minors):
        found = probe(command)
        fault = _fault(engine, found) if found else "it does not run"
        if found and not fault:
            return found
        if found and found.minor in minors:
            flawed.append(f"{found.path} {fault}.")
    raise EngineError(_how_to_get(engine, minors, machine, list(dict.fromkeys(flawed)), own))


def _named(engine: Engine, path: Path, probe: Probe) -> Python:
    found = probe([str(path)])
    if found is None:
        raise EngineError(f"{path} is no Python that runs here; wanted {_range(engine, None)}.")
    fault = _fault(engine, found)
    if fault:
        raise EngineError(f"{path} {fault}; wanted {_range(engine, found.platform)}.")
    return found


def _fault(engine: Engine, python: Python) -> str:
    """Why an interpreter will not do, as the rest of a sentence; "" where it will."""
    if python.minor not in engine.python_minors(python.platform):
        return f"is Python {python.version}"
    if python.bits != 64:
        return "is a 32-bit Python, for which there is no torch"
    if python.platform.key not in PLATFORMS:
        return f"is made for {python.platform.key}, for which there are no packages of {engine.short_title}"
    if python.missing:
        return f"comes without the module that makes environments ({', '.join(python.missing)})"
    return ""


def _range(engine: Engine, platform: Platform | None) -> str:
    minors = engine.python_minors(platform or Platform(system=sys.platform, machine=""))
    return f"Python {minors[-1]} to {minors[0]}"


def _how_to_get(
    engine: Engine, minors: tuple[str, ...], machine: Machine, flawed: list[str], own: Python | None
) -> str:
    """What was found, what is wanted, and the commands that bring it."""
    best = "3.11" if "3.11" in minors else minors[0]
    ways = {
        "win32": [f"winget install Python.Python.{best}"],
        "darwin": [f"brew install python@{best}"],
    }.get(machine.system, [f"sudo apt install python{best} python{best}-venv (where the system has it)"])
    ways.append(f"uv python install {best}")
    found = " ".join(flawed) or (f"Found: Python {own.version}." if own else "")
    wanted = f"{minors[-1]} to {minors[0]}" if len(minors) > 1 else minors[0]
    return (
        f"{engine.short_title} needs Python {wanted}, and none was found that will do. {found} "
        f"Get one: {', or: '.join(ways)}. Then give the command again, or name one with --python PATH."
    )


def _by_version(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]
