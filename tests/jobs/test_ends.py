"""A job's end is stored, though the database cannot be written at first."""

from __future__ import annotations

import pytest

from bridge.errors import DiskFullError, JobError, JobLostError, StorageError
from bridge.jobs.ends import LONGEST_PAUSE_S, insist
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Job, JobState
from tests.jobs.support import HERE, PRINT, THERE, Clock, request


class Ending:
    """A job whose end is refused so often, by a store that is locked or full."""

    def __init__(self, refusals: int, error: type[StorageError] = StorageError) -> None:
        self.store = MemoryJobStore()
        self.clock = Clock(0.0)
        self.pauses_s: list[float] = []
        self.refusals = refusals
        self.error = error
        self.halts_at_s = float("inf")
        self.is_written_all_the_same = False
        self.store.submit(request(), PRINT)
        job = self.store.claim(HERE)
        assert job is not None
        self.job = job

    def write(self) -> Job:
        if self.refusals:
            self.refusals -= 1
            if self.is_written_all_the_same:
                self.store.fail(self.job, "broken")
            raise self.error
        return self.store.fail(self.job, "broken")

    def wait(self, seconds: float) -> bool:
        self.pauses_s.append(seconds)
        self.clock.now_s += seconds
        return self.clock.now_s >= self.halts_at_s

    def insist(self, patience_s: float = 600.0) -> Job:
        return insist(
            self.write, self.store, self.job, wait=self.wait, patience_s=patience_s, clock=self.clock
        )


def test_an_end_that_can_be_stored_is_stored_at_once() -> None:
    """Without any pause."""
    ending = Ending(refusals=0)
    assert ending.insist().state is JobState.FAILED
    assert ending.pauses_s == []


@pytest.mark.parametrize("error", [StorageError, DiskFullError])
def test_an_end_is_tried_again_until_it_is_stored(error: type[StorageError]) -> None:
    """With longer and longer pauses, up to a longest."""
    ending = Ending(refusals=9, error=error)
    assert ending.insist().state is JobState.FAILED
    assert ending.pauses_s == [0.5, 1, 2, 4, 8, *[LONGEST_PAUSE_S] * 4]


def test_patience_ends() -> None:
    """Where nobody can halt it: ten minutes, then the last error."""
    ending = Ending(refusals=10_000)
    with pytest.raises(StorageError):
        ending.insist()
    assert 600 <= ending.clock.now_s < 600 + LONGEST_PAUSE_S + 1
    assert ending.store.get(ending.job.id).state is JobState.PROCESSING


def test_a_halt_ends_it_at_once() -> None:
    """However much patience there was."""
    ending = Ending(refusals=10_000)
    ending.halts_at_s = 20.0
    with pytest.raises(StorageError):
        ending.insist(patience_s=float("inf"))
    assert ending.clock.now_s < 20 + LONGEST_PAUSE_S


def test_an_end_that_was_stored_though_an_error_was_told_counts() -> None:
    """A disk may fail after the commit: the second try finds the job ended."""
    ending = Ending(refusals=1)
    ending.is_written_all_the_same = True
    ended = ending.insist()
    assert (ended.state, ended.error) == (JobState.FAILED, "broken")


def test_a_claim_that_was_lost_meanwhile_is_lost() -> None:
    """Another worker has the job: nothing is written over it."""
    ending = Ending(refusals=1)
    refuse = ending.wait

    def lose(seconds: float) -> bool:
        ending.store.release(ending.job)
        ending.store.claim(THERE, ending.job.id)
        return refuse(seconds)

    with pytest.raises(JobLostError):
        insist(ending.write, ending.store, ending.job, wait=lose, clock=ending.clock)


def test_other_faults_are_not_tried_again() -> None:
    """A job that has ended already stays as it is."""
    ending = Ending(refusals=0)
    ending.insist()
    with pytest.raises(JobError, match="has ended"):
        ending.insist()
    assert ending.pauses_s == []
