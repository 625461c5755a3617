"""Patcher and script together, against the door: what the user sees and does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ableton.device.picture import draw
from bridge import events
from bridge.testing.service import FakeService
from bridge.values import Delivery
from tests.ableton.device.played import Device, needs_node, played_device
from tests.ableton.support import fake_service, open_door, write_song

pytestmark = needs_node


@pytest.fixture
def service(tmp_path: Path) -> FakeService:
    return fake_service(tmp_path.resolve())


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A song that may be processed."""
    return write_song(tmp_path.resolve())


@pytest.fixture
def device(service: FakeService, tmp_path: Path) -> Iterator[Device]:
    """A device that is loaded and connected, in a set that is saved."""
    live_set = tmp_path.resolve() / "Night Project" / "Night.als"
    live_set.parent.mkdir()
    live_set.touch()
    with open_door(service) as door, played_device(door.port, live_set) as device:
        device.until("stage", "Ready")
        yield device


def test_a_loaded_device_finds_the_service_and_its_recipes(device: Device) -> None:
    boxes = [entry["box"] for entry in device.patcher.document["patcher"]["boxes"]]
    assert [not box["hidden"] for box in boxes if "hidden" in box] == [False, False, True]
    assert device.shown["recipes"][0] == "automatic"
    assert "voiceover-bed" in device.shown["recipes"]


def test_a_dropped_song_is_followed_to_its_failure(device: Device, service: FakeService, song: Path) -> None:
    device.drop(song)
    device.until("song", "Night Drive")
    (job,) = service.jobs()
    assert job.request.destination.name == "Night Project"
    started = service.play_start(job.id)
    service.feed.publish(events.JobProgress(job_id=job.id, stage="separate", share=0.5, remaining_s=41.0))
    device.until("progress", 0.5)
    service.play_failed(started, "Night Drive.wav is silent; wanted a song.")
    device.until_seen(lambda texts: any(text.startswith("Night Drive.wav is silent") for text in texts))
    assert "Night Drive.wav is silent" in draw(device.patcher.document)


def test_stems_of_a_song_whose_master_failed_are_imported(
    device: Device, service: FakeService, song: Path
) -> None:
    folder = song.parent / "StemBridge" / "Night Drive"
    stem = {"title": "Vocals", "role": "vocals", "file": "Stems/Vocals.wav"}
    (folder / "Stems").mkdir(parents=True)
    (folder / stem["file"]).touch()
    device.drop(song)
    device.until("song", "Night Drive")
    (job,) = service.jobs()
    delivery = Delivery(folder=folder, files=(stem["file"],), main_figures={"stem_files": [stem]})
    service.play_failed(service.play_start(job.id), "No master was delivered.", "QaError", delivery)
    device.until("can_import", 1)
    assert device.shown["stage"] == ["Failed. 1 stem to import"]
    assert device.shown["error"] == ["No master was delivered."]
    device.press("Import stems")
    device.until("stage", "On new tracks: Vocals")
    assert [track["name"] for track in device.look()["tracks"]] == ["Song", "Vocals"]


def test_a_song_that_waits_is_cancelled(device: Device, service: FakeService, song: Path) -> None:
    device.press("Cancel")
    device.drop(song)
    device.until("can_cancel", 1)
    device.press("Cancel")
    device.until("can_cancel", 0)
    assert [job.state for job in service.jobs()] == ["CANCELLED"]


def test_the_recipe_that_is_chosen_is_used_and_kept(device: Device, service: FakeService, song: Path) -> None:
    device.choose("Recipe", "quick")
    device.drop(song)
    device.until("song", "Night Drive")
    assert [job.request.recipe for job in service.jobs()] == ["quick"]
    assert "quick" in device.patcher.values.values()
