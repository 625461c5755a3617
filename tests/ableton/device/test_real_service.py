"""The device's script against the real service: by UDP, through a restart, with stems at the end."""

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
    """The script in Node, driven as Max and Live would."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._heard: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        self.display: dict[str, list[Any]] = {}
        self.stages: list[str] = []
        self.ports: list[int] = []
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, *message: object) -> None:
        """A message to an inlet, or a word to the stage set."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def press(self, button: str, *arguments: object) -> None:
        self.say(0, button, *arguments)

    def until(self, kind: str, *wanted: object) -> list[Any]:
        """The next message of that kind to the display; with those arguments, where they are given."""
        while True:
            name, *found = self._heard.get(timeout=PATIENCE_S)
            self.display[name] = found
            if name == "stage":
                self.stages.append(found[0])
            if name == "port":
                self.ports.append(found[0])
            if name == kind and (not wanted or found == list(wanted)):
                return found

    def look(self) -> dict[str, Any]:
        """The set as it is now."""
        self.say("look")
        return dict(self.until("set")[0])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._heard.put(json.loads(line))


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
        found.say("clip", {"file_path": str(song), "start_time": 32, "warping": 0})
        found.press("kept_recipe", "quick")
        found.press("process_clip")
        found.until("can_import", 1)
        found.press("import_stems")
        found.until("stage", f"On new tracks: {', '.join(ROLES)}")
        seen = found.look()
    assert any(stage.startswith("Separating") for stage in found.stages)
    assert found.display["progress"] == [1]
    assert found.display["after"][0].startswith("-14.0 LUFS")
    assert "LUFS" in found.display["before"][0]
    assert (found.display["error"], seen["errors"]) == ([""], [])
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
            found.press("kept_recipe", "master-only")
            found.press("process_file", str(song))
            found.until("can_cancel", 1)
            serving.kill()
        with home.serve():
            found.until("stage", "Done")
            found.until("after")
    (job,) = home.ended()
    assert job.request.source == song
    assert job.request.destination == live_set.parent
    assert len(found.ports) == 1, "a port that was good is kept"


def test_two_devices_hear_each_their_own_and_both_see_the_jobs(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with home.serve(), device(home, live_set) as one, device(home, live_set) as other:
        one.until("lamp", 2)
        other.until("lamp", 2)
        one.press("process_file", str(song))
        assert one.until("song", "Night Drive")
        assert other.until("song", "Night Drive")
        one.press("cancel")
        one.until("can_cancel", 0)
        other.until("can_cancel", 0)
    assert one.ports != other.ports


def test_a_refusal_is_shown_in_words(home: Home, live_set: Path) -> None:
    with home.serve(), device(home, live_set) as found:
        found.until("lamp", 2)
        found.press("process_file", "/etc/hostname")
        found.until("error", "")
        assert "service.roots" in found.until("error")[0]
