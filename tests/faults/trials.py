"""Trials: a song whose command is killed one to three times at seeded moments, then left alone."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults.harness import STAGES, Counts, Kill, Scene, Victim


def random_kills(rng: random.Random, whole_s: float) -> list[Kill]:
    """Half of them in a stage that is chosen, half at any time."""
    return [_random_kill(rng, whole_s) for _ in range(rng.choice((1, 1, 2, 3)))]


def _random_kill(rng: random.Random, whole_s: float) -> Kill:
    victim = rng.choice(list(Victim))
    if rng.random() < 0.5:
        return Kill(victim=victim, stage=rng.choice(STAGES), after_s=rng.random() ** 2 * 0.4)
    return Kill(victim=victim, after_s=rng.random() * whole_s)


def run_trials(number: int, seed: int, whole_s: float, tell: Callable[[str], object]) -> Counts:
    """Run so many trials and count what went wrong."""
    counts = Counts()
    rng = random.Random(seed)
    for trial in range(number):
        kills = random_kills(rng, whole_s)
        before = len(counts.faults())
        with tempfile.TemporaryDirectory(prefix="stembridge-faults-") as folder:
            run_trial(Scene(Path(folder), counts), kills, f"trial {trial} of seed {seed}")
        told = ", ".join(f"{kill.victim} {kill.stage or 'any time'}+{kill.after_s:.2f} s" for kill in kills)
        tell(f"{trial + 1}/{number}: {told}: {'; '.join(counts.faults()[before:]) or 'well'}")
    return counts


def run_trial(scene: Scene, kills: list[Kill], what: str) -> None:
    """Kill the command so often; unless it was done before, give it once more; judge what there is."""
    is_done = any(scene.run_and_kill(kill) for kill in kills if not scene.is_done)
    if not is_done:
        scene.run_to_end()
    scene.judge(what)
