"""Job functions that do to a worker process what jobs can do to it: finish, wait, break, crash, end it."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from bridge.errors import AudioError, EngineError, InputError, QaError
from bridge.events import Event, JobNote, JobProgress, QaRetryEnded, QaRetryStarted, StageDone, StageStarted
from bridge.values import Delivery, Job

Report = Callable[[Event], None]


def deliver(job: Job, settings: object, report: Report) -> Delivery:
    """Two stages with progress, then a delivery that names the process and the settings."""
    for place, stage in enumerate(("first", "second")):
        report(StageStarted(job_id=job.id, stage=stage))
        report(JobProgress(job_id=job.id, stage=stage, share=place / 2))
        report(StageDone(job_id=job.id, stage=stage, key=f"{stage}-key", seconds=0.5))
    report(JobProgress(job_id=job.id, stage="second", share=1.0))
    return _delivery(job, settings=repr(settings))


def retry_qa(job: Job, _settings: object, report: Report) -> Delivery:
    """A delivery after one QA retry."""
    report(QaRetryStarted(job_id=job.id, retry=1, reasons=("too loud",)))
    report(QaRetryEnded(job_id=job.id, retry=1))
    return _delivery(job)


def retry_qa_slowly(job: Job, settings: object, report: Report) -> Delivery:
    """Stages, a QA retry and a delivery, over a second or so."""
    report(StageStarted(job_id=job.id, stage="first"))
    for step in range(20):
        report(JobProgress(job_id=job.id, stage="first", share=step / 20))
        time.sleep(0.02)
    report(StageDone(job_id=job.id, stage="first", key="first-key"))
    return retry_qa(job, settings, report)


def fail_in_retry(job: Job, _settings: object, report: Report) -> NoReturn:
    """Fails while a QA retry is on, after the stems were delivered."""
    report(QaRetryStarted(job_id=job.id, retry=1, reasons=("too loud",)))
    raise QaError("The master is too loud; wanted -14 LUFS. Lower the target.", _delivery(job))


def report_forever(job: Job, _settings: object, report: Report) -> NoReturn:
    """Computes and reports until it is cancelled, as a well-behaved stage does."""
    report(StageStarted(job_id=job.id, stage="long"))
    while True:
        report(JobProgress(job_id=job.id, stage="long", share=0.25))
        time.sleep(0.001)


def spin(job: Job, _settings: object, report: Report) -> NoReturn:
    """Tells its process, then computes without ever looking up."""
    report(StageStarted(job_id=job.id, stage="deaf"))
    report(JobNote(job_id=job.id, stage="deaf", text=str(os.getpid())))
    while True:
        sum(range(10_000))


def start_engine_and_spin(job: Job, _settings: object, report: Report) -> NoReturn:
    """Starts a process of its own, tells the numbers of both, then computes without ever looking up."""
    engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report(JobNote(job_id=job.id, stage="engine", text=f"{os.getpid()} {engine.pid}"))
    while True:
        sum(range(10_000))


def start_engine_and_crash(job: Job, _settings: object, report: Report) -> NoReturn:
    """Starts a process of its own, tells its number, and is gone."""
    engine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    report(JobNote(job_id=job.id, stage="engine", text=str(engine.pid)))
    os._exit(1)


def refuse_input(job: Job, _settings: object, _report: Report) -> NoReturn:
    """An error of ours."""
    raise InputError(f"{job.request.source.name} is empty (0 bytes); wanted a song. Export it again.")


def break_unexpectedly(_job: Job, _settings: object, _report: Report) -> NoReturn:
    """An error that nobody foresaw."""
    raise ZeroDivisionError("the sixth of nothing")


def fill_disk(_job: Job, _settings: object, _report: Report) -> NoReturn:
    """Writes to the device that is always full (Linux)."""
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    raise AssertionError("/dev/full took a byte")


def fill_disk_in_other_words(_job: Job, _settings: object, _report: Report) -> NoReturn:
    """As parts do that have words of their own for it, and as a separator that uses one of them."""
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as cause:
            raise AudioError("vocals.wav could not be written. Free some space.") from cause
    except AudioError as cause:
        raise EngineError("The song could not be separated: vocals.wav could not be written.") from cause


def break_engine(job: Job, _settings: object, report: Report) -> NoReturn:
    """An error that may pass."""
    report(StageStarted(job_id=job.id, stage="separate"))
    raise EngineError("The separator ended by itself.")


def break_engine_once(job: Job, settings: object, report: Report) -> Delivery:
    """An error that has passed when it is tried again."""
    if job.attempt == 1:
        break_engine(job, settings, report)
    return deliver(job, settings, report)


def run_out_of_memory(_job: Job, _settings: object, _report: Report) -> NoReturn:
    """Asks for more memory than there can be."""
    bytearray(1 << 62)
    raise AssertionError("the memory was there")


def leave(_job: Job, _settings: object, _report: Report) -> NoReturn:
    """What engines do that were written as commands."""
    sys.exit(1)


def leave_at_once(job: Job, _settings: object, report: Report) -> NoReturn:
    """What native libraries do: the interpreter never hears of it."""
    report(StageStarted(job_id=job.id, stage="native"))
    os._exit(3)


def be_killed(job: Job, _settings: object, report: Report) -> NoReturn:
    """As the system does when memory runs out."""
    report(StageStarted(job_id=job.id, stage="greedy"))
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def crash(job: Job, _settings: object, report: Report) -> NoReturn:
    """Reads where no memory is."""
    report(StageStarted(job_id=job.id, stage="native"))
    ctypes.string_at(0)
    raise AssertionError("still alive")


def chatter(job: Job, settings: object, report: Report) -> Delivery:
    """Prints as libraries do, also past Python, and reads what is not there."""
    print("a line on stdout", flush=True)  # noqa: T201 - what is tested is that it does no harm
    os.write(1, b"bytes on descriptor 1\n")
    os.write(2, b"bytes on descriptor 2\n")
    assert sys.stdin.read() == ""
    return deliver(job, settings, report)


def chatter_endlessly(job: Job, settings: object, report: Report) -> Delivery:
    """Writes more than any pipe holds."""
    for _ in range(64):
        os.write(2, b"x" * 65_536)
    return deliver(job, settings, report)


def flood(job: Job, _settings: object, report: Report) -> Delivery:
    """A hundred thousand steps of progress."""
    steps = 100_000
    for step in range(steps):
        report(JobProgress(job_id=job.id, stage="flood", share=step / steps))
    return _delivery(job)


def hold_memory(job: Job, _settings: object, _report: Report) -> Delivery:
    """Holds as many bytes at once as the recipe's name says."""
    block = b"\1" * int(job.request.recipe)
    return _delivery(job, length=len(block))


