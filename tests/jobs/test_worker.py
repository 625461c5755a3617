"""A worker process: whatever its task does, the parent gets an outcome, and nothing is left behind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import events
from bridge.errors import (
    DiskFullError,
    InputError,
    JobCancelled,
    JobHalted,
    LimitError,
    StageError,
    StembridgeError,
    WorkerDiedError,
)
from bridge.events import Event
from bridge.jobs import Limits, Outcome, WorkerProcess
from bridge.jobs.channel import Ending, Frame, Kind
from bridge.jobs.logs import _plain
from bridge.jobs.processes import start_of
from bridge.jobs.worker import _windows_flags
from bridge.values import Delivery, Job
from tests.jobs.support import ROOT, StartPython, line_of, request, wait_until

TASKS = "bridge.testing.tasks"
JOB = Job(id="1", request=request(), attempt=3, created_s=0, updated_s=0)
MIB = 1 << 20


@pytest.fixture(scope="module")
def warm() -> Iterator[WorkerProcess]:
    """One process for the tasks that leave their process whole."""
    with WorkerProcess(threads=1) as worker:
        yield worker


@pytest.fixture
def fresh() -> Iterator[WorkerProcess]:
    with WorkerProcess() as worker:
        yield worker


def run(worker: WorkerProcess, task: str, job: Job = JOB) -> Outcome:
    return worker.run(f"{TASKS}:{task}", job, "settings")


def test_a_task_runs_elsewhere_and_its_result_comes_back(warm: WorkerProcess) -> None:
    """With job, settings and attempt as they were given."""
    outcome = run(warm, "deliver")
    assert outcome.is_success
    delivery: Delivery = outcome.value
    assert delivery.main_figures == {"pid": warm.pid, "attempt": 3, "settings": "'settings'"}
    assert warm.pid != os.getpid()
    assert 0 < outcome.seconds < 30


def test_events_arrive_in_order_in_the_callers_thread(warm: WorkerProcess) -> None:
    """Each as it was reported."""
    heard: list[Event] = []
    threads = set()

    def listen(event: Event) -> None:
        heard.append(event)
        threads.add(threading.current_thread())

    warm.run(f"{TASKS}:deliver", JOB, None, on_event=listen)
    assert [e.kind for e in heard if not isinstance(e, events.JobProgress)] == [
        "stage_started",
        "stage_done",
    ] * 2
    last = events.JobProgress(job_id="1", stage="second", share=1.0)
    assert heard[-1] == last
    assert threads == {threading.current_thread()}


def test_a_worker_is_used_again(warm: WorkerProcess) -> None:
    """Also after a task that failed."""
    assert run(warm, "deliver").is_success
    assert not run(warm, "refuse_input").is_success
    assert run(warm, "deliver").value.main_figures["pid"] == warm.pid


def test_our_errors_come_back_as_they_were_raised(warm: WorkerProcess) -> None:
    """Class and message; the traceback goes to the log."""
    outcome = run(warm, "refuse_input")
    assert type(outcome.error) is InputError
    assert outcome.error.message == "Night Drive.mp3 is empty (0 bytes); wanted a song. Export it again."
    assert "in refuse_input" in outcome.log


FAULTS: dict[str, tuple[str, type[StembridgeError], str]] = {
    "an unforeseen error": ("break_unexpectedly", StageError, r"ZeroDivisionError: the sixth of nothing"),
    "no memory": ("run_out_of_memory", StageError, r"ran out of memory"),
    "sys.exit": ("leave", StageError, r"exit 1"),
    "a result that cannot travel": ("return_a_function", StageError, r"function.*cannot leave its process"),
    "an unknown function": ("no_such_task", StageError, r"no_such_task"),
}


@pytest.mark.parametrize(("task", "kind", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_in_the_task_leave_the_worker_whole(
    warm: WorkerProcess, task: str, kind: type[StembridgeError], message: str
) -> None:
    """Each is told by name, and the process takes the next task."""
    outcome = run(warm, task)
    assert type(outcome.error) is kind
    with pytest.raises(kind, match=message):
        raise outcome.error
    assert warm.is_alive


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the full device is Linux's")
def test_a_full_disk_is_told_as_such(warm: WorkerProcess) -> None:
    """Whatever code met it."""
    with pytest.raises(DiskFullError, match="disk is full"):
        raise run(warm, "fill_disk").error or AssertionError


def test_a_full_disk_is_one_in_whatever_words_it_is_told(warm: WorkerProcess) -> None:
    """Also when a separator tells it for a file that could not be written; its words stay."""
    error = run(warm, "fill_disk_in_other_words").error
    assert type(error) is DiskFullError
    assert error.message == "The song could not be separated: vocals.wav could not be written."


DEATHS = {
    "killed": ("be_killed", r"ended by SIGKILL in the stage greedy.*memory runs out"),
    "segmentation fault": ("crash", r"ended by SIGSEGV in the stage native"),
    "exit code": ("leave_at_once", r"ended with exit code 3 in the stage native"),
}


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize(("task", "message"), DEATHS.values(), ids=DEATHS)
def test_a_death_is_an_outcome_that_names_it(fresh: WorkerProcess, task: str, message: str) -> None:
    """With the stage in which it happened; never a hang."""
    outcome = run(fresh, task)
    with pytest.raises(WorkerDiedError, match=message):
        raise outcome.error or AssertionError
    assert outcome.was_taken
    assert not fresh.is_alive


def test_what_a_crash_wrote_is_in_the_log(fresh: WorkerProcess) -> None:
    """The interpreter's own account of a segmentation fault."""
    assert "in crash" in run(fresh, "crash").log


