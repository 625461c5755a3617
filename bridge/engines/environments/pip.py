"""pip, in an environment: what it would bring, and how far it is while it does."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.children import ending_words
from bridge.errors import DiskFullError, EngineError

BEST_PIP = "pip==26.0.1"
"""New enough to tell how far it is and to go on with half a download."""
RESUMES = ("--resume-retries", "5")
MEGABYTES = {"B": 1e-6, "kB": 1e-3, "KB": 1e-3, "MB": 1.0, "GB": 1e3}
_PROGRESS = re.compile(r"^Progress (\d+) of (\d+)")
_FILE = re.compile(r"^\s*(Downloading|Using cached) (\S+?)(\.metadata)? \(([\d.]+) (\w+)\)")
_MAIN = """
import os, runpy, sys, threading
def end():
    while os.read(0, 4096):
        pass
    os._exit(1)
threading.Thread(target=end, daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__")
"""
"""Runs pip until its standard input closes: it ends with us, however we end."""
_UNPACKING = "Installing collected packages"
_NO_NETWORK = ("NewConnectionError", "ConnectTimeout", "NameResolutionError", "ReadTimeout", "ProxyError")


@dataclass(frozen=True)
class HowFar:
    """How far an installation is."""

    words: str
    """What it does, such as "fetching torch"."""
    fetched_mb: float = 0.0


Told = Callable[[HowFar], None]


@dataclass(frozen=True)
class Package:
    """One that pip would install."""

    name: str
    version: str

    @property
    def is_cuda(self) -> bool:
        """Whether it is made for NVIDIA's GPUs, or a part of their software."""
        return self.name.startswith(("nvidia-", "cuda-")) or "triton" in self.name or "+cu" in self.version


class Pip:
    """The pip of one environment. ``folder`` takes what it unpacks on the way, and what it would do."""

    def __init__(self, python: Path, folder: Path, told: Told) -> None:
        self._python = python
        self._folder = folder
        self._told = told
        self._last: deque[str] = deque(maxlen=400)
        self._fetched_mb = self._file_mb = 0.0
        self._is_telling = False

    def renew(self) -> None:
        """Bring pip itself to the version that we know; an older one will do where that cannot be had."""
        if self._version() < (25, 1):
            self._run(["install", BEST_PIP])

    def plan(self, arguments: list[str]) -> tuple[Package, ...]:
        """What ``pip install`` would bring; nothing is installed."""
        report = self._folder / "report.json"
        self._expect(["install", "--dry-run", "--ignore-installed", "--report", str(report), *arguments])
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
        about = [each["metadata"] for each in found]
        return tuple(Package(name=each["name"].lower(), version=each["version"]) for each in about)

    def install(self, arguments: list[str]) -> None:
        """``pip install``; EngineError or DiskFullError in words where it fails."""
        self._is_telling = True
        self._expect(["install", *arguments])

    def _version(self) -> tuple[int, ...]:
        done = subprocess.run(
            [str(self._python), "-I", "-m", "pip", "--version"],
            capture_output=True,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
        )
        found = re.match(r"pip (\d+)\.(\d+)", done.stdout.decode("utf-8", "replace"))
        return tuple(int(number) for number in found.groups()) if found else (0,)

    def _expect(self, arguments: list[str]) -> None:
        version = self._version()
        raw = ["--progress-bar", "raw" if version >= (24, 1) else "off"]
        code = self._run([*arguments, *raw, *(RESUMES if version >= (25, 1) else ())])
        if code:
            raise fault_in(list(self._last), code)

    def _run(self, arguments: list[str]) -> int:
        process = subprocess.Popen(
            [str(self._python), "-I", "-c", _MAIN, *arguments, "--no-input", "--disable-pip-version-check"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,
            env=self._environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin, process.stdout:
                for line in process.stdout:
                    self._hear(line.decode("utf-8", "replace").rstrip())
            return process.wait()
        finally:
            process.kill()
            process.wait()

    def _hear(self, line: str) -> None:
        progress = _PROGRESS.match(line)
        if not progress:
            self._last.append(line)
        if not self._is_telling:
            return
        if progress:
            self._file_mb = int(progress[1]) / 1e6
            self._tell("")
        elif file := _FILE.match(line):
            self._fetched_mb += self._file_mb
            self._file_mb = float(file[4]) * MEGABYTES.get(file[5], 0.0) if file[1] == "Using cached" else 0.0
            self._tell(f"fetching {file[2].partition('-')[0]}")
        elif line.startswith(_UNPACKING):
            self._tell("unpacking, which takes a minute or two")

    def _tell(self, words: str) -> None:
        self._told(HowFar(words=words, fetched_mb=self._fetched_mb + self._file_mb))

    def _environment(self) -> dict[str, str]:
        """The user's own, so that mirrors and proxies hold, less what leads out of the environment."""
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder))
        inside = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONUTF8": "1", "NO_COLOR": "1"}
        astray = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_QUIET")
        kept = {name: value for name, value in os.environ.items() if name not in astray}
        return kept | temporary | inside


def tells_full_disk(text: str) -> bool:
    """Whether a program that failed says that there was no room."""
    return any(words in text for words in ("No space left on device", "Errno 28", "WinError 112"))


def fault_in(lines: list[str], code: int) -> EngineError | DiskFullError:
    """What made pip fail, from its own words, or from how its process ended."""
    text = "\n".join(lines)
    if tells_full_disk(text):
        return DiskFullError("The disk became full while packages were installed. Free some, and go on.")
    errors = [line.partition("ERROR: ")[2] for line in lines if line.startswith("ERROR: ")]
    words = " ".join(errors[:3])
    if any(word in text for word in _NO_NETWORK):
        return EngineError(
            f"The packages could not be fetched: there is no connection to where pip looks for them. {words}"
        )
    if words:
        return EngineError(f"pip could not install the packages: {words}")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    return EngineError(f'pip {ending_words(code)}; its last words: "{last}". The same command goes on.')