def swell(job: Job, _settings: object, report: Report) -> NoReturn:
    """Holds 300 MB for ever, half of it in a process of its own, and goes on telling how it gets on."""
    report(StageStarted(job_id=job.id, stage="greedy"))
    hold = "block = b'x' * 150_000_000; import time; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", hold])
    block = b"\1" * 150_000_000
    while True:
        report(JobProgress(job_id=job.id, stage="greedy", share=len(block) / 1e9))
        time.sleep(0.01)


def tell_log(job: Job, _settings: object, _report: Report) -> Delivery:
    """Logs as stages do, as libraries do, and an error with its traceback."""
    log = logging.getLogger("bridge.pipeline.trial")
    log.debug("hardly of interest")
    log.info("Stage %s: done in %.1f s", "mix", 2.5, extra={"action": "stage_done", "key": "mix-1"})
    log.warning("Another job's", extra={"job": "other", "path": Path("song.wav")})
    logging.getLogger("library").warning("a library's own affair")
    try:
        raise ZeroDivisionError("the sixth of nothing")
    except ZeroDivisionError:
        log.exception("It broke")
    return _delivery(job)


def tell_niceness(job: Job, _settings: object, _report: Report) -> Delivery:
    """How far the process steps back (POSIX)."""
    return _delivery(job, niceness=os.nice(0))


def tell_environment(job: Job, _settings: object, _report: Report) -> Delivery:
    """The environment, and which heavy modules were there before the job."""
    heavy = [name for name in ("numpy", "scipy", "sqlalchemy", "torch", "onnxruntime") if name in sys.modules]
    return _delivery(job, environment=dict(os.environ), heavy=heavy)


def return_nothing(_job: Job, _settings: object, _report: Report) -> None:
    """No delivery."""


def return_a_function(_job: Job, _settings: object, _report: Report) -> Callable[[], None]:
    """Something that cannot leave the process."""
    return lambda: None


def _delivery(job: Job, **figures: object) -> Delivery:
    facts = {"pid": os.getpid(), "attempt": job.attempt, **figures}
    return Delivery(folder=job.request.destination, files=(), main_figures=facts)
