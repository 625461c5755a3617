"""How the service is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bridge.app import _Stop
from bridge.service.instance import StopWay


@pytest.mark.parametrize(
    "wishes", [(StopWay.NOW, StopWay.DRAIN), (StopWay.DRAIN, StopWay.NOW)], ids=["before", "after"]
)
def test_a_wish_to_end_at_once_wins_over_one_to_drain(wishes: tuple[StopWay, StopWay]) -> None:
    stop = _Stop()
    for wish in wishes:
        stop.ask(wish)
    assert stop.way is StopWay.NOW


@pytest.fixture
def hangup() -> Iterator[int]:
    if not hasattr(signal, "SIGHUP"):
        pytest.skip("this system knows no SIGHUP")
    before = signal.getsignal(signal.SIGHUP)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("is_ignored", [True, False], ids=["nohup", "a terminal"])
def test_a_terminal_that_closes_ends_the_service_unless_it_was_started_to_outlive_it(
    hangup: int, is_ignored: bool
) -> None:
    signal.signal(hangup, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    stop = _Stop()
    with stop.by_signals():
        os.kill(os.getpid(), hangup)
        assert stop.wait(0) is not is_ignored


def test_the_service_loads_nothing_heavy() -> None:
    """It neither computes nor decodes: what plugged-in commands and doors bring must not cost it memory."""
    script = (
        "import sys, bridge.app\n"
        "from bridge import registry\n"
        "from bridge.cli.app import _add_plugged_in_commands\n"
        "from bridge.service import doors\n"
        "_add_plugged_in_commands()\n"
        "[registry.load(doors.GROUP, name) for name in registry.names(doors.GROUP)]\n"
        "print([name for name in ('numpy', 'scipy', 'av', 'jinja2', 'pedalboard') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