def test_a_dead_worker_says_so_again_and_again(fresh: WorkerProcess) -> None:
    """A task for it was not taken, and may go to another."""
    fresh.kill()
    for _ in range(2):
        outcome = run(fresh, "deliver")
        assert not outcome.was_taken
        assert isinstance(outcome.error, StageError)


def test_prints_of_the_task_do_no_harm(warm: WorkerProcess) -> None:
    """Neither Python's nor those of native code, nor reading the standard input."""
    assert run(warm, "chatter").is_success


def test_more_noise_than_a_pipe_holds_does_not_block(warm: WorkerProcess) -> None:
    """And the log keeps the end of it only."""
    outcome = run(warm, "chatter_endlessly")
    assert outcome.is_success
    assert 0 < len(outcome.log) <= 2 * 65_536


def test_a_flood_of_progress_is_thinned(warm: WorkerProcess) -> None:
    """A hundred thousand steps arrive as a few, and the job is not held up."""
    heard: list[Event] = []
    outcome = warm.run(f"{TASKS}:flood", JOB, None, on_event=heard.append)
    assert outcome.is_success
    assert 1 <= len(heard) <= outcome.seconds / 0.05 + 1


def test_memory_is_the_tasks_own_peak(warm: WorkerProcess) -> None:
    """A small task after a big one does not report the big one's."""
    big = run(warm, "hold_memory", JOB.evolve(request=request(recipe=str(200 * MIB))))
    small = run(warm, "hold_memory", JOB.evolve(request=request(recipe=str(MIB))))
    assert big.peak_bytes is not None
    assert small.peak_bytes is not None
    assert 200 * MIB < big.peak_bytes < 300 * MIB
    if sys.platform == "linux":
        assert small.peak_bytes < 150 * MIB


def test_the_environment_stands_before_anything_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting threads sleep, counts are set, what the user chose stays."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with WorkerProcess(threads=3) as worker:
        figures = run(worker, "tell_environment").value.main_figures
    wanted = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "3"}
    assert {name: figures["environment"].get(name) for name in wanted} == wanted
    assert figures["heavy"] == []


