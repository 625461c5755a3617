"""The parent's side of a host process: it asks, waits no longer than is fair, and says whose fault it was."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

from bridge.children import Tail, bury, ending_words, python_command
from bridge.config import Vst3Settings
from bridge.engines.vst3.scan import find_plugin, find_preset
from bridge.engines.vst3.words import Look, Looked, Render, Rendered, Setup, Told
from bridge.errors import AudioError, EngineError
from bridge.protocols import Progress, no_progress
from presets import Vst3

log = logging.getLogger(__name__)

TICK_S = 0.05
LONGEST_TICK_S = 1.0
"""Longer pauses between two looks are a laptop that slept, not a plug-in that stood still."""
MEMORY_LOOK_EVERY_S = 0.5
_MAIN = "from bridge.engines.vst3.child import main; main(float(sys.argv[2]), float(sys.argv[3]))"


def setup_of(effect: Vst3, settings: Vst3Settings) -> Setup:
    """The plug-in and the preset that an effect names, here; EngineError where one is not there."""
    plugin = find_plugin(effect.plugin, settings)
    return Setup(
        plugin=plugin.path,
        component=effect.component,
        preset=find_preset(effect, plugin),
        parameters=effect.parameters,
    )


def render_effect(
    effect: Vst3,
    source: Path,
    target: Path,
    settings: Vst3Settings,
    *,
    state: Path | None = None,
    progress: Progress = no_progress,
) -> Rendered:
    """``source`` through a plug-in into ``target``, a float32 WAV of the same rate, channels and length.

    The plug-in runs in a process of its own, which ends with the call; its latency is taken out. A mono
    plug-in gets an instance for each channel. ``state`` is where its state is saved as a .vstpreset.

    Raises EngineError where the plug-in is to blame: it is not installed, does not know a parameter, crashes,
    hangs, takes too much memory, or gives no audio or none that can be meant. Raises AudioError where a file
    cannot be read or written. No target is left then.
    """
    from bridge.engines.vst3.verdict import expect_likely

    setup = setup_of(effect, settings)
    request = Render(setup=setup, source=source, target=target, input_db=effect.input_db, state=state)
    try:
        with PluginHost(settings) as host:
            made = host.render(request, progress)
        expect_likely(_name_of(setup), source, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return made


class PluginHost:
    """A process that hosts plug-ins, one after another; it ends with the context, whatever they do."""

    def __init__(self, settings: Vst3Settings) -> None:
        self._settings = settings
        self._process = subprocess.Popen(
            python_command(_MAIN, str(settings.load_s), str(settings.stall_s)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._noise = Tail()
        self._threads = [
            threading.Thread(target=work, name="plug-in", daemon=True) for work in (self._listen, self._drain)
        ]
        for thread in self._threads:
            thread.start()

    def render(self, request: Render, progress: Progress = no_progress) -> Rendered:
        """Audio through a plug-in; errors as ``render_effect``. ``progress`` may raise and so end it."""
        answer = self._ask(request, progress)
        assert isinstance(answer, Rendered)
        return answer

    def look(self, request: Look) -> Looked:
        """What a plug-in is and how it is set; EngineError where it is to blame."""
        answer = self._ask(request, no_progress)
        assert isinstance(answer, Looked)
        return answer

    def close(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        bury(self._process, self._threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: Render | Look, progress: Progress) -> Rendered | Looked:
        name = _name_of(request.setup)
        watch = _Watch(name, self._process.pid, self._settings)
        self._send(request)
        try:
            while (answer := self._step(name, watch, progress)) is None:
                pass
        except EngineError as fault:
            self._tell_log(fault)
            raise
        return answer

    def _step(self, name: str, watch: _Watch, progress: Progress) -> Rendered | Looked | None:
        """Wait for one line or one tick; the answer when that was it."""
        told = self._next(watch)
        if told is not None:
            watch.heard(told)
        progress(watch.share)  # whoever wants to cancel is heard while a plug-in loads or hangs, too
        if told is not None and told.fault:
            raise _fault(told, name)
        return told.answer if told is not None else None

    def _next(self, watch: _Watch) -> Told | None:
        """The next line; None where none came for a tick."""
        watch.look()
        line: bytes | None
        try:
            line = self._lines.get(timeout=TICK_S)
        except queue.Empty:
            # what a plug-in started may hold the pipe open behind it, so its end alone does not tell
            line = b"" if self._process.poll() is not None else None
        if line is None:
            return None
        if not line:
            self._lines.put(b"")  # for whoever asks the dead process next
            raise watch.crashed(self._process.wait())
        return Told.model_validate_json(line)

    def _send(self, request: Render | Look) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a process that is gone is seen by _listen
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()

    def _tell_log(self, fault: EngineError) -> None:
        """The plug-in's last words go to the log: they are for whoever made it."""
        detail = {"action": "plugin_failed", "detail": self._noise.text()[-4000:]}
        log.info("A plug-in failed: %s", fault.message, extra=detail)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError), self._process.stdout as answers:
            for line in answers:
                self._lines.put(line)
        self._lines.put(b"")

    def _drain(self) -> None:
        assert self._process.stderr is not None
        self._noise.fill_from(self._process.stderr)


