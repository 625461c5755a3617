"""The real command as a process, with a data folder, a project and settings of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.hashes import hash_file

COMMAND = (sys.executable, "-c", "from bridge.cli import main; main()")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def results(self) -> list[dict[str, Any]]:
        """What ``--json`` printed, a song each."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return found

    @property
    def words(self) -> str:
        """All that was said."""
        return self.out + self.err


@dataclass(frozen=True, kw_only=True)
class Place:
    """A desk: where songs lie, where results go, where work is kept."""

    root: Path
    settings: str = ""
    data: Path | None = None
    project: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def data_folder(self) -> Path:
        return self.data or self.root / "data"

    @property
    def project_folder(self) -> Path:
        return self.project or self.root / "project"

    @property
    def songs(self) -> Path:
        folder = self.root / "songs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def environment(self) -> dict[str, str]:
        """What the command sees; nothing of the user's own settings."""
        config = self.root / "config.toml"
        if self.settings:
            config.write_text(self.settings, encoding="utf-8")
        return {
            **os.environ,
            "STEMBRIDGE_DATA": str(self.data_folder),
            "STEMBRIDGE_CONFIG": str(config),
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            **self.extra,
        }

    def arguments(self, *songs: Path | str, recipe: str = "", options: tuple[str, ...] = ()) -> list[str]:
        """``stembridge process`` with this project."""
        named = ["--recipe", recipe] if recipe else []
        command = [*COMMAND, "process", "--project", str(self.project_folder), *named, *options]
        return [*command, "--", *map(str, songs)]

    def process(
        self,
        *songs: Path | str,
        recipe: str = "",
        options: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        timeout_s: float = 120,
    ) -> Ran:
        """Run it to its end; a command that hangs is a failure."""
        arguments = self.arguments(*songs, recipe=recipe, options=options)
        return run([*prefix, *arguments], env=self.environment(), timeout_s=timeout_s)

    def start(self, *songs: Path | str, recipe: str = "", **settings: Any) -> subprocess.Popen[str]:
        """Start it in a process group of its own and do not wait."""
        return subprocess.Popen(
            self.arguments(*songs, recipe=recipe),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **settings,
        )

    def left(self) -> list[str]:
        """Everything that lies in the project, hidden or not."""
        return left_in(self.project_folder)


def run(arguments: list[str], *, env: dict[str, str], timeout_s: float = 120) -> Ran:
    """Run a command to its end."""
    started_s = time.monotonic()
    done = subprocess.run(
        arguments,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr, seconds=time.monotonic() - started_s)


def left_in(folder: Path) -> list[str]:
    """Every path below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def deliveries(project: Path) -> list[Path]:
    """The deliveries in a project, by name."""
    return sorted(path.parent for path in (project / "StemBridge").glob("[!.]*/manifest.json"))


def faults_of(delivery: Path) -> list[str]:
    """What is wrong with a delivery: files that are missing, changed or not in its manifest."""
    manifest = json.loads((delivery / "manifest.json").read_text(encoding="utf-8"))
    named = {file["path"]: file["sha256"] for file in manifest["files"]}
    there = {path.relative_to(delivery).as_posix() for path in delivery.rglob("*") if path.is_file()} - {
        "manifest.json"
    }
    changed = [path for path in there & set(named) if hash_file(delivery / path) != named[path]]
    return [
        *(f"{path} is missing" for path in sorted(set(named) - there)),
        *(f"{path} is in no manifest" for path in sorted(there - set(named))),
        *(f"{path} is not what the manifest says" for path in sorted(changed)),
    ]
