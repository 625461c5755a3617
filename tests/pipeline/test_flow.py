"""A job's flow, in this process: what happens to it when the song changes under it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import events
from bridge.config import Config, load_config
from bridge.errors import SourceChangedError
from bridge.pipeline import clean_up, run_job
from bridge.stages import transcribe
from bridge.values import Delivery, Job, JobRequest, JobState
from tests.badinput.cases import music, write


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(overrides={"work": {"folder": str(tmp_path / "data"), "reserve_gb": 0.0}})


@pytest.fixture
def job(tmp_path: Path) -> Job:
    song = tmp_path / "Night Drive.wav"
    write(song, music(1.5))
    request = JobRequest(source=song, recipe="master-only", destination=tmp_path / "project")
    return Job(id="0" * 16, request=request, created_s=0, updated_s=0)


def run(job: Job, config: Config, at_mastering: Callable[[Path], object]) -> Delivery:
    """The whole job; ``at_mastering`` is done to the song when the master begins."""

    def listen(event: events.Event) -> None:
        if isinstance(event, events.StageStarted) and event.stage == "master":
            at_mastering(job.request.source)

    return run_job(job, config, listen)


def test_a_song_that_changes_under_its_job_is_not_delivered(job: Job, config: Config) -> None:
    """The results are of the old one: they would stand beside the new one's under its name."""
    with pytest.raises(SourceChangedError):
        run(job, config, lambda song: write(song, music(1.6)))
    clean_up(job.evolve(state=JobState.FAILED), config, lambda _event: None)
    assert not (job.request.destination / "StemBridge").exists()


def test_a_song_that_vanishes_under_its_job_is_delivered(job: Job, config: Config) -> None:
    """What was read of it is whole."""
    delivery = run(job, config, lambda song: song.unlink())
    assert (delivery.folder / "manifest.json").exists()


def test_chords_that_cannot_be_told_cost_nothing_else(
    job: Job, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The song is delivered; manifest and report say what is missing; the next run tries again."""
    wanted = job.evolve(request=job.request.evolve(recipe="stems-only"))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    with monkeypatch.context() as patch:
        patch.setattr(transcribe, "measure_chords", fail)
        spoilt = run_job(wanted, config, lambda _event: None).folder
    told = "The song's chords could not be told: ZeroDivisionError: by zero"
    assert told in json.loads((spoilt / "manifest.json").read_text("utf-8"))["notes"]
    assert "chords could not be told: ZeroDivisionError" in (spoilt / "Report.html").read_text("utf-8")
    assert any((spoilt / "Stems").iterdir())
    whole = run_job(wanted.evolve(id="1" * 16), config, lambda _event: None).folder
    assert json.loads((whole / "manifest.json").read_text("utf-8"))["music"]["left_out"] == []


def test_the_documented_recipe_is_quick_with_midi(job: Job, config: Config) -> None:
    """As docs/exports.md has it, word for word."""
    page = (Path(__file__).parents[2] / "docs" / "exports.md").read_text("utf-8")
    (block,) = (part.partition("```")[0] for part in page.split("```toml") if "[recipes.sketch]" in part)
    recipes = {name: recipe.model_dump() for name, recipe in config.recipes.items()}
    own = load_config(
        overrides={
            "work": config.work.model_dump(),
            "recipes": recipes | tomllib.loads(block)["recipes"],
        }
    )
    sketch = job.evolve(request=job.request.evolve(recipe="sketch"))
    folder = run_job(sketch, own, lambda _event: None).folder
    for name in ("MIDI", "Session", "Master", "Stems"):
        assert any((folder / name).iterdir())
