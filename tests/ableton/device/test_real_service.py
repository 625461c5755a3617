"""The whole device, patcher and script, against the real service: from a button to stems on tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.generate import compose, random_spec
from tests.ableton.device.played import needs_node, played_device
from tests.serving import Home

pytestmark = [
    needs_node,
    pytest.mark.timeout(180),
]
ROLES = ["Vocals", "Drums", "Bass", "Other"]


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


def write_song(folder: Path, *, times: int = 1) -> Path:
    """Six seconds of music, so many times over."""
    mixture = compose(random_spec(21, duration_s=6.0, voice=True)).mixture
    path = folder / f"Night Drive {times}.wav"
    write_audio(path, Audio(samples=np.tile(mixture.samples, times), rate_hz=mixture.rate_hz))
    return path


def test_from_a_button_to_stems_on_tracks(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with home.serve(), played_device(home.port, live_set) as found:
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
    with played_device(home.port, live_set) as found:
        found.until("lamp", 1)
        with home.serve() as serving:
            found.until("lamp", 2)
            found.choose("Recipe", "master-only")
            found.drop(song)
            found.until("can_cancel", 1)
            serving.kill()
        with home.serve():
            found.until("stage", "Done")
            found.until_figures()
    (job,) = home.ended()
    assert (job.request.source, job.request.destination) == (song, live_set.parent)
    assert len(found.ports) == 1, "a port that was good is kept"


def test_with_a_third_of_all_packets_lost_each_press_counts_once(home: Home, live_set: Path) -> None:
    song, long_song = write_song(home.root), write_song(home.root, times=40)
    with home.serve(), played_device(home.port, live_set, lost=0.33) as found:
        found.until("lamp", 2)
        found.choose("Recipe", "master-only")
        for _ in range(3):
            found.drop(long_song)  # there is time to cancel it, however often that is lost
            found.until("can_cancel", 1)
            found.press("Cancel")
            found.until("can_cancel", 0)
        found.drop(song)
        found.until("stage", "Done")
        found.until_figures()
    assert sorted(job.state for job in home.jobs()) == ["CANCELLED"] * 3 + ["SUCCESS"]


def test_two_devices_have_ports_of_their_own_and_both_see_the_jobs(home: Home, live_set: Path) -> None:
    song = write_song(home.root)
    with home.serve(), played_device(home.port, live_set) as one, played_device(home.port, live_set) as other:
        one.until("lamp", 2)
        other.until("lamp", 2)
        one.drop(song)
        one.until("song", "Night Drive 1")
        other.until("song", "Night Drive 1")
        one.until("can_cancel", 1)
        one.press("Cancel")
        one.until("can_cancel", 0)
        other.until("can_cancel", 0)
    assert one.ports != other.ports


def test_a_refusal_is_shown_in_words(home: Home, live_set: Path) -> None:
    with home.serve(), played_device(home.port, live_set) as found:
        found.until("lamp", 2)
        found.drop(Path("/etc/hostname"))
        found.until("error", "")
        assert "service.roots" in found.until("error")[0]
