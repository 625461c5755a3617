"""Warm workers: used again, replaced when they are gone."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator

import pytest

from bridge.errors import StageError, WorkerDiedError
from bridge.events import Event, StageStarted
from bridge.jobs import WorkerProcess, Workers
from bridge.jobs.processes import start_of
from tests.jobs.support import wait_until
from tests.jobs.test_worker import JOB, TASKS


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(keep_alive_s=30) as made:
        yield made


def pid_of_run(workers: Workers, task: str = "deliver") -> int:
    outcome = workers.run(f"{TASKS}:{task}", JOB, None)
    assert outcome.is_success
    pid: int = outcome.value.main_figures["pid"]
    return pid


def test_a_warm_worker_is_used_again(workers: Workers) -> None:
    """Two tasks one after the other share a process."""
    assert pid_of_run(workers) == pid_of_run(workers)


def test_tasks_at_once_have_a_process_each(workers: Workers) -> None:
    """A second thread does not wait for the first one's task."""
    is_running, cancel = threading.Event(), threading.Event()

    def occupy() -> None:
        def listen(_event: Event) -> None:
            is_running.set()

        workers.run(f"{TASKS}:report_forever", JOB, None, on_event=listen, cancel=cancel)

    thread = threading.Thread(target=occupy)
    thread.start()
    assert is_running.wait(10)
    assert pid_of_run(workers) > 0
    cancel.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_crash_costs_one_task_only(workers: Workers) -> None:
    """It is told, not tried again; the next task has a new process."""
    before = pid_of_run(workers)
    outcome = workers.run(f"{TASKS}:leave_at_once", JOB, None)
    assert isinstance(outcome.error, StageError)
    assert pid_of_run(workers) != before


def test_a_worker_that_died_while_idle_is_replaced(workers: Workers) -> None:
    """Whether that was noticed before the task was given or after."""
    worker, _ = workers._take()
    worker.run(f"{TASKS}:deliver", JOB, None)
    worker.kill()
    workers._idle.append(worker)  # as if it had died between the look and the task
    assert pid_of_run(workers) != worker.pid


def test_a_worker_that_dies_as_it_is_given_a_task_is_replaced(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time was over in that moment: the task was not begun, so another process does it."""
    worker, _ = workers._take()
    worker.run(f"{TASKS}:deliver", JOB, None)
    worker.kill()
    wait_until(lambda: start_of(worker.pid) is None)
    monkeypatch.setattr(workers, "_take", iter([(worker, True), workers._take()]).__next__)
    assert pid_of_run(workers) != worker.pid


def test_no_worker_is_kept_where_none_shall_be() -> None:
    """Time 0: one process for each task."""
    with Workers(keep_alive_s=0) as workers:
        first = pid_of_run(workers)
        assert start_of(first) is None
        assert pid_of_run(workers) != first


def test_close_ends_the_idle_ones() -> None:
    """Nothing is left."""
    workers = Workers(keep_alive_s=30)
    pid = pid_of_run(workers)
    workers.close()
    assert start_of(pid) is None


def test_a_worker_whose_run_was_given_up_is_used_no_more(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It seems alive for a moment after it was killed, and what it still says belongs to the other task."""
    pids: list[int] = []

    def break_down(_event: Event) -> None:
        raise RuntimeError("the listener")

    def take() -> tuple[WorkerProcess, bool]:
        worker, is_warm = Workers._take(workers)
        pids.append(worker.pid)
        return worker, is_warm

    monkeypatch.setattr(workers, "_take", take)
    monkeypatch.setattr(WorkerProcess, "is_alive", True)
    with pytest.raises(RuntimeError, match="the listener"):
        workers.run(f"{TASKS}:report_forever", JOB, None, on_event=break_down)
    heard: list[Event] = []
    assert workers.run(f"{TASKS}:deliver", JOB, None, on_event=heard.append).is_success
    assert pids[0] != pids[1]
    assert {event.stage for event in heard if isinstance(event, StageStarted)} == {"first", "second"}


def test_a_worker_that_cannot_be_started_is_an_outcome(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory, no more processes: that may pass."""

    def refuse(**_options: object) -> WorkerProcess:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("bridge.jobs.workers.WorkerProcess", refuse)
    outcome = workers.run(f"{TASKS}:deliver", JOB, None)
    assert isinstance(outcome.error, WorkerDiedError)
    assert "could be started (Resource temporarily unavailable)" in outcome.error.message