def cancelled_after_first_event(worker: WorkerProcess, task: str) -> tuple[Outcome, float, list[Event]]:
    """The outcome, the seconds that the cancel took, and the events."""
    cancel, heard = threading.Event(), list[Event]()
    asked_s = 0.0

    def listen(event: Event) -> None:
        nonlocal asked_s
        heard.append(event)
        if isinstance(event, events.JobProgress | events.JobNote) and not cancel.is_set():
            cancel.set()
            asked_s = time.monotonic()

    outcome = worker.run(f"{TASKS}:{task}", JOB, None, on_event=listen, cancel=cancel)
    return outcome, time.monotonic() - asked_s, heard


def test_a_task_that_reports_is_cancelled_by_its_report(warm: WorkerProcess) -> None:
    """It can tidy up, and its process stays."""
    outcome, took_s, _ = cancelled_after_first_event(warm, "report_forever")
    assert isinstance(outcome.error, JobCancelled)
    assert took_s < 0.5
    assert run(warm, "deliver").is_success


def test_a_task_that_never_looks_up_is_killed_within_a_second(fresh: WorkerProcess) -> None:
    """Busy code does not hold a cancel up."""
    outcome, took_s, _ = cancelled_after_first_event(fresh, "spin")
    assert outcome.is_cancelled
    assert took_s < 1.0
    wait_until(lambda: start_of(fresh.pid) is None)


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_engines_end_with_the_worker(fresh: WorkerProcess) -> None:
    """What the task started does not go on alone."""
    _, _, heard = cancelled_after_first_event(fresh, "start_engine_and_spin")
    numbers = next(event.text for event in heard if isinstance(event, events.JobNote)).split()
    wait_until(lambda: not any(start_of(int(number)) for number in numbers))


@pytest.mark.skipif(os.name == "nt", reason="process groups are POSIX")
def test_engines_end_with_a_worker_that_crashed(fresh: WorkerProcess) -> None:
    """Nobody killed it, so nobody killed what it started either: that is done when its end is seen."""
    heard: list[Event] = []
    outcome = fresh.run(f"{TASKS}:start_engine_and_crash", JOB, None, on_event=heard.append)
    assert isinstance(outcome.error, StageError)
    assert isinstance(heard[0], events.JobNote)
    engine = int(heard[0].text)
    wait_until(lambda: start_of(engine) is None)


def test_a_cancel_before_the_start_holds(warm: WorkerProcess) -> None:
    """The task ends at its first report."""
    cancel = threading.Event()
    cancel.set()
    outcome = warm.run(f"{TASKS}:report_forever", JOB, None, cancel=cancel)
    assert outcome.is_cancelled


def test_a_cancel_is_for_one_task(warm: WorkerProcess) -> None:
    """The next one on the same process is not touched."""
    cancelled_after_first_event(warm, "report_forever")
    assert run(warm, "deliver").is_success


@pytest.mark.parametrize("fault", [KeyboardInterrupt, RuntimeError])
def test_a_fault_in_the_parent_ends_the_task(fresh: WorkerProcess, fault: type[BaseException]) -> None:
    """Nobody would take its result."""

    def listen(_event: Event) -> None:
        raise fault

    with pytest.raises(fault):
        fresh.run(f"{TASKS}:report_forever", JOB, None, on_event=listen)
    wait_until(lambda: start_of(fresh.pid) is None)


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_an_interrupt_is_the_parents_to_decide(fresh: WorkerProcess) -> None:
    """Ctrl-C that reaches the worker changes nothing there: the task goes on until it is cancelled."""
    cancel, heard = threading.Event(), list[Event]()

    def hit(event: Event) -> None:
        heard.append(event)
        if len(heard) == 2:
            os.kill(fresh.pid, signal.SIGINT)
        if len(heard) == 6:
            cancel.set()

    outcome = fresh.run(f"{TASKS}:report_forever", JOB, None, on_event=hit, cancel=cancel)
    assert outcome.is_cancelled
    assert len(heard) >= 6
    assert run(fresh, "deliver").is_success


