"""Which engines live in environments of their own, and what belongs into them."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import tomli
from pydantic import Field

from bridge.errors import EngineError
from bridge.values import Value

HERE = Path(__file__).parent
Device = Literal["cpu", "cuda"]
Minor = Annotated[str, Field(pattern=r"^3\.\d+$")]
USUAL = "usual"


class Platform(Value):
    """What wheels are made for."""

    system: str
    """As ``sys.platform`` says it."""
    machine: str
    """As ``platform.machine()`` says it."""

    @property
    def key(self) -> str:
        """Such as "macos-arm64"; wheels on Windows call x86_64 AMD64."""
        system = {"win32": "windows", "darwin": "macos"}.get(self.system, self.system)
        machine = self.machine.lower()
        return f"{system}-{'x86_64' if machine == 'amd64' else machine}"


PLATFORMS = ("linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-arm64", "macos-x86_64")
"""Where all packages come as wheels, so that nobody needs a compiler."""


class Engine(Value):
    """An engine with an environment of its own."""

    name: str
    title: str
    licence: str
    modules: tuple[str, ...]
    """What has to import before it can be used."""
    shown: tuple[str, ...] = ()
    """The packages whose versions are worth telling."""
    weights: str = ""
    """The weights that it is best used with."""
    oldest_python: Minor = "3.10"
    newest_python: Mapping[str, Minor] = Field(default={USUAL: "3.14"})
    """By platform; "usual" on all others."""
    requirements: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    """What is installed without what it asks for."""
    download_mb: Mapping[Device, int] = Field(default={"cpu": 0, "cuda": 0})
    disk_mb: Mapping[Device, int] = Field(default={"cpu": 0, "cuda": 0})
    stand_ins: tuple[str, ...] = ()
    """Our own small modules in place of packages that do not work there."""

    @property
    def short_title(self) -> str:
        """Such as "Demucs v4"."""
        return self.title.partition(",")[0]

    @property
    def pins(self) -> Path:
        """The file with the exact versions."""
        return HERE / "pins" / f"{self.name}.txt"

    def python_minors(self, platform: Platform) -> tuple[str, ...]:
        """The Pythons that can run it, such as "3.11", newest first."""
        newest = self.newest_python.get(platform.key, self.newest_python[USUAL])
        first, last = (int(minor.partition(".")[2]) for minor in (self.oldest_python, newest))
        return tuple(f"3.{minor}" for minor in range(last, first - 1, -1))

    def fingerprint(self, device: Device) -> str:
        """SHA-256 of all that belongs into its environment."""
        parts = [device, *self.requirements, *self.bare, self.pins.read_text(encoding="utf-8")]
        parts += [path.read_text(encoding="utf-8") for path in self.stand_in_files()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def stand_in_files(self) -> list[Path]:
        """The files of our own modules, sorted."""
        roots = (stand_in_folder(self.name) / name for name in self.stand_ins)
        return sorted(path for root in roots for path in root.rglob("*.py"))


def stand_in_folder(engine: str) -> Path:
    """Where our own modules for an engine lie."""
    return HERE / "stand_ins" / engine


@cache
def catalogue() -> Mapping[str, Engine]:
    """All engines that have environments, by name."""
    found = tomli.loads((HERE / "catalogue.toml").read_text(encoding="utf-8"))
    return {name: Engine.model_validate({"name": name, **fields}) for name, fields in found.items()}


def engine_named(name: str) -> Engine:
    """The engine of that name; EngineError with the near one where there is none."""
    known = catalogue()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise EngineError(f"There is no engine '{name}'; there is: {', '.join(known)}.{hint}")
