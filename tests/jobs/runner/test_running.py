"""A job from claim to end: what the store says, what listeners hear, what survives."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from bridge import events
from bridge.errors import QaError, StageError, StorageError
from bridge.events import Event
from bridge.jobs import JobStore, Worker, Workers, run_job, submit_request, this_process
from bridge.jobs.processes import start_of
from bridge.testing.memory_store import MemoryJobStore
from bridge.values import Delivery, Job, JobState
from tests.jobs.runner.support import TASKS, Doing, Watched
from tests.jobs.support import PRINT, THERE, StartPython, line_of, request, wait_until


def test_a_job_is_done(doing: Doing) -> None:
    """Claimed, run with job and settings, its delivery stored, then told."""
    ended = doing.run("deliver")
    assert ended.job == doing.now()
    assert (ended.job.state, ended.job.progress, ended.job.attempt) == (JobState.SUCCESS, 1.0, 1)
    assert ended.job.delivery == ended.outcome.value
    assert ended.outcome.value.main_figures["settings"] == "{'threads': 2}"
    assert doing.kinds[0] == "job_started"
    assert doing.heard[-1] == events.JobDone(job_id=doing.job.id, delivery=ended.outcome.value)


def test_finished_stages_are_in_the_store(doing: Doing) -> None:
    """In order, with key and seconds."""
    doing.run("deliver")
    records = doing.store.stages(doing.job.id)
    assert [(r.stage, r.key, r.seconds) for r in records] == [
        ("first", "first-key", 0.5),
        ("second", "second-key", 0.5),
    ]


def test_the_end_is_told_after_it_is_stored(doing: Doing) -> None:
    """Whoever hears it and looks finds it."""
    states = []
    original, doing.heard = doing.heard, Watched(lambda: states.append(doing.now().state))
    doing.run("deliver")
    assert states[-1] is JobState.SUCCESS
    assert original == []


def test_a_failed_job_says_why(doing: Doing) -> None:
    """In the store, to listeners, and as the error itself for the caller."""
    ended = doing.run("refuse_input")
    message = "Night Drive.mp3 is empty (0 bytes); wanted a song. Export it again."
    assert (ended.job.state, ended.job.error) == (JobState.FAILED, message)
    assert doing.heard[-1] == events.JobFailed(job_id=doing.job.id, error="InputError", message=message)
    assert "Traceback" in ended.outcome.log


@pytest.mark.parametrize("task", ["be_killed", "leave_at_once", "crash"])
def test_a_dead_worker_is_a_failed_job(doing: Doing, task: str) -> None:
    """Not a hang, and not a job that is held for ever."""
    ended = doing.run(task)
    assert ended.job.state is JobState.FAILED
    assert "The job's process" in ended.job.error
    assert doing.store.claim_of(doing.job.id) is None


def test_a_function_that_delivers_nothing_fails(doing: Doing) -> None:
    """SUCCESS always has a delivery."""
    assert "wanted a Delivery" in doing.run("return_nothing").job.error


def test_a_qa_retry_is_seen_in_the_store(doing: Doing) -> None:
    """RETRYING_QA while it lasts."""
    states = []
    doing.heard = Watched(lambda: states.append(doing.now().state))
    doing.run("retry_qa")
    work = JobState.PROCESSING
    assert states == [work, JobState.RETRYING_QA, work, JobState.SUCCESS]


def test_a_master_that_is_not_delivered_leaves_the_stems(doing: Doing) -> None:
    """FAILED with the reason and with what was delivered."""
    ended = doing.run("fail_in_retry")
    assert ended.job.state is JobState.FAILED
    assert isinstance(ended.outcome.error, QaError)
    assert isinstance(ended.job.delivery, Delivery)
    assert ended.outcome.error.delivery == ended.job.delivery


def test_a_job_that_somebody_has_is_left_alone(doing: Doing, workers: Workers) -> None:
    """None, and nothing is told."""
    doing.store.claim(THERE, doing.job.id)
    told: list[Event] = []
    got = run_job(doing.store, doing.job.id, settings=None, workers=workers, publish=told.append)
    assert got is None
    assert told == []


def test_the_oldest_waiting_job_is_taken(store: JobStore, workers: Workers) -> None:
    """Where none is named; then there is none."""
    ids = [store.submit(request(), PRINT).id for _ in range(2)]
    ended = [run_job(store, settings=None, workers=workers, target=f"{TASKS}:deliver") for _ in range(3)]
    assert [e.job.id if e else None for e in ended] == [*ids, None]


def test_a_fault_of_a_listener_fails_the_job(doing: Doing) -> None:
    """It would otherwise be held as long as this process lives."""

    def break_down() -> None:
        raise RuntimeError("no more room on screen")

    with pytest.raises(RuntimeError):
        doing.run("report_forever", then=break_down)
    assert doing.now().state is JobState.FAILED
    assert "no more room on screen" in doing.now().error


def test_what_a_job_logs_carries_its_id(doing: Doing, caplog: pytest.LogCaptureFixture) -> None:
    """The log of the service tells which song a line is about."""
    doing.run("tell_log")
    said = {record.getMessage(): vars(record).get("job") for record in caplog.records}
    assert said["It broke"] == doing.job.id


class _Counting(MemoryJobStore):
    """Notes each heartbeat, and can be made to have no room for them."""

    def __init__(self) -> None:
        super().__init__()
        self.beats: list[tuple[float, str | None, float | None]] = []
        self.is_full = False

    def heartbeat(self, job: Job, *, stage: str | None = None, share: float | None = None) -> None:
        self.beats.append((time.monotonic(), stage, share))
        if self.is_full:
            raise StorageError
        super().heartbeat(job, stage=stage, share=share)


@pytest.mark.parametrize("is_full", [False, True], ids=["stored", "no room"])
def test_progress_is_written_twice_a_second_at_most(workers: Workers, is_full: bool) -> None:
    """And when it cannot be written the work goes on."""
    store = _Counting()
    store.is_full = is_full
    doing = Doing(store, workers)
    cancel = threading.Event()

    def stop_after_two_beats() -> None:
        wait_until(lambda: len(store.beats) >= 2, within_s=10)
        cancel.set()

    watcher = threading.Thread(target=stop_after_two_beats)
    watcher.start()
    ended = doing.run("report_forever", cancel=cancel)
    watcher.join()
    assert ended.job.state is JobState.CANCELLED
    assert [beat[1:] for beat in store.beats[:2]] == [("long", 0.25)] * 2
    assert store.beats[1][0] - store.beats[0][0] >= 0.49


def test_the_same_request_is_queued_once(store: JobStore) -> None:
    """And told once, after the commit."""
    told: list[Event] = []
    first = submit_request(store, request(), "0" * 64, publish=told.append)
    again = submit_request(store, request(), "0" * 64, publish=told.append)
    assert first.is_new
    assert again.job == first.job
    assert told == [events.JobQueued(job_id=first.job.id, source="Night Drive.mp3", recipe="full")]


def test_a_claim_names_this_process(doing: Doing) -> None:
    """So that others see whether it lives."""
    claims: list[Worker] = []
    doing.run("report_forever", then=lambda: _note_claim_and_cancel(doing, claims))
    assert claims == [Worker(name="worker", process=this_process())]


def _note_claim_and_cancel(doing: Doing, claims: list[Worker]) -> None:
    claim = doing.store.claim_of(doing.job.id)
    assert claim is not None
    claims.append(claim.worker)
    doing.store.request_cancel(doing.job.id)


SERVICE = """
import sys
from pathlib import Path
from bridge.jobs import Workers, open_store, run_job
def tell(event):
    if event.kind == "job_note":
        print(event.text, flush=True)
store = open_store(Path(sys.argv[1]))
run_job(store, settings=None, workers=Workers(), publish=tell, target="bridge.testing.tasks:spin")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_job_survives_kill_9_of_the_service(
    store: JobStore, workers: Workers, tmp_path: Path, start: StartPython
) -> None:
    """Its worker ends, its claim is seen to be dead at once, the next process finishes it."""
    job = store.submit(request(), PRINT)
    service = start(SERVICE, tmp_path / "jobs.sqlite")
    child = int(line_of(service))
    assert store.release_orphans() == ()
    service.kill()
    service.communicate()
    assert [freed.id for freed in store.release_orphans()] == [job.id]
    wait_until(lambda: start_of(child) is None)
    ended = run_job(store, settings=None, workers=workers, target=f"{TASKS}:deliver")
    assert ended is not None
    assert (ended.job.id, ended.job.state, ended.job.attempt) == (job.id, JobState.SUCCESS, 2)


def test_an_abandoned_error_is_ours(doing: Doing) -> None:
    """Every failure that the caller gets has a class of stembridge."""
    assert isinstance(doing.run("break_unexpectedly").outcome.error, StageError)
