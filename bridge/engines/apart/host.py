"""Our side of an engine's process: it asks, waits no longer than is fair, and says whose fault it was."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bridge.children import ENGINE_MARK, Tail, ending_words
from bridge.config import EngineSettings
from bridge.errors import EngineError
from bridge.protocols import Progress, no_progress

log = logging.getLogger(__name__)

Answer = dict[str, Any]

TICK_S = 0.05
QUIET_S = 0.25
"""So long after the last word ``progress`` is called again, for whoever wants to cancel."""
LONGEST_TICK_S = 1.0
"""Longer pauses between two looks are a laptop that slept, not an engine that stood still."""
MEMORY_LOOK_EVERY_S = 0.5
CANCEL_WAIT_S = 0.5
"""An engine that does not let go within is ended; with this, a cancel takes less than a second."""
LONGEST_LINE_BYTES = 1 << 20
_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, kw_only=True)
class Start:
    """How an engine is started; equal ones may share a process."""

    name: str
    """As people know it."""
    python: Path
    """The interpreter of its environment."""
    folder: Path
    """The package that runs there."""
    threads: int
    environment: tuple[tuple[str, str], ...] = ()
    settings: EngineSettings = field(hash=False)


class EngineHost:
    """A process that runs one engine; it ends with ``close``, whatever the engine does.

    ``ask`` may be called from one thread at a time.
    """

    def __init__(self, start: Start) -> None:
        self.start = start
        self._number = 0
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._noise = Tail()
        self._process = self._started()
        self._threads = [
            threading.Thread(target=work, name=start.name, daemon=True)
            for work in (self._listen, self._drain)
        ]
        for thread in self._threads:
            thread.start()
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def ask(self, verb: str, what: Mapping[str, Any], progress: Progress = no_progress) -> Answer:
        """What the engine's operation ``verb`` gives for ``what``.

        ``progress`` may raise: then the engine lets go, or is ended, within a second.

        Raises:
            EngineError: the engine said that it cannot, or it crashed, ended itself, said what is not
                understood, was silent for too long or took too much memory; in all but the first it is ended.
        """
        self._number += 1
        watch = _Watch(self.start, self._process.pid, is_starting=not self._is_ready)
        if not self.is_alive:
            raise watch.crashed(self._process.wait(), self._noise.text())
        self._send({"id": self._number, "do": verb, "what": dict(what)})
        try:
            while (answer := self._step(watch, progress)) is None:
                pass
        except _Refused as fault:
            raise EngineError(f"{self.start.name}: {fault}") from fault.__cause__
        except EngineError as fault:
            self._tell_log(fault)
            self.close()
            raise
        except BaseException:
            self._give_up()
            raise
        return answer

    def close(self) -> None:
        """End the process with all that it started, and wait until it is gone."""
        _end_family(self._process)
        for thread in self._threads:
            thread.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        start = self.start
        command = [str(start.python), "-I", "-X", ENGINE_MARK, str(_CHILD), str(start.folder)]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(start),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as cause:
            raise EngineError(
                f"{start.name} could not be started by {start.python} ({cause.strerror or cause}). "
                "Install it again: stembridge engines install"
            ) from cause

    def _step(self, watch: _Watch, progress: Progress) -> Answer | None:
        """Wait for one line or one tick; the answer when that was it."""
        told = self._next(watch)
        if told is not None:
            watch.heard()
            self._is_ready = self._is_ready or "is_ready" in told
            watch.is_starting = not self._is_ready
        if told is None or told.get("id") != self._number:  # old ones are of a request that was given up
            watch.breathe(progress)
            return None
        if "fault" in told:
            raise _Refused(str(told["fault"])) from _os_error(told)
        if "share" in told:
            watch.tell(float(told["share"]), progress)
        return told.get("answer")

    def _next(self, watch: _Watch) -> dict[str, Any] | None:
        """The next line; None where none came for a tick."""
        watch.look()
        try:
            line = self._lines.get(timeout=TICK_S)
        except queue.Empty:
            return None
        if not line:
            self._lines.put(b"")  # for whoever asks the dead process next
            raise watch.crashed(self._process.wait(), self._noise.text())
        return self._understood(line)

    def _understood(self, line: bytes) -> dict[str, Any]:
        try:
            told = json.loads(line)
            if isinstance(told, dict):
                return told
        except ValueError:
            pass
        raise EngineError(
            f"{self.start.name} said what is not understood ({line[:40]!r}), so it was ended. "
            "Install it again: its packages are not those that it was made with."
        )

    def _send(self, words: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # a process that is gone is seen by _listen
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()

    def _give_up(self) -> None:
        """Ask it to let go of the request; end it where it does not at once."""
        self._send({"cancel": self._number})
        until_s = time.monotonic() + CANCEL_WAIT_S
        while (left_s := until_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
                told = self._understood(line) if line else {}
            except (queue.Empty, EngineError):
                break
            if not line:
                break
            if told.get("id") == self._number and ("answer" in told or "fault" in told):
                return
        self.close()

    def _tell_log(self, fault: EngineError) -> None:
        detail = {"action": "engine_failed", "detail": self._noise.text()[-4000:]}
        log.info("An engine failed: %s", fault.message, extra=detail)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._process.stdout.readline(LONGEST_LINE_BYTES):
                self._lines.put(line)
        self._lines.put(b"")

    def _drain(self) -> None:
        assert self._process.stderr is not None
        self._noise.fill_from(self._process.stderr)


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """The engine said that it cannot, and lives on."""


class _Watch:
    """Watches one request: how long the engine is silent, and how much memory it takes."""

    def __init__(self, start: Start, pid: int, *, is_starting: bool) -> None:
        self._start = start
        self._pid = pid
        self.is_starting = is_starting
        self._share = 0.0
        self._looked_s = self._memory_s = self._told_s = time.monotonic()
        self._silent_s = 0.0

    def heard(self) -> None:
        """It lives."""
        self._silent_s = 0.0

    def tell(self, share: float, progress: Progress) -> None:
        """Pass on how far it came."""
        self._share = min(1.0, max(self._share, share))
        self._told_s = time.monotonic()
        progress(self._share)

    def breathe(self, progress: Progress) -> None:
        """Let whoever wants to cancel be heard while the engine loads or hangs."""
        if time.monotonic() - self._told_s > QUIET_S:
            self.tell(self._share, progress)

    def look(self) -> None:
        """EngineError where it is silent for too long or takes too much."""
        now_s = time.monotonic()
        self._silent_s += min(now_s - self._looked_s, LONGEST_TICK_S)
        self._looked_s = now_s
        most_s = self._start.settings.stall_s
        if self._silent_s > most_s:
            raise EngineError(
                f"{self._start.name} said nothing for {most_s:g} s, so it was ended (engines.stall_s). "
                "Raise that if this machine is only slow."
            )
        if now_s - self._memory_s > MEMORY_LOOK_EVERY_S:
            self._memory_s = now_s
            self._look_at_memory()

    def crashed(self, code: int, noise: str) -> EngineError:
        """What the end of the process says."""
        when = "while it worked" if not self.is_starting else "while it was started"
        last = noise.strip().splitlines()[-1:]
        words = f": {last[0][:300]}" if last and code > 0 else ""
        return EngineError(
            f"{self._start.name} {ending_words(code)} {when}{words}. The engine is at fault, not the song: "
            "install it again, or use another one."
        )

    def _look_at_memory(self) -> None:
        held = _held_bytes(self._pid)
        most_gb = self._start.settings.memory_gb
        if held > most_gb * 1e9:
            raise EngineError(
                f"{self._start.name} took {held / 1e9:.1f} GB of memory, so it was ended; "
                f"{most_gb:g} GB is the most (engines.memory_gb)."
            )


def _environment(start: Start) -> dict[str, str]:
    """What the engine's process inherits: nothing that leads to our packages, and threads that wait
    passively."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    numbers = dict.fromkeys(names, str(start.threads))
    return {
        **kept,
        **numbers,
        "OMP_WAIT_POLICY": "passive",
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        **dict(start.environment),
    }


def _os_error(told: Mapping[str, Any]) -> OSError | None:
    code = int(told.get("errno") or 0)
    return OSError(code, os.strerror(code)) if code else None


def _held_bytes(pid: int) -> int:
    import psutil

    held = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                held += member.memory_info().rss
    return held


def _end_family(process: subprocess.Popen[bytes]) -> None:
    import psutil

    family: list[psutil.Process] = []
    if process.poll() is None:
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()
    process.wait()
