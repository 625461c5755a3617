"""An engine's process: whatever it does, we are told in words, in time, and can go on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bridge.config import load_config
from bridge.engines.apart import EngineHost, Start, borrowed, close_all
from bridge.errors import EngineError, JobCancelled, is_disk_full
from bridge.jobs.memory import held_bytes

SETTINGS = load_config().engines.evolve(stall_s=20, memory_gb=4)
FOLDER = Path(__file__).with_name("naughty")


def start_of(**changes: float) -> Start:
    settings = SETTINGS.evolve(**changes)
    return Start(name="Naughty", python=Path(sys.executable), folder=FOLDER, threads=3, settings=settings)


@pytest.fixture
def host() -> Iterator[EngineHost]:
    with EngineHost(start_of()) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    close_all()


def test_it_answers_whatever_is_printed(host: EngineHost) -> None:
    """Prints do not reach the pipe; the folder is a package; progress is told; the process stays."""
    shares: list[float] = []
    first = host.ask("greet", {"song": "Nacht"}, shares.append)
    assert (first["greeting"], first["what"]) == ("good day", {"song": "Nacht"})
    assert 0.5 in shares
    assert host.ask("greet", {})["pid"] == first["pid"]


def test_nothing_of_ours_is_in_its_way(
    host: EngineHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither PYTHONPATH nor the folder it is started in leads its imports; threads wait passively."""
    ours, here = tmp_path / "ours", tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ours))
    monkeypatch.chdir(here)
    with EngineHost(start_of()) as fresh:
        assert not {"", ".", str(ours), str(here)} & set(fresh.ask("greet", {})["path"])
    assert host.ask("tell", {}) == {"threads": "3", "waits": "passive"}


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("refuse", "^Naughty: The song has no sound.$"),
        ("fail", "^Naughty: ValueError: wrong shape$"),
        ("nothing like it", "KeyError"),
    ],
)
def test_what_it_says_is_told_and_it_lives_on(verb: str, words: str, host: EngineHost) -> None:
    """A refusal is no crash."""
    with pytest.raises(EngineError, match=words):
        host.ask(verb, {})
    assert host.ask("greet", {})["greeting"] == "good day"


def test_a_full_disk_is_known_as_one(host: EngineHost) -> None:
    """It is no fault of the engine: the job waits instead of taking another one."""
    with pytest.raises(EngineError) as caught:
        host.ask("fill", {})
    assert is_disk_full(caught.value)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("leave", r"ended its process \(exit 1\) while it worked"),
        pytest.param(
            "crash",
            r"crashed \(SIGSEGV\) while it worked",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="no signals there"),
        ),
        ("garble", r"said what is not understood.*Downloading"),
        ("flood", "said what is not understood"),
    ],
)
def test_a_broken_engine_is_ended_and_named(verb: str, words: str, host: EngineHost) -> None:
    """With what it did; asked again, it says so at once and nobody hangs."""
    with pytest.raises(EngineError, match=words):
        host.ask(verb, {})
    assert not host.is_alive
    with pytest.raises(EngineError, match=r"ended its process|crashed"):
        host.ask("greet", {})


def test_one_that_says_nothing_is_ended() -> None:
    """After engines.stall_s."""
    with EngineHost(start_of(stall_s=1.5)) as host:
        host.ask("greet", {})
        with pytest.raises(EngineError, match=r"said nothing for 1.5 s.*engines\.stall_s"):
            host.ask("hang", {})
        assert not host.is_alive


def test_one_that_takes_too_much_memory_is_ended() -> None:
    """Before the machine stalls."""
    with (
        EngineHost(start_of(memory_gb=0.3)) as host,
        pytest.raises(EngineError, match=r"GB of memory.*0.3 GB is the most \(engines.memory_gb\)"),
    ):
        host.ask("grow", {})


def test_one_that_does_not_start_is_named(tmp_path: Path) -> None:
    """A folder without code, an interpreter that is not there."""
    with (
        EngineHost(
            Start(name="Gone", python=Path(sys.executable), folder=tmp_path, threads=1, settings=SETTINGS)
        ) as host,
        pytest.raises(
            EngineError, match=r"Gone ended its process \(exit 1\) while it was started: .*__init__"
        ),
    ):
        host.ask("greet", {})
    with pytest.raises(EngineError, match="Gone could not be started by"):
        EngineHost(
            Start(name="Gone", python=tmp_path / "python", folder=tmp_path, threads=1, settings=SETTINGS)
        )


def _cancel_after(share: float):  # type: ignore[no-untyped-def]
    def progress(done: float) -> None:
        if done >= share:
            raise JobCancelled

    return progress


def test_cancel_between_two_steps_keeps_it_warm(host: EngineHost) -> None:
    """It lets go at its next word, and serves the next request."""
    pid = host.ask("greet", {})["pid"]
    with pytest.raises(JobCancelled):
        host.ask("work", {}, _cancel_after(0.1))
    assert host.ask("greet", {})["pid"] == pid


def test_cancel_in_mid_step_takes_less_than_a_second(host: EngineHost) -> None:
    """One that computes on is ended."""
    host.ask("greet", {})
    started_s = time.monotonic()
    with pytest.raises(JobCancelled):
        host.ask("hang", {}, _cancel_after(0.25))
    assert time.monotonic() - started_s < 1.5
    assert not host.is_alive


def test_what_it_started_ends_with_it(host: EngineHost) -> None:
    """Its children, too."""
    pid = host.ask("breed", {})["pid"]
    host.close()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_ends_with_us() -> None:
    """However we ended: the end of the pipe is enough."""
    code = (
        "import os, sys; from pathlib import Path; from bridge.engines.apart import *; "
        "from tests.engines.apart.test_host import start_of; host = EngineHost(start_of()); "
        "print(host.ask('greet', {})['pid'], flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[3]
    )
    process = int(done.stdout)
    for _ in range(100):
        if not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    pytest.fail("the engine outlived the process that had started it by 5 s")


def test_its_memory_is_not_the_jobs(host: EngineHost) -> None:
    """It has a limit of its own: a large engine must not end the job for the job's limit."""
    host.ask("greet", {})
    own = psutil.Process().memory_info().rss
    assert held_bytes(psutil.Process().pid) == pytest.approx(own, rel=0.02)


def test_kept_warm_for_the_same_start_alone() -> None:
    """The next job finds it loaded; another engine takes its place."""
    with borrowed(start_of()) as first:
        pid = first.ask("greet", {})["pid"]
    with borrowed(start_of()) as second:
        assert second.ask("greet", {})["pid"] == pid
    with borrowed(start_of(stall_s=19)) as other:
        assert other.ask("greet", {})["pid"] != pid
    assert not first.is_alive


def test_ended_after_its_idle_time() -> None:
    """Memory is given back."""
    with borrowed(start_of(idle_s=0.2)) as host:
        host.ask("greet", {})
    for _ in range(100):
        if not host.is_alive:
            return
        time.sleep(0.05)
    pytest.fail("it was kept for 5 s; wanted 0.2 s")


def test_a_dead_one_is_not_kept() -> None:
    """The next job gets a fresh one."""
    with borrowed(start_of()) as host, pytest.raises(EngineError):
        host.ask("leave", {})
    with borrowed(start_of()) as fresh:
        assert fresh.ask("greet", {})["greeting"] == "good day"
