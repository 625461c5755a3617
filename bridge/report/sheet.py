"""The chords of a song as a sheet: bar by bar, a new line with every section."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby

from bridge.report.data import ReportData, Score
from bridge.report.words import clock

CLOSE_S = 0.08
"""A chord that begins this little before a bar is the bar's."""
AS_BEFORE = "%"
NO_CHORD = "\N{EN DASH}"


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The bars of a section; each holds its chords, or ``AS_BEFORE`` where the last one goes on."""

    name: str
    at: str
    bars: tuple[str, ...]


def chord_sheet(data: ReportData) -> list[Passage]:
    """The sheet; empty where no bars or no chords were heard."""
    score = data.score
    if score is None or not score.bars_s or not score.chords:
        return []
    starts_s = [section.start_s for section in data.sections]
    bars = zip(score.bars_s, _bars(score), strict=True)
    passages = groupby(bars, key=lambda bar: bisect_right(starts_s, bar[0] + CLOSE_S) - 1)
    return [_passage(data, place, list(found)) for place, found in passages]


def _bars(score: Score) -> list[list[str]]:
    """The chords that begin in each bar, those of an upbeat in the first."""
    bars: list[list[str]] = [[] for _ in score.bars_s]
    last = None
    for chord in score.chords:
        if chord.name != last:
            bar = max(0, bisect_right(score.bars_s, chord.start_s + CLOSE_S) - 1)
            bars[bar].append(chord.name or NO_CHORD)
        last = chord.name
    return bars


def _passage(data: ReportData, place: int, bars: list[tuple[float, list[str]]]) -> Passage:
    """One that begins amid a chord says which."""
    texts = [" ".join(names) or AS_BEFORE for _, names in bars]
    if texts[0] == AS_BEFORE:
        texts[0] = _sounding(data.score, bars[0][0]) if data.score else NO_CHORD
    name = data.sections[place].name if place >= 0 else ""
    return Passage(name=name, at=clock(bars[0][0]), bars=tuple(texts))


def _sounding(score: Score, time_s: float) -> str:
    """The chord that holds at a time."""
    begun = [chord for chord in score.chords if chord.start_s <= time_s + CLOSE_S]
    return (begun[-1].name if begun else "") or NO_CHORD
