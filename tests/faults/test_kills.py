"""kill -9 in each stage, then the same command: nothing lost, nothing doubled, nothing half."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.values import JobState
from tests.badinput.command import left_in
from tests.faults.harness import DELIVERED, STAGES, WRITTEN, Counts, Kill, Scene, Victim
from tests.faults.trials import run_trials

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc, as Linux has it")


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def scene(tmp_path: Path, counts: Counts) -> Scene:
    return Scene(tmp_path, counts, seconds=2.0)


@pytest.mark.parametrize(
    ("victim", "moments"),
    [
        pytest.param(Victim.PARENT, (*STAGES, WRITTEN), id="command"),
        pytest.param(Victim.WORKER, ("ingest", "restore", "deliver", WRITTEN), id="worker"),
        pytest.param(Victim.WORKER, (*STAGES, WRITTEN), id="worker, each stage", marks=pytest.mark.slow),
        pytest.param(Victim.BOTH, (*STAGES, WRITTEN), id="both, each stage", marks=pytest.mark.slow),
        pytest.param(Victim.INTERRUPT, STAGES[:-1], id="Ctrl-C, each stage", marks=pytest.mark.slow),
    ],
)
def test_a_command_killed_in_every_stage_goes_on_where_it_was(
    scene: Scene, counts: Counts, victim: Victim, moments: tuple[str, ...]
) -> None:
    """In each run the next stage is killed; what lay finished before is never computed again."""
    for moment in moments:
        assert not scene.run_and_kill(Kill(victim=victim, stage=moment))
    assert scene.run_to_end().code == 0
    scene.judge("after a kill in every stage")
    assert counts.faults() == []
    assert counts.kills == len(moments)


def test_a_delivery_that_nobody_knows_of_is_not_doubled(scene: Scene, counts: Counts) -> None:
    """The job is killed between the delivery and its own book-keeping."""
    if not scene.run_and_kill(Kill(victim=Victim.BOTH, stage=DELIVERED)):
        assert scene.run_to_end().code == 0
    scene.judge("killed when it had delivered")
    assert counts.faults() == []


def test_a_dead_worker_is_told_in_words(scene: Scene, counts: Counts) -> None:
    """The job fails, says in which stage and what to do; nothing is left in the project."""
    scene.run_and_kill(Kill(victim=Victim.WORKER, stage="separate"))
    (job,) = scene.jobs()
    assert job.state is JobState.FAILED
    assert "SIGKILL" in job.error
    assert "in the stage separate" in job.error
    assert "start it again" in job.error
    assert left_in(scene.place.project_folder) == []
    assert counts.faults() == []


def test_an_interrupt_leaves_nothing_and_the_next_run_goes_on(scene: Scene, counts: Counts) -> None:
    """Ctrl-C: exit code 130, an empty project, finished stages kept."""
    scene.run_and_kill(Kill(victim=Victim.INTERRUPT, stage="mix"))
    (job,) = scene.jobs()
    assert job.state is JobState.CANCELLED
    assert left_in(scene.place.project_folder) == []
    kept = scene.finished_stages()
    assert len(kept) >= 4
    assert scene.run_to_end().err.count("finished earlier") >= 4
    scene.judge("after Ctrl-C")
    assert counts.faults() == []


@pytest.mark.slow
def test_random_kills() -> None:
    """One to three kills at random moments, twenty times over."""
    counts = run_trials(20, seed=2026, whole_s=5.0, tell=print)
    assert counts.faults() == [], str(counts)
