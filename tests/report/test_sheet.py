"""The chord sheet: every chord in its bar, a line for every section."""

from __future__ import annotations

import pytest

from bridge.music import Chord
from bridge.report import ReportData, Score, render_report
from bridge.report.sheet import chord_sheet
from tests.report import examples
from tests.report.test_page import Page

BARS_S = (0.5, 2.5, 4.5, 6.5)


def sheet(
    *chords: tuple[float, str], bars_s: tuple[float, ...] = BARS_S
) -> list[tuple[str, tuple[str, ...]]]:
    """Names and bars of the passages of a song in two sections that change at 4.5 s."""
    data: ReportData = examples.plain()
    first, second, _ = data.sections
    changed = data.evolve(
        sections=(first.evolve(start_s=0, end_s=4.5), second.evolve(start_s=4.5, end_s=8)),
        score=Score(
            bars_s=bars_s,
            chords=tuple(Chord(start_s=at_s, end_s=at_s + 1, name=name) for at_s, name in chords),
        ),
    )
    return [(passage.name, passage.bars) for passage in chord_sheet(changed)]


def test_each_chord_stands_in_the_bar_where_it_begins() -> None:
    """A bar without one goes on as before; one a hair early is of the bar that it is meant for."""
    assert sheet((0.5, "Am"), (4.45, "F"), (5.5, "G"), (6.5, "C")) == [
        ("A", ("Am", "%")),
        ("B", ("F G", "C")),
    ]


def test_a_section_that_begins_amid_a_chord_says_which() -> None:
    """Nobody has to look back a line."""
    assert sheet((0.5, "Am"), (2.5, "F")) == [("A", ("Am", "F")), ("B", ("F", "%"))]


def test_an_upbeat_is_of_the_first_bar() -> None:
    """And a chord that is told twice is one; where none is heard there is a dash."""
    chords = ((0.0, "E7"), (0.5, "Am"), (2.5, "Am"), (4.5, ""), (6.5, "Am"))
    assert sheet(*chords) == [("A", ("E7 Am", "%")), ("B", ("\N{EN DASH}", "Am"))]


@pytest.mark.parametrize("score", [None, Score(), Score(bars_s=(0, 2))])
def test_without_bars_or_chords_there_is_none(score: Score | None) -> None:
    """And with nothing written down, no part of the page."""
    data = examples.plain().evolve(score=score)
    assert chord_sheet(data) == []
    assert 'id="music"' not in render_report(data)


def test_the_page_says_how_much_was_written_down() -> None:
    """In words that count rightly."""
    words = Page(render_report(examples.plain())).words
    assert "5 bars of 4 beats." in words
    assert "F G7" in words
    for part in ("Vocals 41 notes", "Drums 1 hit", "Bass nothing heard"):
        assert part in words
