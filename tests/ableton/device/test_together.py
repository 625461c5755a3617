"""The whole device without Live: patcher and script play together, against the door, over UDP."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from ableton import messages
from ableton.device.build import device_document
from ableton.device.picture import draw
from ableton.device.rehearsal import Atom, Message, Rehearsal
from bridge import events
from bridge.testing.service import FakeService
from tests.ableton.support import PATIENCE_S, fake_service, open_door, write_song

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed (Debian: npm)")
DISPLAY = 2


class PlayedScript:
    """The device's script in Node, in a Live Set."""

    def __init__(self, live_set: Path) -> None:
        driver = Path(__file__).with_name("played.js")
        self._process = subprocess.Popen(
            [str(NODE), str(driver), str(live_set)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def send(self, inlet: int, message: Message) -> list[tuple[int, list[Atom]]]:
        """What it says to a message, in order."""
        return self._turn({"inlet": inlet, "message": message})

    def wait(self, ms: int) -> list[tuple[int, list[Atom]]]:
        """What it says while time passes."""
        return self._turn({"pass": ms})

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE_S)

    def _turn(self, words: dict[str, object]) -> list[tuple[int, list[Atom]]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        said = []
        while line := self._process.stdout.readline().strip():
            said.append(json.loads(line))
        assert self._process.poll() is None, "the script failed; its error is above"
        return said


class PlayedDevice:
    """The device in a set: its objects are modelled, its script runs in Node, its network is real."""

    def __init__(self, port: int, live_set: Path) -> None:
        self.rehearsal = Rehearsal(device_document())
        self._script = PlayedScript(live_set)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._service = ("127.0.0.1", port)
        self._last_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._script.close()
        self._sender.close()
        self._receiver.close()

    def do(self, act: Callable[[Rehearsal], None]) -> None:
        """The user or Live does something."""
        act(self.rehearsal)
        self._settle()

    def until(self, shows: Callable[[set[str]], bool]) -> set[str]:
        """Lets time pass until the device shows it; the texts that are seen then."""
        end = time.monotonic() + PATIENCE_S
        while not shows(self.texts):
            assert time.monotonic() < end, f"the device shows {self.texts}"
            self._take()
            self._pass()
        return self.texts

    @property
    def texts(self) -> set[str]:
        """What can be read in the device."""
        boxes = [entry["box"] for entry in self.rehearsal.document["patcher"]["boxes"]]
        return {box.get("text", "") for box in boxes if box.get("presentation")}

    def _pass(self) -> None:
        now_s = time.monotonic()
        ms, self._last_s = max(round(1000 * (now_s - self._last_s)), 1), now_s
        self._say(self._script.wait(ms))

    def _take(self) -> None:
        try:
            packet = self._receiver.recv(65_536)
        except TimeoutError:
            return
        for message in messages.decode(packet):
            self.rehearsal.receive(message.address, *message.arguments)
        self._settle()

    def _settle(self) -> None:
        """The script hears what came to it, until nothing more comes."""
        while self.rehearsal.heard:
            self._say(self._script.send(*self.rehearsal.heard.pop(0)))

    def _say(self, said: list[tuple[int, list[Atom]]]) -> None:
        for outlet, message in said:
            self.rehearsal.say(outlet, *message)
            for port in self.rehearsal.ports:
                self._listen(port)
            self.rehearsal.ports.clear()
            for address, *arguments in self.rehearsal.sent:
                self._sender.sendto(
                    messages.encode(messages.Message(str(address), tuple(arguments))), self._service
                )
            self.rehearsal.sent.clear()
        if self.rehearsal.heard:
            self._settle()

    def _listen(self, port: int) -> None:
        self._receiver.close()
        self._receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._receiver.settimeout(0.02)
        self._receiver.bind(("127.0.0.1", port))


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return fake_service(tmp_path.resolve())


@pytest.fixture
def song(tmp_path: Path) -> str:
    """The path of a song that may be processed."""
    return str(write_song(tmp_path.resolve()))


@pytest.fixture
def device(service: FakeService, tmp_path: Path) -> Iterator[PlayedDevice]:
    """A device that is loaded and connected, in a set that is saved."""
    live_set = tmp_path.resolve() / "Night Project" / "Night.als"
    live_set.parent.mkdir()
    live_set.touch()
    with open_door(service) as door, PlayedDevice(door.port, live_set) as device:
        device.do(Rehearsal.load)
        device.until(lambda texts: "Ready" in texts)
        yield device


def _lamp(device: PlayedDevice) -> list[bool]:
    boxes = [entry["box"] for entry in device.rehearsal.document["patcher"]["boxes"]]
    return [not box["hidden"] for box in boxes if "hidden" in box]


def test_a_loaded_device_finds_the_service_and_its_recipes(device: PlayedDevice) -> None:
    assert _lamp(device) == [False, False, True]
    menu = device.rehearsal.box("Recipe")["saved_attribute_attributes"]["valueof"]["parameter_enum"]
    device.until(lambda _: "voiceover-bed" in menu)
    assert menu[0] == "automatic"


def test_a_dropped_song_is_followed_to_its_failure(
    device: PlayedDevice, service: FakeService, song: str
) -> None:
    device.do(lambda rehearsal: rehearsal.drop(song))
    device.until(lambda texts: "Night Drive" in texts)
    (job,) = service.jobs()
    assert job.request.destination.name == "Night Project"
    started = service.play_start(job.id)
    service.feed.publish(events.JobProgress(job_id=job.id, stage="separate", share=0.5, remaining_s=41.0))
    device.until(lambda _: 0.5 in device.rehearsal.values.values())
    service.play_failed(started, "Night Drive.wav is silent; wanted a song.")
    device.until(lambda texts: any(text.startswith("Night Drive.wav is silent") for text in texts))
    assert "Night Drive.wav is silent" in draw(device.rehearsal.document)


def test_a_song_that_waits_is_cancelled(device: PlayedDevice, service: FakeService, song: str) -> None:
    device.do(lambda rehearsal: rehearsal.drop(song))
    device.until(lambda _: bool(device.rehearsal.box("Cancel")["active"]))
    device.do(lambda rehearsal: rehearsal.press("Cancel"))
    device.until(lambda _: not device.rehearsal.box("Cancel")["active"])
    assert [job.state for job in service.jobs()] == ["CANCELLED"]


def test_the_recipe_that_is_chosen_is_used(device: PlayedDevice, service: FakeService, song: str) -> None:
    menu = device.rehearsal.box("Recipe")["saved_attribute_attributes"]["valueof"]
    device.until(lambda _: "quick" in menu["parameter_enum"])
    device.do(lambda rehearsal: rehearsal.choose("Recipe", menu["parameter_enum"].index("quick")))
    device.do(lambda rehearsal: rehearsal.drop(song))
    device.until(lambda texts: "Night Drive" in texts)
    assert [job.request.recipe for job in service.jobs()] == ["quick"]
    assert "quick" in device.rehearsal.values.values(), "the choice is kept with the set"