class _Watch:
    """Watches one request: how long the plug-in is silent, and how much memory it takes."""

    def __init__(self, name: str, pid: int, settings: Vst3Settings) -> None:
        self._name = name
        self._pid = pid
        self._settings = settings
        self._phase = "loading"
        self.share = 0.0
        """How far it came."""
        self._looked_s = self._memory_s = time.monotonic()
        self._silent_s = 0.0

    def heard(self, told: Told) -> None:
        """It lives."""
        self._phase = told.phase or self._phase
        self.share = self.share if told.share is None else told.share
        self._silent_s = 0.0

    def look(self) -> None:
        """EngineError where it hangs or takes too much."""
        now_s = time.monotonic()
        self._silent_s += min(now_s - self._looked_s, LONGEST_TICK_S)
        self._looked_s = now_s
        self._look_at_time()
        if now_s - self._memory_s > MEMORY_LOOK_EVERY_S:
            self._memory_s = now_s
            self._look_at_memory()

    def crashed(self, code: int) -> EngineError:
        """What the end of the process says."""
        when = "while it was loaded" if self._phase == "loading" else "while it worked"
        return EngineError(
            f"{self._name} {ending_words(code)} {when}. The plug-in is at fault, not the song: update it, or "
            "take it out of the chain."
        )

    def _look_at_time(self) -> None:
        most_s = {"loading": self._settings.load_s, "working": self._settings.stall_s}.get(self._phase)
        if most_s is None or self._silent_s <= most_s:
            return
        setting = "load_s" if self._phase == "loading" else "stall_s"
        what = "to be loaded" if self._phase == "loading" else "for a moment of audio"
        raise EngineError(
            f"{self._name} took more than {most_s:g} s {what}, so it was ended (vst3.{setting}). Does it "
            "wait for a window, such as its licence? Open it once in a host."
        )

    def _look_at_memory(self) -> None:
        import psutil

        try:
            held = psutil.Process(self._pid).memory_info().rss
        except psutil.Error:
            return  # it has just ended
        if held > self._settings.memory_gb * 1e9:
            raise EngineError(
                f"{self._name} took {held / 1e9:.1f} GB of memory, so it was ended; "
                f"{self._settings.memory_gb:g} GB is the most (vst3.memory_gb)."
            )


def _name_of(setup: Setup) -> str:
    return setup.component or setup.plugin.stem


def _fault(told: Told, name: str) -> EngineError | AudioError:
    if told.fault == "plugin":
        return EngineError(told.message if name in told.message else f"{name}: {told.message}")
    fault = AudioError(told.message)
    if told.errno:
        fault.__cause__ = OSError(told.errno, os.strerror(told.errno))
    return fault
