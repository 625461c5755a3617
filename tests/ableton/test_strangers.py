"""Programs that are none of ours drive the door: liblo's oscsend and oscdump, npm's osc, python-osc."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.tcp_client import SimpleTCPClient

from ableton import OscFrontend
from bridge import events
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.support import PATIENCE_S, write_song

needs_liblo = pytest.mark.skipif(
    not (shutil.which("oscsend") and shutil.which("oscdump")),
    reason="oscsend and oscdump are not installed (Debian: liblo-tools)",
)


def has_npm_osc() -> bool:
    """Whether node finds the package: by STEMBRIDGE_NODE_OSC (its folder), or by NODE_PATH."""
    node = shutil.which("node")
    if node is None:
        return False
    look = "require.resolve(process.env.STEMBRIDGE_NODE_OSC || 'osc')"
    return subprocess.run([node, "-e", look], capture_output=True, check=False).returncode == 0


class Dump:
    """oscdump on a free port, line by line."""

    def __init__(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            ["oscdump", "-L", str(self.port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._await_listening()

    def line(self, address: str) -> str:
        """The arguments of the next message to that address, as oscdump writes them."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if f" /stembridge/{address} " in line:
                return line.split(f" /stembridge/{address} ", 1)[1].strip()
        raise AssertionError("oscdump ended")

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE_S)

    def _await_listening(self) -> None:
        """Say something to it until it is heard: it does not tell when it is ready."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
            for _ in range(500):
                sock.sendto(b"/ready\0\0,\0\0\0", ("127.0.0.1", self.port))
                if self._process.stdout.readline():
                    break
                sock.settimeout(0.01)
                try:
                    sock.recv(1)
                except OSError:
                    continue
            os.set_blocking(self._process.stdout.fileno(), True)


@pytest.fixture
def dump() -> Iterator[Dump]:
    dump = Dump()
    yield dump
    dump.close()


def oscsend(port: int, *arguments: str, host: str = "127.0.0.1") -> None:
    subprocess.run(["oscsend", host, str(port), *arguments], check=True, timeout=PATIENCE_S)


def play(service: FakeService, job_id: str, folder: Path) -> None:
    job = service.play_start(job_id)
    service.feed.publish(events.StageStarted(job_id=job_id, stage="separate"))
    service.feed.publish(events.JobProgress(job_id=job_id, stage="separate", share=0.25, remaining_s=9.0))
    service.play_done(job, Delivery(folder=folder / "StemBridge" / "Grün", files=("Stems/bass.wav",)))


@needs_liblo
def test_liblo_drives_the_door_from_hello_to_files(
    door: OscFrontend, service: FakeService, folder: Path, dump: Dump
) -> None:
    song = write_song(folder, "Grün.wav")
    oscsend(door.port, "/stembridge/hello", "sii", "me", "1", str(dump.port))
    assert dump.line("ack") == 'si "me" 1'
    assert dump.line("welcome").startswith('sisisifs "me" 1 ')
    oscsend(door.port, "/stembridge/subscribe", "si", "me", "2")
    assert dump.line("subscribed").endswith(f'"me" 2 "{service.feed.epoch}" 0 0')
    oscsend(door.port, "/stembridge/process", "siss", "me", "3", str(song), "quick")
    job = service.jobs()[0].id if service.jobs() else dump.line("accepted").split('"')[3]
    play(service, job, folder)
    assert '"separate" "Separating"' in dump.line("stage")
    assert "0.25" in dump.line("progress")
    assert f'"{job}"' in dump.line("done")
    oscsend(door.port, "/stembridge/files", "sis", "me", "4", job)
    assert dump.line("file_list").endswith('"Stems/bass.wav"')


@needs_liblo
def test_liblos_other_types_are_taken(door: OscFrontend, dump: Dump) -> None:
    oscsend(door.port, "/stembridge/hello", "shd", "me", "1", str(dump.port))
    assert dump.line("ack") == 'si "me" 1'
    oscsend(door.port, "/stembridge/list", "sif", "me", "2", "5.0")
    assert dump.line("job_list") == 'sii "me" 2 0'


@needs_liblo
def test_liblo_is_told_of_its_mistakes(door: OscFrontend, dump: Dump) -> None:
    oscsend(door.port, "/stembridge/hello", "sii", "me", "1", str(dump.port))
    oscsend(door.port, "/stembridge/process", "sis", "me", "2", "relative.wav")
    assert "absolute" in dump.line("refused")


@needs_liblo
def test_liblo_drives_the_door_by_tcp(door: OscFrontend, service: FakeService, folder: Path) -> None:
    song = write_song(folder)
    url = f"osc.tcp://127.0.0.1:{door.port}"
    subprocess.run(
        ["oscsend", url, "/stembridge/process", "sis", "me", "1", str(song)], check=True, timeout=PATIENCE_S
    )
    (found,) = service.feed.wait(0, PATIENCE_S) or ()
    assert isinstance(found.event, events.JobQueued)
    assert found.event.source == song.name


def test_python_osc_drives_the_door_by_tcp(door: OscFrontend, service: FakeService, folder: Path) -> None:
    song = write_song(folder)
    client = SimpleTCPClient("127.0.0.1", door.port, mode="1.0")
    try:
        client.send_message("/stembridge/process", ["me", 1, str(song)])
        found = [OscMessage(packet).address for _ in range(2) for packet in client.receive(PATIENCE_S)]
    finally:
        client.close()
    assert found == ["/stembridge/ack", "/stembridge/accepted"]
    assert service.count() == 1


@pytest.mark.skipif(not has_npm_osc(), reason="node does not find npm's osc (STEMBRIDGE_NODE_OSC=FOLDER)")
def test_npms_osc_drives_the_door_from_hello_to_files(
    door: OscFrontend, service: FakeService, folder: Path
) -> None:
    song = write_song(folder, "Grün.wav")
    script = Path(__file__).with_name("stranger.js")
    with subprocess.Popen(
        ["node", str(script), str(door.port), str(song)], stdout=subprocess.PIPE, text=True
    ) as node:
        assert node.stdout is not None
        found = {}
        for line in node.stdout:
            address, *arguments = json.loads(line)
            found[address.removeprefix("/stembridge/")] = arguments
            if address == "/stembridge/accepted":
                play(service, arguments[2], folder)
    assert node.returncode == 0
    assert {"ack", "welcome", "resync", "subscribed", "queued", "accepted", "started", "stage"} <= set(found)
    assert found["done"][5:] == [str(folder / "StemBridge" / "Grün"), "Grün"]
    assert found["file_list"][-1] == "Stems/bass.wav"
