"""Drives the real service through full, read-only, locked and torn storage, power cuts and clock jumps.

``python -m tests.faults.storage --trials 150 --seed 5`` counts; ``--trial 17`` with the same seed plays one
again and keeps its files. ``--kind "power cut"`` plays that kind alone. Disks need Linux and root.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.storage_kinds import KINDS, Trial
from tests.faults.storage_scene import Counts


def kind_of(number: int, seed: int, kinds: list[str]) -> str:
    """Every kind comes as often as any other; in which order, the seed says."""
    turn = [*kinds]
    random.Random(f"{seed}/{number // len(kinds)}").shuffle(turn)
    return turn[number % len(kinds)]


def run_trial(kind: str, number: int, seed: int, counts: Counts, *, keep: bool = False) -> None:
    """Play one, in a folder of its own."""
    root = Path(tempfile.mkdtemp(prefix="stembridge-storage-"))
    try:
        KINDS[kind][0](Trial(root, seed, kind, number, counts))
    except Exception as error:
        counts.wrong_states.append(f"{kind} {number}: {type(error).__name__}: {error}")
    finally:
        counts.trials += 1
        if not keep:
            shutil.rmtree(root, ignore_errors=True)


def run_trials(
    numbers: Iterable[int],
    seed: int,
    tell: Callable[[str], None],
    *,
    kinds: list[str] | None = None,
    at_once: int = 1,
    keep: bool = False,
) -> Counts:
    """The trials of these numbers; faults are told as they are found, and kinds that are left out."""
    playable = _playable(kinds or [*KINDS], tell)
    counts, played, told, lock = Counts(), Counter[str](), set[str](), threading.Lock()

    def one(number: int) -> None:
        kind = kind_of(number, seed, playable)
        run_trial(kind, number, seed, counts, keep=keep)
        with lock:
            played[kind] += 1
            for fault in counts.faults():
                if fault not in told:
                    tell(fault)
            told.update(counts.faults())
            if counts.trials % 10 == 0:
                tell(str(counts))

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, numbers))
    tell(", ".join(f"{kind} {count}" for kind, count in sorted(played.items())))
    return counts


def _playable(kinds: list[str], tell: Callable[[str], None]) -> list[str]:
    found = []
    for kind in kinds:
        if why := KINDS[kind][1]():
            tell(f"left out: {kind} ({why})")
        else:
            found.append(kind)
    return found


def main() -> int:
    """Run the trials; exit code 1 where anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storage", description=__doc__)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trial", type=int, default=None, help="replay this one alone, keeping its files")
    parser.add_argument("--kind", action="append", choices=[*KINDS], help="this kind alone")
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    numbers = range(options.trials) if options.trial is None else range(options.trial, options.trial + 1)

    def tell(line: str) -> None:
        print(line, flush=True)  # noqa: T201

    counts = run_trials(
        numbers,
        options.seed,
        tell,
        kinds=options.kind,
        at_once=options.at_once,
        keep=options.trial is not None,
    )
    tell(str(counts))
    return 1 if counts.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
