"""Songs that are wrong or odd: a clear word and nothing left, or a correct delivery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.audio import probe, read_audio
from bridge.hashes import hash_file
from tests.badinput.cases import DONE, HOSTILE, REFUSED, Case
from tests.badinput.command import Place, Ran, faults_of


class Batch:
    """Many songs in one command, as a producer gives a folder's worth; each is judged by itself."""

    def __init__(self, root: Path, cases: list[Case], recipe: str) -> None:
        self.place = Place(root=root)
        self.songs = {case.id: case.made(self.place.songs) for case in cases}
        before = {what: hash_file(song) for what, song in self.songs.items()}
        self.ran: Ran = self.place.process(
            *self.songs.values(), recipe=recipe, options=("--json",), timeout_s=280
        )
        results = {result["source"]: result for result in self.ran.results}
        self.results: dict[str, dict[str, Any]] = {
            what: results[str(song)] for what, song in self.songs.items()
        }
        self.touched = [what for what, song in self.songs.items() if hash_file(song) != before[what]]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return Batch(tmp_path_factory.mktemp("refused"), list(REFUSED), "quick")


def test_a_batch_of_bad_songs_fails_as_one(refused: Batch) -> None:
    """Exit code 1, no traceback, an empty project, untouched sources."""
    assert refused.ran.code == 1
    assert "Traceback" not in refused.ran.words
    assert not refused.place.project_folder.exists()
    assert refused.touched == []
    assert list((refused.place.data_folder / "stages").glob(".*")) == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_a_bad_song_is_refused_with_reason(refused: Batch, case: Case) -> None:
    """What was found, what was wanted, what to do."""
    result = refused.results[case.id]
    assert result["state"] == "FAILED"
    for word in (case.name, *case.words):
        assert word in result["error"]
    assert result["error"].endswith(".")


class Deliveries:
    """Batches by recipe, each run when its first song is asked for."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._batches: dict[tuple[str, bool], Batch] = {}

    def of(self, case: Case) -> tuple[dict[str, Any], Batch]:
        key = (case.recipe, case.is_slow)
        if key not in self._batches:
            cases = [each for each in DONE if (each.recipe, each.is_slow) == key]
            self._batches[key] = Batch(self._factory.mktemp("odd"), cases, case.recipe)
        return self._batches[key].results[case.id], self._batches[key]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    return Deliveries(tmp_path_factory)


ODD = [pytest.param(case, id=case.id, marks=[pytest.mark.slow] if case.is_slow else []) for case in DONE]


@pytest.mark.parametrize("case", ODD)
def test_an_odd_song_is_delivered_correctly(delivered: Deliveries, case: Case) -> None:
    """Whole, at its own rate and length, the master at its target or with a reason, the stems nulling."""
    result, batch = delivered.of(case)
    assert result["state"] == "SUCCESS", result["error"]
    assert "Traceback" not in batch.ran.words
    assert batch.touched == []
    folder = Path(result["folder"])
    assert folder.parent == batch.place.project_folder / "StemBridge"
    assert faults_of(folder) == []
    _expect_audio(folder, batch.songs[case.id])
    _expect_figures(result["figures"], case)


def _expect_audio(folder: Path, song: Path) -> None:
    wanted = probe(song)
    for path in folder.rglob("*.wav"):
        found = read_audio(path)
        assert (found.rate_hz, found.frames) == (wanted.rate_hz, wanted.frames)
        assert found.channels == min(2, wanted.channels)
        assert np.isfinite(found.samples).all()


def _expect_figures(figures: dict[str, Any], case: Case) -> None:
    master = figures["masters"]["streaming"]
    assert figures["qa_passed"]
    assert master["true_peak_dbtp"] <= -0.99
    is_there = abs(master["integrated_lufs"] - master["target_lufs"]) <= 0.1
    assert is_there if master["is_reached"] else "limiting" in master["why"]
    if case.recipe == "full":
        assert len(figures["stems"]) == 4
        assert figures["null_dbfs"] <= -120


def test_hostile_tags_stay_words_in_the_report(delivered: Deliveries) -> None:
    """No tag becomes markup, a template or a path."""
    case = next(case for case in DONE if case.id == "hostile tags")
    result, _ = delivered.of(case)
    page = (Path(result["folder"]) / "Report.html").read_text(encoding="utf-8")
    assert json.loads((Path(result["folder"]) / "manifest.json").read_text())["tags"]["title"] in HOSTILE
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert ">49<" not in page


def test_names_cannot_steer_the_terminal(delivered: Deliveries) -> None:
    """A name's escape codes, line breaks and turns of direction are not printed."""
    case = next(case for case in DONE if case.id == "name with a line break")
    _, batch = delivered.of(case)
    assert "\x1b" not in batch.ran.err
    assert "\u202e" not in batch.ran.err
    assert "two lines and" in batch.ran.err
