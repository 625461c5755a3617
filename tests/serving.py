"""The real service as a process, with a data folder, watched folders and settings of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomli_w

from bridge.jobs import JobStore, open_store
from bridge.service import ServiceState, read_state
from bridge.values import Job, JobState

COMMAND = (sys.executable, "-c", "from bridge.cli import main; main()")
READY_WITHIN_S = 30.0


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(is_so: Callable[[], Any], within_s: float = 60.0, every_s: float = 0.01) -> float:
    """Wait until it is so; the seconds that it took. TimeoutError, naming what was awaited, else."""
    started_s, pause = time.monotonic(), threading.Event()
    while not is_so():
        if time.monotonic() - started_s > within_s:
            raise TimeoutError(f"not so within {within_s} s: {is_so}")
        pause.wait(every_s)
    return time.monotonic() - started_s


@dataclass
class Home:
    """A place for one service: settings, data, a watched folder, a project."""

    root: Path
    recipe: str = "master-only"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = free_port()
        for folder in (self.root, self.songs, self.project):
            folder.mkdir(parents=True, exist_ok=True)
        self.write_settings(self.settings)

    @property
    def songs(self) -> Path:
        return self.root / "songs"

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def config(self) -> Path:
        return self.root / "config.toml"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"STEMBRIDGE_CONFIG": str(self.config), "STEMBRIDGE_DATA": str(self.data)}

    @property
    def deliveries(self) -> list[Path]:
        return sorted((self.project / "StemBridge").glob("[!.]*/manifest.json"))

    def write_settings(self, over: dict[str, Any]) -> None:
        """Settings that make a service quick, with ``over`` merged over them, section by section."""
        watched = {"path": str(self.songs), "recipe": self.recipe, "project": str(self.project)}
        settings: dict[str, dict[str, Any]] = {
            "service": {"look_s": 0.2, "roots": [str(self.root)]},
            "watch": {"folders": [watched], "quiet_s": 0.3, "rescan_s": 5.0, "poll_s": 0.3},
            "osc": {"port": self.port},
        }
        for section, values in over.items():
            settings[section] = settings.get(section, {}) | values
        self.config.write_text(tomli_w.dumps(settings), encoding="utf-8")

    @contextlib.contextmanager
    def store(self) -> Iterator[JobStore]:
        with contextlib.closing(open_store(self.data / "jobs.sqlite3")) as store:
            yield store

    def jobs(self) -> tuple[Job, ...]:
        with self.store() as store:
            return store.list(limit=10_000)

    def ended(self, *states: JobState) -> list[Job]:
        return [job for job in self.jobs() if job.state in (states or (JobState.SUCCESS,))]

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=120,
            check=False,
        )

    def state(self) -> ServiceState | None:
        return read_state(self.data)

    def log(self) -> str:
        return (self.data / "logs" / "stembridge.log").read_text(encoding="utf-8")

    def records(self) -> list[dict[str, Any]]:
        lines = (self.data / "logs" / "stembridge.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def serve(self, *options: str, wait: bool = True, extra: dict[str, str] | None = None) -> Serving:
        return Serving(self, options, wait=wait, extra=extra or {})


class Serving:
    """A running ``stembridge serve``; leaving the context ends it, kindly or not."""

    def __init__(self, home: Home, options: tuple[str, ...], *, wait: bool, extra: dict[str, str]) -> None:
        self.home = home
        self._started_s = time.monotonic()
        with (home.root / "serve.out").open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=home.environment | extra,
                start_new_session=os.name == "posix",
            )
        try:
            self.ready_s = self._until_ready() if wait else 0.0
        except BaseException:
            self.kill()
            raise

    def _until_ready(self) -> float:
        def _is_ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended ({self.process.returncode}): {self.said()}")
            state = self.home.state()
            return state is not None and state.is_ready and state.process.pid == self.process.pid

        until(_is_ready, READY_WITHIN_S, every_s=0.005)
        return time.monotonic() - self._started_s

    def said(self) -> str:
        """All that was printed by services of this home."""
        return (self.home.root / "serve.out").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """As a power cut does it to a process."""
        self.process.kill()
        self.process.wait()

    def stop(self, within_s: float = 30.0) -> int:
        """Ask it kindly; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                self.kill()