@pytest.mark.parametrize("task", ["report_forever", "spin"])
def test_a_halt_kills_at_once(fresh: WorkerProcess, task: str) -> None:
    """Nobody waits for the task to tidy up: its finished stages are kept anyhow."""
    halt = threading.Event()
    halted_s: list[float] = []

    def stop(event: Event) -> None:
        if isinstance(event, events.JobProgress | events.JobNote) and not halt.is_set():
            halted_s.append(time.monotonic())
            halt.set()

    outcome = fresh.run(f"{TASKS}:{task}", JOB, None, on_event=stop, halt=halt)
    assert time.monotonic() - halted_s[0] < 0.5
    assert type(outcome.error) is JobHalted
    assert outcome.is_halted
    wait_until(lambda: start_of(fresh.pid) is None)


def test_a_cancel_that_was_passed_on_stays_one_in_a_halt(fresh: WorkerProcess) -> None:
    """The job ends; it is not put back."""
    cancel, halt = threading.Event(), threading.Event()

    def stop(event: Event) -> None:
        if isinstance(event, events.JobNote):
            cancel.set()
            threading.Timer(0.15, halt.set).start()

    outcome = fresh.run(f"{TASKS}:spin", JOB, None, on_event=stop, cancel=cancel, halt=halt)
    assert outcome.is_cancelled


LIMITS = {
    "memory, with what it started": (
        "swell",
        Limits(memory_bytes=250_000_000),
        r"stage greedy took 0\.\d+ GB of memory; a job may take 0\.25 GB",
    ),
    "silence": ("spin", Limits(stall_s=0.2), r"stage deaf made no progress for 0\.2 s"),
    "a stage": ("report_forever", Limits(stage_limit_s=0.2), r"stage long took longer than 0\.2 s"),
}


@pytest.mark.parametrize(("task", "limits", "message"), LIMITS.values(), ids=LIMITS)
def test_a_task_that_passes_a_limit_is_killed(
    fresh: WorkerProcess, task: str, limits: Limits, message: str
) -> None:
    """Told with the stage, the figure and the setting; the process is gone."""
    outcome = fresh.run(f"{TASKS}:{task}", JOB, None, limits=limits)
    with pytest.raises(LimitError, match=message):
        raise outcome.error or AssertionError
    wait_until(lambda: start_of(fresh.pid) is None)


def test_a_task_within_its_limits_is_left_alone(warm: WorkerProcess) -> None:
    """All three set, none passed."""
    limits = Limits(memory_bytes=1_000_000_000, stall_s=60, stage_limit_s=60)
    assert warm.run(f"{TASKS}:deliver", JOB, None, limits=limits).is_success


def test_what_a_task_logs_is_logged_here(warm: WorkerProcess, caplog: pytest.LogCaptureFixture) -> None:
    """With level, text, action and job; what it says of itself stands."""
    with caplog.at_level("INFO", logger="bridge"):
        warm.run(f"{TASKS}:tell_log", JOB, None, about={"job": "1"})
    lines = [(r.name, r.levelname, r.getMessage(), vars(r).get("job")) for r in caplog.records]
    name = "bridge.pipeline.trial"
    assert lines == [
        (name, "INFO", "Stage mix: done in 2.5 s", "1"),
        (name, "WARNING", "Another job's", "other"),
        (name, "ERROR", "It broke", "1"),
    ]
    first, second, third = caplog.records
    assert (vars(first)["action"], vars(first)["key"]) == ("stage_done", "mix-1")
    assert vars(second)["path"] == "song.wav"
    assert "ZeroDivisionError: the sixth of nothing" in caplog.text
    assert "in tell_log" in (third.exc_text or "")


