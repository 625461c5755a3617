"""How soon commands are acknowledged and accepted while every core is busy and jobs write to the database."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ableton.client import OscClient, Pending

BURN = "import os\nos.nice(10)\nwhile True:\n    sum(range(10_000))"
GAP_S = 0.1
"""Between commands: a person with a device presses no faster."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds from sending to hearing, in rising order."""

    commands: int
    ack_s: tuple[float, ...]
    accepted_s: tuple[float, ...]

    @property
    def ack_p99_s(self) -> float:
        return _at(self.ack_s, 0.99)

    @property
    def accepted_p99_s(self) -> float:
        return _at(self.accepted_s, 0.99)

    def __str__(self) -> str:
        return f"{self.commands} commands: ack {_words(self.ack_s)}, accepted {_words(self.accepted_s)}"


def measure(commands: int) -> Latency:
    """Give commands one after the other, beside as many busy processes as there are cores, at niceness 10."""
    with tempfile.TemporaryDirectory(prefix="stembridge-osc-") as name:
        folder = Path(name).resolve()
        burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(os.cpu_count() or 1)]
        try:
            with _site(folder) as port:
                return _measured(port, folder, commands)
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()


@contextmanager
def _site(folder: Path) -> Iterator[int]:
    """The service and its door in a process of their own; their port."""
    command = [sys.executable, "-m", "tests.faults.osc_site", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as site:
        assert site.stdin is not None
        assert site.stdout is not None
        try:
            yield int(site.stdout.readline())
        finally:
            site.stdin.close()
            site.wait(60.0)


def _measured(port: int, folder: Path, commands: int) -> Latency:
    given: list[Pending] = []
    with OscClient(port=port) as client:
        client.subscribe(lambda _: None)
        for number in range(commands):
            song = folder / f"{number}.wav"
            song.write_bytes(b"RIFF%d" % number)
            given.append(client.send("process", str(song)))
            threading.Event().wait(GAP_S)
        for pending in given:
            pending.wait(30.0)
    return Latency(
        commands=commands,
        ack_s=tuple(sorted((p.acked_s or 0.0) - p.sent_s for p in given)),
        accepted_s=tuple(sorted((p.answered_s or 0.0) - p.sent_s for p in given)),
    )


def _at(seconds: tuple[float, ...], share: float) -> float:
    return seconds[min(len(seconds) - 1, int(share * len(seconds)))]


def _words(seconds: tuple[float, ...]) -> str:
    shares = {"median": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}
    return ", ".join(f"{name} {1000 * _at(seconds, share):.1f} ms" for name, share in shares.items())
