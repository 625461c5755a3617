"""The whole device, patcher and script, against the real service: from a button to stems on tracks."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ableton.device.build import device_document
from ableton.device.rehearsal import Rehearsal
from bridge.audio import write_audio
from bridge.generate import compose, random_spec
from tests.serving import Home

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed (Debian: npm)"),
    pytest.mark.timeout(180),
]
PATIENCE_S = 90.0
ROLES = ["Vocals", "Drums", "Bass", "Other"]


class Device:
    """The device whole: its patcher is played here, its script in Node, with UDP of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self._patcher = Rehearsal(device_document())
        self._patcher.load()
        self._pass_on()
        self.shown: dict[str, list[Any]] = {}
        self.stages: list[str] = []
        self.ports: list[int] = []
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, button: str) -> None:
        """The user presses a button."""
        self._patcher.press(button)
        self._pass_on()

    def choose(self, menu: str, name: str) -> None:
        """The user chooses from a menu."""
        saved = self._patcher.box(menu)["saved_attribute_attributes"]["valueof"]
        self._patcher.choose(menu, saved["parameter_enum"].index(name))
        self._pass_on()

    def drop(self, path: Path) -> None:
        """The user drops a file."""
        self._patcher.drop(str(path))
        self._pass_on()

    def select_clip(self, **values: object) -> None:
        """There is a clip on the device's track, and it is selected."""
        self._write(["clip", values])

    def until(self, kind: str, *wanted: object) -> list[Any]:
        """The next message of that kind to the display; with those arguments, where they are given."""
        while True:
            message = self._said.get(timeout=PATIENCE_S)
            self._show(message)
            if message[0] == kind and (not wanted or message[1:] == list(wanted)):
                return message[1:]

    def look(self) -> dict[str, Any]:
        """The set as it is now."""
        self._write(["look"])
        return dict(self.until("set")[0])

    def _show(self, message: list[Any]) -> None:
        kind, *rest = message
        self.shown[kind] = rest
        if kind == "port":
            self.ports += rest
        elif kind != "set":
            self.stages += rest if kind == "stage" else []
            self._patcher.say(2, *message)
            self._pass_on()

    def _pass_on(self) -> None:
        for inlet, message in self._patcher.heard:
            self._write([inlet, *message])
        self._patcher.heard.clear()

    def _write(self, line: list[Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))


@contextmanager
def device(home: Home, live_set: Path) -> Iterator[Device]:
    """A device in a set, for as long as the context lasts."""
    command = ["node", str(Path(__file__).with_name("udp_max.js")), str(home.port), str(live_set)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Device(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    quick = {"osc": {"heartbeat_s": 1.0}, "service": {"retry_after_s": [0.1]}}
    return Home(tmp_path / "home", settings=quick)


@pytest.fixture
def live_set(home: Home) -> Path:
    """A saved set in a project of its own."""
    path = home.root / "Night Project" / "Night.als"
    path.parent.mkdir()
    path.write_bytes(b"")
    return path


def write_song(folder: Path) -> Path:
    mixture = compose(random_spec(21, duration_s=6.0, voice=True)).mixture
    path = folder / "Night Drive.wav"
    write_audio(path, mixture)
    return path


def test_from_a_button_to_stems_on_tracks(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with home.serve(), device(home, live_set) as found:
        found.until("lamp", 2)
        found.select_clip(file_path=str(song), start_time=32, warping=0)
        found.choose("Recipe", "quick")
        found.press("Process this clip")
        found.until("can_import", 1)
        found.press("Import stems")
        found.until("stage", f"On new tracks: {', '.join(ROLES)}")
        seen = found.look()
    assert any(stage.startswith("Separating") for stage in found.stages)
    assert found.shown["progress"] == [1]
    assert found.shown["after"][0].startswith("-14.0 LUFS")
    assert "LUFS" in found.shown["before"][0]
    assert (found.shown["error"], seen["errors"]) == ([""], [])
    assert [track["name"] for track in seen["tracks"]] == ["Song", *ROLES]
    clips = [clip for track in seen["tracks"][1:] for clip in track["clips"]]
    assert all(Path(clip["file_path"]).is_relative_to(live_set.parent / "StemBridge") for clip in clips)
    assert [(clip["start_time"], clip["warping"]) for clip in clips] == [(32, 0)] * 4
    assert seen["tracks"][0]["mute"] == 1


def test_a_restart_in_the_middle_costs_nothing(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with device(home, live_set) as found:
        found.until("lamp", 1)
        with home.serve() as serving:
            found.until("lamp", 2)
            found.choose("Recipe", "master-only")
            found.drop(song)
            found.until("can_cancel", 1)
            serving.kill()
        with home.serve():
            found.until("stage", "Done")
            found.until("after")
    (job,) = home.ended()
    assert (job.request.source, job.request.destination) == (song, live_set.parent)
    assert len(found.ports) == 1, "a port that was good is kept"


def test_two_devices_have_ports_of_their_own_and_both_see_the_jobs(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with home.serve(), device(home, live_set) as one, device(home, live_set) as other:
        one.until("lamp", 2)
        other.until("lamp", 2)
        one.drop(song)
        one.until("song", "Night Drive")
        other.until("song", "Night Drive")
        one.until("can_cancel", 1)
        one.press("Cancel")
        one.until("can_cancel", 0)
        other.until("can_cancel", 0)
    assert one.ports != other.ports


def test_a_refusal_is_shown_in_words(home: Home, live_set: Path) -> None:
    with home.serve(), device(home, live_set) as found:
        found.until("lamp", 2)
        found.drop(Path("/etc/hostname"))
        found.until("error", "")
        assert "service.roots" in found.until("error")[0]
