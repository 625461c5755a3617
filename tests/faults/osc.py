"""``python -m tests.faults.osc``: the OSC door in a bad network, under nonsense, and against the clock.

--commands N: commands at 30% loss, 10% duplicates and reordering, with restarts of the service.
--fuzz N: mutated and random datagrams at a live door.
--latency N: ack and accepted while every core is busy.
"""

from __future__ import annotations

import argparse
import sys
import time


def main() -> int:
    """Run what was asked for; exit code 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.osc", description=__doc__)
    parser.add_argument("--commands", type=int, default=0)
    parser.add_argument("--fuzz", type=int, default=0)
    parser.add_argument("--latency", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    faults: list[str] = []
    if options.commands:
        from tests.faults.osc_trials import run_trials

        counts = run_trials(options.commands, options.seed, tell)
        tell(f"seed {options.seed}: {counts}")
        faults += counts.faults()
    if options.fuzz:
        from tests.faults.osc_fuzz import fuzz_by_socket

        found = fuzz_by_socket(options.fuzz, options.seed, tell)
        tell(f"seed {options.seed}: {found}")
        faults += found.faults
    if options.latency:
        from tests.faults.osc_latency import measure

        tell(str(measure(options.latency)))
    for fault in faults:
        tell(fault)
    return 1 if faults else 0


def tell(line: str) -> None:
    """One line, with the time."""
    print(time.strftime("%H:%M:%S"), line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
