"""``python -m tests.faults --trials N --seed S``: many seeded kills, with counts at the end."""

from __future__ import annotations

import argparse
import sys

from tests.faults.trials import run_trials


def main() -> int:
    """Run the trials; exit code 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", type=float, default=5.0, help="seconds that an undisturbed command takes")
    options = parser.parse_args()

    def tell(line: str) -> None:
        print(line, flush=True)  # noqa: T201

    counts = run_trials(options.trials, options.seed, options.whole, tell)
    tell(str(counts))
    return 1 if counts.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
