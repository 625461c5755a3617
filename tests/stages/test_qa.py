"""QA: what is wrong is found, what is right passes, and plans are corrected by what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config
from bridge.generate import ComposedSong
from bridge.stages import master, qa, roles
from bridge.stages.base import Made
from bridge.stages.master import Goal
from bridge.stages.planning import Plan, corrected
from bridge.values import QaCheck, QaReport, SampleFormat, StageResult
from presets import Chain, target
from tests.stages.conftest import RunStage

GOAL = Goal(target=target("streaming"))


@pytest.fixture
def source(song: ComposedSong, tmp_path: Path) -> Path:
    path = tmp_path / "source.wav"
    write_audio(path, song.mixture)
    return path


@pytest.fixture
def good(run_stage: RunStage, source: Path) -> Path:
    params = master_params()
    return run_stage(master.STAGE, params, {"mix": source}).files["master/streaming"]


def master_params() -> master.Params:
    return master.Params(
        chain=Chain(name="Bare", role="master"),
        goals=(GOAL,),
        bits=24,
        drive_loss_db=3,
        tone_shift_db=4.5,
        search_passes=5,
        search_tolerance_lu=0.03,
    )


def checks(run_stage: RunStage, config: Config, source: Path, found: Path) -> dict[str, QaCheck]:
    params = qa.Params(settings=config.qa, goals=(GOAL,))
    made: Made = run_stage(qa.STAGE, params, {roles.SOURCE: source, "master/streaming": found})
    report = qa.report_of(StageResult(stage="qa", key="k", facts=made.facts))
    return {check.code: check for check in report.checks}


def altered(good: Path, change: str) -> Path:
    audio = read_audio(good)
    x = audio.samples.copy()
    match change:
        case "louder":
            x *= np.float32(1.7)
        case "cut":
            x = x[:, :-100]
        case "clipped":
            x = np.clip(x * 3, -1, 1)
        case "silent":
            x *= 0
        case "offset":
            x += np.float32(0.01)
        case "phase":
            x[1] = -x[0]
    path = good.with_name(f"{change}.wav")
    write_audio(path, Audio(samples=x, rate_hz=audio.rate_hz), SampleFormat.INT24)
    return path


def test_a_good_master_passes_everything(
    run_stage: RunStage, config: Config, source: Path, good: Path
) -> None:
    """No false alarm."""
    assert [code for code, check in checks(run_stage, config, source, good).items() if not check.passed] == []


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ("louder", {"loudness", "true_peak"}),
        ("cut", {"length"}),
        ("clipped", {"clipping", "loudness", "true_peak"}),
        ("silent", {"loudness", "silence"}),
        ("offset", {"dc"}),
        ("phase", {"correlation"}),
    ],
)
def test_each_flaw_is_found(
    run_stage: RunStage, config: Config, source: Path, good: Path, change: str, codes: set[str]
) -> None:
    """By the check that is for it, which says what to do."""
    found = checks(run_stage, config, source, altered(good, change))
    failed = {code for code, check in found.items() if not check.passed}
    assert codes <= failed
    assert all(found[code].advice for code in failed)


def report(code: str, error: float, subject: str = "master/streaming") -> QaReport:
    check = QaCheck(
        code=code, name=code, subject=subject, found="", wanted="", passed=False, is_hard=True, error=error
    )
    return QaReport(checks=(check,))


def test_an_excess_lowers_the_ceiling_of_its_target_alone() -> None:
    """By the excess and a little more."""
    other = Goal(target=target("club"))
    plan = Plan(master=master_params().evolve(goals=(GOAL, other)))
    better = corrected(plan, report("true_peak", 0.2))
    assert better is not None
    assert better.master is not None
    assert better.master.goals[0].ceiling_dbtp == pytest.approx(-1.25)
    assert better.master.goals[1] == other


def test_a_loudness_error_is_taken_back() -> None:
    """A master that came out 0.3 LU too loud is aimed 0.3 LU lower."""
    better = corrected(Plan(master=master_params()), report("loudness", 0.3))
    assert better is not None
    assert better.master is not None
    assert better.master.goals[0].loudness_lufs == pytest.approx(-14.3)


def test_what_cannot_be_corrected_is_not_tried() -> None:
    """A wrong length, or meters that disagree by far: another render would be the same."""
    plan = Plan(master=master_params())
    assert corrected(plan, report("length", 5)) is None
    assert corrected(plan, report("loudness", -9)) is None
