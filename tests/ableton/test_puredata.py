"""Pure Data presses Process: in place of Max, against the service as it is, and over a bad network."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest

from bridge import events
from bridge.values import Delivery
from tests.ableton.puredata import PureData, session_patch
from tests.ableton.support import fake_service, open_door, write_song
from tests.badinput.cases import music, write
from tests.faults.osc_proxy import LossyProxy, Weather
from tests.serving import Home, free_port

pytestmark = pytest.mark.skipif(
    shutil.which("pd") is None, reason="Pure Data is not installed (Debian: puredata-core)"
)


def patch_file(folder: Path, song: Path, **more: object) -> Path:
    path = folder / "session.pd"
    client = f"pd-{uuid.uuid4().hex[:8]}"
    path.write_text(session_patch(client=client, song=str(song), recipe="quick", **more), encoding="utf-8")
    return path


def test_pd_presses_process_and_is_told_of_it_until_it_is_done(tmp_path: Path) -> None:
    """A song whose name has what message boxes take apart: spaces, a comma, a semicolon, other letters."""
    home = Home(tmp_path / "home")
    song = home.root / "Grün, blue; red.wav"
    write(song, music(2.0))
    patch = patch_file(tmp_path, song, door_port=home.port, own_port=free_port())
    with home.serve(), PureData(patch) as pd:
        heard = list(pd.until("done"))
    names = [words[0] for words in heard]
    answers = ("welcome", "subscribed", "accepted")
    assert tuple(name for name in names if name in answers) == answers
    told = [name for name in names if name not in (*answers, "progress", "note")]
    assert told[:2] == ["queued", "started"]  # an event may be ahead of the answer to what caused it
    stages = [words[5] for words in heard if words[0] == "stage"]
    assert stages[0] == "ingest"
    assert stages[-1] == "deliver"
    shares = [float(words[5]) for words in heard if words[0] == "progress"]
    assert len(shares) > 3
    assert shares == sorted(shares)
    folder = Path(heard[-1][6])
    assert folder.parent.parent == home.root
    assert (folder / "manifest.json").is_file()


def test_pd_presses_process_once_over_a_network_that_loses_a_third(folder: Path) -> None:
    song, service = write_song(folder), fake_service(folder, heartbeat_s=0.5)
    with open_door(service) as door, LossyProxy(door.port, Weather(), seed=1) as proxy:
        patch = patch_file(folder, song, door_port=proxy.port, own_port=0)
        with PureData(patch) as pd:
            heard = list(pd.until("accepted"))
            job = service.play_start(heard[-1][3])
            for share in range(8):
                service.feed.publish(events.StageStarted(job_id=job.id, stage=f"stage{share}"))
            service.play_done(job, Delivery(folder=folder / "StemBridge" / "Night Drive", files=("a.wav",)))
            heard += pd.until("done")
    numbers = [int(words[1]) for words in heard if words[0] in ("queued", "started", "stage", "done")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 11
    assert service.count() == 1
    assert proxy.lost > 0
