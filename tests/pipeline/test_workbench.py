"""The workbench: stages run once, are found afterwards, and tell how far the job is."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import events
from bridge.config import load_config
from bridge.errors import InputError, JobCancelled, StageError
from bridge.pipeline.shelf import Shelf
from bridge.pipeline.workbench import Workbench
from bridge.stages.base import Inputs, Made, Room, Stage, for_each
from bridge.values import Value


class Params(Value):
    text: str = "music"


class Bench:
    """A workbench over stages that count their runs."""

    def __init__(self, folder: Path) -> None:
        self.runs: list[str] = []
        self.seen: list[events.Event] = []
        self.clock_s = 0.0
        self.first = self.stage("ingest", 1.0)
        self.second = self.stage("mix", 3.0)
        self.shelf = Shelf(folder)

    def stage(self, name: str, cost: float) -> Stage[Params]:
        def run(params: Params, inputs: Inputs, room: Room) -> Made:
            self.runs.append(name)
            self.clock_s += cost / 2
            room.progress(0.5)
            self.clock_s += cost / 2
            (room.folder / "out").write_text(params.text)
            return Made(files={"out": room.folder / "out"})

        return Stage(name=name, version=1, cost=cost, run=run)

    def bench(self) -> Workbench:
        return Workbench(
            shelf=self.shelf,
            config=load_config(overrides={}),
            job_id="job",
            plan=[self.first, self.second],
            report=self.seen.append,
            clock=lambda: self.clock_s,
        )


@pytest.fixture
def made(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "stages")


def test_a_stage_runs_once(made: Bench) -> None:
    """The second job finds it and says so."""
    made.bench().do(made.first, Params())
    result = made.bench().do(made.first, Params())
    assert made.runs == ["ingest"]
    assert result.asset("out").path.read_text() == "music"
    done = [event.was_reused for event in made.seen if isinstance(event, events.StageDone)]
    assert done == [False, True]


def test_other_parameters_run_again(made: Bench) -> None:
    """They are other content."""
    made.bench().do(made.first, Params())
    made.bench().do(made.first, Params(text="noise"))
    assert made.runs == ["ingest", "ingest"]


def test_progress_goes_up_and_tells_the_time_left(made: Bench) -> None:
    """One second of four is done after the first stage; half of the second leaves 1.5 s."""
    bench = made.bench()
    bench.do(made.first, Params())
    bench.do(made.second, Params())
    told = [(event.share, event.remaining_s) for event in made.seen if isinstance(event, events.JobProgress)]
    assert told == [(0.125, pytest.approx(3.5)), (0.625, pytest.approx(1.5))]


def test_an_unexpected_error_becomes_a_stage_error(made: Bench) -> None:
    """With its cause, and without leaving a room behind."""

    def run(params: Params, inputs: Inputs, room: Room) -> Made:
        raise ZeroDivisionError("oops")

    with pytest.raises(StageError, match="The stage 'mix' failed: ZeroDivisionError: oops") as caught:
        made.bench().do(Stage(name="mix", version=1, cost=1.0, run=run), Params())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert list(made.shelf.root.iterdir()) == []


@pytest.mark.parametrize("error", [InputError("no song"), JobCancelled(), MemoryError()])
def test_errors_with_a_meaning_pass_as_they_are(made: Bench, error: Exception) -> None:
    """Ours, cancelling and memory."""

    def run(params: Params, inputs: Inputs, room: Room) -> Made:
        raise error

    with pytest.raises(type(error)):
        made.bench().do(Stage(name="mix", version=1, cost=1.0, run=run), Params())
    assert list(made.shelf.root.iterdir()) == []


def test_parallel_work_joins_its_progress_and_its_errors() -> None:
    """The mean of all is told; one failure ends the others at their next word."""
    told: list[float] = []
    assert for_each([1, 2, 3], lambda item, tell: tell(1.0) or item * 2, 2, told.append) == [2, 4, 6]
    assert told[-1] == pytest.approx(1.0)

    def fail(item: int, tell: object) -> int:
        raise InputError(str(item))

    with pytest.raises(InputError):
        for_each([1, 2], fail, 2, told.append)