def test_a_task_logs_from_the_level_on_that_counts_here(
    warm: WorkerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """It is asked with each task, since settings change."""
    for level, count in (("ERROR", 1), ("DEBUG", 4), ("WARNING", 2)):
        caplog.clear()
        with caplog.at_level(level, logger="bridge"):
            warm.run(f"{TASKS}:tell_log", JOB, None)
        assert len(caplog.records) == count


@pytest.mark.skipif(os.name == "nt", reason="Windows has classes of priority")
def test_workers_step_back() -> None:
    """As far as asked, behind what this process is."""
    with WorkerProcess(niceness=3) as worker:
        assert run(worker, "tell_niceness").value.main_figures["niceness"] == min(19, os.nice(0) + 3)


@pytest.mark.parametrize(("niceness", "flags"), [(0, 3), (10, 7), (15, 11)])
def test_workers_step_back_on_windows(monkeypatch: pytest.MonkeyPatch, niceness: int, flags: int) -> None:
    """By a class of priority; always with a group of their own, and without a window."""
    names = [
        "CREATE_NEW_PROCESS_GROUP",
        "CREATE_NO_WINDOW",
        "BELOW_NORMAL_PRIORITY_CLASS",
        "IDLE_PRIORITY_CLASS",
    ]
    for place, name in enumerate(names):
        monkeypatch.setattr(subprocess, name, 1 << place, raising=False)
    assert _windows_flags(niceness) == flags


def test_what_crosses_with_a_log_record_is_plain() -> None:
    """A class of a library would be imported on the other side, which is a service that must stay small."""

    class Loud(float):
        """As NumPy's numbers are."""

    class Name(str):
        """As enumerations are."""

    values = [None, True, 3, 2.5, "mix", Loud(-14.0), Name("vocals"), Path("a.wav"), [1]]
    plain = [_plain(value) for value in values]
    assert plain == [None, True, 3, 2.5, "mix", -14.0, "vocals", "a.wav", "[1]"]
    assert {type(value) for value in plain} == {type(None), bool, int, float, str}


PARENT = """
import sys
from bridge.jobs import WorkerProcess
from tests.jobs.test_worker import JOB, TASKS
worker = WorkerProcess()
def tell(event):
    if event.kind == "job_note":
        print(event.text, flush=True)
worker.run(f"{TASKS}:" + sys.argv[1], JOB, None, on_event=tell)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("task", ["spin", "start_engine_and_spin"])
def test_no_orphan_outlives_a_killed_parent(start: StartPython, task: str) -> None:
    """kill -9 of the parent ends the worker, busy as it is, and what it started."""
    parent = start(PARENT, task)
    children = [int(number) for number in line_of(parent).split()]
    assert all(start_of(child) for child in children)
    parent.kill()
    parent.communicate()
    took_s = wait_until(lambda: not any(start_of(child) for child in children))
    assert took_s < 2.0


def test_an_idle_worker_ends_by_itself() -> None:
    """After its time, so that a service at rest holds no memory."""
    with WorkerProcess(keep_alive_s=0.05) as worker:
        assert run(worker, "deliver").is_success
        wait_until(lambda: not worker.is_alive)


def test_files_in_the_working_folder_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A producer's folder may hold a json.py."""
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    with WorkerProcess() as worker:
        assert run(worker, "deliver").is_success


def test_the_worker_imports_no_main_module(tmp_path: Path) -> None:
    """A script without a guard around its start does not start again in each worker."""
    script = tmp_path / "script.py"
    code = PARENT.replace("import sys", f"import sys; sys.path.insert(0, {str(ROOT)!r}); print('main')", 1)
    script.write_text(code.replace("sys.argv[1]", "'deliver'"))

    ran = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout == "main\n"


def test_a_late_word_of_an_earlier_run_counts_for_nothing(warm: WorkerProcess) -> None:
    """Its end least of all: one song's delivery would be taken for another's."""
    stale = pickle.dumps(Ending(value="the delivery of another job"))
    warm._inbox.put(Frame(Kind.ENDED, -1, stale))
    assert isinstance(run(warm, "deliver").value, Delivery)
