"""An engine that dies in the middle of a job: the next one does the song, and it is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge import registry
from bridge.audio import Audio, write_audio
from bridge.config import Config, load_config
from bridge.engines.apart import Start, close_all
from bridge.engines.demucs import DemucsLocal, engine
from bridge.engines.light import LightSeparator
from bridge.protocols import no_progress
from bridge.stages import roles, separate
from bridge.stages.base import Inputs, Room
from bridge.stages.choosing import choices
from bridge.testing.separators import SongForm, example_song
from bridge.values import Asset

DYING = Path(__file__).with_name("dying")


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    """Demucs seems to be installed, with a model; its process is another."""
    config = load_config()
    repository = tmp_path / "models"
    repository.mkdir()
    (repository / "mine.yaml").write_text("models: ['aaaa0001']\n")
    (repository / "aaaa0001.safetensors").write_bytes(b"numbers")
    python = Path(sys.executable)
    start = Start(name="Demucs", python=python, folder=DYING, threads=1, settings=config.engines)
    engines = {"demucs_local": DemucsLocal, "light": LightSeparator}
    monkeypatch.setattr(engine, "start_of", lambda _config: start)
    monkeypatch.setattr(engine, "python_of", lambda _name, _config: python)
    monkeypatch.setattr(registry, "load", lambda _group, name: engines[name])
    return config.evolve(demucs=config.demucs.evolve(repository=str(repository), model="mine"))


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_the_next_engine_does_the_song(dying: Config, tmp_path: Path) -> None:
    """With what happened in the facts, and nothing of the dead one's left."""
    song = tmp_path / "song.wav"
    write_audio(song, Audio(samples=example_song(SongForm()), rate_hz=44_100))
    room = Room(folder=tmp_path / "room", progress=no_progress, config=dying)
    room.folder.mkdir()
    names = ("demucs_local", "light")
    params = separate.Params(engines=choices("bridge.separators", names, dying), null_dbfs=-120.0)
    made = separate.run(params, Inputs([Asset(path=song, sha256="", role=roles.SOURCE)]), room)
    assert made.facts["engine"] == "light"
    (told,) = made.facts["skipped"]
    assert told.startswith("demucs_local: Demucs crashed (SIGKILL) while it worked"), told
    assert {path.name for path in room.folder.iterdir()} == {path.name for path in made.files.values()}
    close_all()
