"""Metre and patterns: rhythms written as strings of steps, fitted to any time signature.

A pattern is written for bars of 4/4 in sixteenth steps, sixteen characters a bar: any character but "." and
"-" starts an event, "-" holds it on, "." rests. In other metres whole beats are taken out or said again; in
compound metres the four steps of a beat become long-short-short of its three eighths.
"""

from __future__ import annotations

from dataclasses import dataclass

STEPS = 4
_BEATS = {
    2: (0, 1),
    3: (0, 1, 3),
    4: (0, 1, 2, 3),
    5: (0, 1, 2, 0, 3),
    6: (0, 1, 2, 3, 2, 3),
    7: (0, 1, 2, 3, 0, 1, 3),
}


@dataclass(frozen=True, kw_only=True)
class Meter:
    """How many beats a bar has, and whether a beat falls into three (6/8) or two (4/4)."""

    beats: int
    is_compound: bool
    swing: float = 0.5
    """Where the off-step falls between two even ones: 0.5 is straight, 0.66 a shuffle."""

    @property
    def steps(self) -> int:
        """Steps in a bar."""
        return self.beats * STEPS

    def beat_at(self, step: int) -> float:
        """Where a step lies, in beats from the start of the bar."""
        beat, part = divmod(step, STEPS)
        if self.is_compound:
            return beat + (0.0, 1 / 3, 2 / 3, 5 / 6)[part]
        late = (self.swing - 0.5) * 0.5
        return beat + part / STEPS + (late if part % 2 else 0.0)


def meter_of(signature: tuple[int, int], swing: float = 0.5) -> Meter:
    """The metre of a time signature: the beat is a quarter in x/4, a dotted quarter in 6/8, 9/8 and 12/8."""
    count, unit = signature
    if unit == 8:
        return Meter(beats=count // 3, is_compound=True)
    return Meter(beats=count, is_compound=False, swing=swing)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that starts at a step of a bar and lasts."""

    step: int
    steps: int
    token: str


def bars_of(pattern: str, meter: Meter) -> list[str]:
    """The bars of a pattern, fitted to the metre: each of ``meter.steps`` characters."""
    clean = pattern.replace("|", "").replace(" ", "")
    return [_fit(clean[at : at + 16], meter) for at in range(0, len(clean), 16)]


def events_of(bar: str) -> list[Event]:
    """The events of one bar; a hold with nothing before it is a rest."""
    events: list[Event] = []
    for step, token in enumerate(bar):
        if token not in ".-":
            events.append(Event(step=step, steps=_held(bar, step), token=token))
    return events


def _held(bar: str, step: int) -> int:
    after = bar[step + 1 :]
    return 1 + len(after) - len(after.lstrip("-"))


def _fit(bar: str, meter: Meter) -> str:
    beats = [bar[at : at + STEPS] for at in range(0, 16, STEPS)]
    return "".join(beats[index] for index in _BEATS[meter.beats])
