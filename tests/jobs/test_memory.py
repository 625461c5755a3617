"""What processes hold in memory."""

from __future__ import annotations

import os

from bridge.jobs.memory import held_bytes
from tests.jobs.support import StartPython, line_of, output_of

HOLD = """
import subprocess, sys
block = b"x" * 100_000_000
child = subprocess.Popen([sys.executable, "-c", "b = b'x' * 100_000_000; print('held', flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print("held", flush=True)
input()
child.communicate(b"go")
"""


def test_memory_counts_what_a_process_started(start: StartPython) -> None:
    """Engines are processes of their own."""
    process = start(HOLD)
    assert line_of(process) == "held"
    held = held_bytes(process.pid)
    assert held is not None
    assert 200_000_000 < held < 300_000_000
    assert process.stdin is not None
    process.stdin.write("go\n")
    output_of(process)
    assert held_bytes(process.pid) is None


def test_this_process_holds_memory() -> None:
    """In bytes: an interpreter holds more than a megabyte, and less than all there is."""
    held = held_bytes(os.getpid())
    assert held is not None
    assert 1_000_000 < held < 1 << 40
