"""The device without Live: its patcher is played here, its script in Node, with UDP of its own."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ableton.device.build import device_document
from ableton.device.rehearsal import Rehearsal

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed (Debian: npm)")
PATIENCE_S = 90.0


class Device:
    """The device whole."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self.patcher = Rehearsal(device_document())
        self.patcher.load()
        self._pass_on()
        self.shown: dict[str, list[Any]] = {}
        self.stages: list[str] = []
        self.ports: list[int] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self, button: str) -> None:
        """The user presses a button."""
        self.patcher.press(button)
        self._pass_on()

    def choose(self, menu: str, name: str) -> None:
        """The user chooses from a menu."""
        saved = self.patcher.box(menu)["saved_attribute_attributes"]["valueof"]
        self.patcher.choose(menu, saved["parameter_enum"].index(name))
        self._pass_on()

    def drop(self, path: Path) -> None:
        """The user drops a file."""
        self.patcher.drop(str(path))
        self._pass_on()

    def select_clip(self, **values: object) -> None:
        """There is a clip on the device's track, and it is selected."""
        self._write(["clip", values])

    def until(self, kind: str, *wanted: object) -> list[Any]:
        """The next message of that kind to the display; with those arguments, where they are given."""
        while True:
            message = self._next(f"{kind} {list(wanted)}")
            if message[0] == kind and (not wanted or message[1:] == list(wanted)):
                return message[1:]

    def until_figures(self) -> None:
        """Until the loudness after is shown; it may be there before "Done", whose press is answered last."""
        while self.shown.get("after", ["-"]) == ["-"]:
            self.until("after")

    def until_seen(self, is_so: Callable[[set[str]], bool]) -> None:
        """Until what can be read in the device is as wanted."""
        while not is_so(self.texts):
            self._next("what is to be read")

    @property
    def texts(self) -> set[str]:
        """What can be read in the device."""
        boxes = [entry["box"] for entry in self.patcher.document["patcher"]["boxes"]]
        return {str(box.get("text", "")) for box in boxes if box.get("presentation")}

    def look(self) -> dict[str, Any]:
        """The set as it is now."""
        self._write(["look"])
        return dict(self.until("set")[0])

    def _next(self, wanted: str) -> list[Any]:
        try:
            message = self._said.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"{wanted} did not come in {PATIENCE_S} s; shown: {self.shown}") from None
        self._show(message)
        return message

    def _show(self, message: list[Any]) -> None:
        kind, *rest = message
        self.shown[kind] = rest
        if kind == "port":
            self.ports += rest
        elif kind != "set":
            self.stages += rest if kind == "stage" else []
            self.patcher.say(2, *message)
            self._pass_on()

    def _pass_on(self) -> None:
        for inlet, message in self.patcher.heard:
            self._write([inlet, *message])
        self.patcher.heard.clear()

    def _write(self, line: list[Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def wait(self) -> None:
        """Wait for the end of a device that was killed; what it still said is read first."""
        self._reader.join()
        self._process.communicate()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))


@contextmanager
def played_device(port: int, live_set: Path, lost: float = 0.0) -> Iterator[Device]:
    """A device in a set, for a service at that port; a share of all packets may be lost, both ways."""
    script = str(Path(__file__).with_name("udp_max.js"))
    command = ["node", script, str(port), str(live_set), str(lost)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    device = Device(process)
    try:
        yield device
    finally:
        process.kill()
        device.wait()
