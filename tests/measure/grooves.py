"""Drum patterns of known tempo, with synthetic drums."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bridge.audio import Audio

RATE_HZ = 22_050
STEPS = 16
Lines = dict[str, str]


def _lines(kick: str, snare: str, hat: str) -> Lines:
    return {"kick": kick, "snare": snare, "hat": hat}


GROOVES: dict[str, tuple[tuple[float, float], Lines]] = {
    "rock": ((80, 160), _lines("X.......X.......", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "rock 2": ((80, 150), _lines("X.....X.X.......", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "pop": ((85, 135), _lines("X..X..X.X.X.....", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "disco": ((105, 135), _lines("X...X...X...X...", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "house": ((112, 135), _lines("X...X...X...X...", "....x.......x...", "..x...x...x...x.")),
    "techno": ((120, 145), _lines("X...X...X...X...", ".", "..x...x...x...x.")),
    "sixteenths": ((80, 126), _lines("X.....X...X.....", "....X.......X...", "xxxxxxxxxxxxxxxx")),
    "hip-hop": ((72, 102), _lines("X..X...X.X......", "....X.......X...", "x.x.x.x.x.xxx.x.")),
    "break": ((155, 180), _lines("X.........X.....", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "two-step": ((160, 178), _lines("X.........X.....", "....X.......X..x", "x.xxx.x.x.xxx.x.")),
    "punk": ((150, 190), _lines("X.....X.X.....X.", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "ballad": ((60, 84), _lines("X.........X.....", "....X.......X...", "x.x.x.x.x.x.x.x.")),
    "shuffle": ((80, 140), _lines("X...X...X...X...", "....X.......X...", "x..xx..xx..xx..x")),
}
"""Usual tempos and a bar of sixteenths of each; there, in 4/4, nobody would count half or double."""


def played(lines: Lines, tempo_bpm: float, bars: int, *, kit: int = 0) -> Audio:
    """The pattern, mono, a little noise under it; ``kit`` draws the sounds."""
    step_s = 60 / tempo_bpm / 4
    wave = np.random.default_rng(2).normal(0, 0.001, round((STEPS * bars * step_s + 1) * RATE_HZ))
    for name, line in lines.items():
        hit = _drum(name, np.random.default_rng(kit))
        marks = line.ljust(STEPS, ".") if len(line) <= STEPS else line
        for step in range(STEPS * bars):
            mark = marks[step % len(marks)]
            if mark != ".":
                start = round(step * step_s * RATE_HZ)
                wave[start : start + len(hit)] += hit * (1.0 if mark == "X" else 0.7)
    return Audio(samples=np.asarray(wave[None], np.float32), rate_hz=RATE_HZ)


def varied(lines: Lines, draw: np.random.Generator) -> Lines:
    """The pattern with single strokes left out or added, differently in each of four bars."""
    return {
        name: "".join(_varied(line.ljust(STEPS, "."), name, draw) for _ in range(4))
        for name, line in lines.items()
    }


def _varied(bar: str, name: str, draw: np.random.Generator) -> str:
    added = {"kick": 0.04, "snare": 0.015, "hat": 0.04}[name]
    return "".join(
        ("x" if draw.random() < added else ".") if mark == "." else ("." if draw.random() < 0.06 else mark)
        for mark in bar
    )


def _drum(name: str, draw: np.random.Generator) -> NDArray[np.float64]:
    time_s = np.arange(int(0.25 * RATE_HZ)) / RATE_HZ
    hiss = draw.normal(size=len(time_s))
    if name == "kick":
        sweep = draw.uniform(45, 65) * time_s + draw.uniform(0.2, 1.0) * (1 - np.exp(-time_s * 60))
        return draw.uniform(0.5, 0.9) * np.sin(2 * np.pi * sweep) * np.exp(-time_s * draw.uniform(12, 30))
    if name == "snare":
        body = np.sin(2 * np.pi * draw.uniform(160, 240) * time_s)
        return (draw.uniform(0.1, 0.3) * hiss + 0.2 * body) * np.exp(-time_s * draw.uniform(15, 35))
    return draw.uniform(0.03, 0.12) * np.diff(hiss, prepend=0) * np.exp(-time_s * draw.uniform(50, 110))
