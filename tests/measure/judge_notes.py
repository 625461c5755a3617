"""Prints how well the notes of composed songs are found, on true stems and on the light separator's.

Run from the repository: ``python tests/measure/judge_notes.py CACHE [SONGS]``; a song takes 6 s the first
time. Judged are seeds from 0 on, 200 by default; nothing was fitted on them (fit_nets.py starts at 5,000).
A note is right where one of its pitch, or drum of its key, begins within 50 ms.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from note_songs import (
    Event,
    Score,
    Stems,
    events_of,
    matches,
    merged,
    scored,
    stems_of,
    true_events,
    true_notes,
)

from bridge.generate import PlayedNote
from bridge.measure.drumhits import hits_of_drums
from bridge.measure.notes import notes_of_melody
from bridge.music import Note
from bridge.values import Role

DRUM_NAMES = {
    36: "kick", 38: "snare", 42: "closed hat", 46: "open hat", 45: "low tom", 47: "middle tom",
    50: "high tom", 49: "crash", 51: "ride",
}  # fmt: skip
END_TOLERANCE_S, END_SHARE = 0.05, 0.2
"""An end is right within 50 ms or a fifth of the note (as mir_eval counts it)."""
FAMILIES = {36: 1, 38: 2, 42: 3, 46: 3, 45: 4, 47: 4, 50: 4, 49: 5, 51: 5}
"""Kick, snare, hats, toms, cymbals: the five classes that drum transcription is mostly judged in."""


class Table:
    """Scores by line of the table, songs of each line, and the time spent."""

    def __init__(self) -> None:
        self.scores: dict[str, list[Score]] = defaultdict(list)
        self.seconds: dict[str, float] = defaultdict(float)
        self.ends: dict[str, list[bool]] = defaultdict(list)
        self.velocities: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def add(self, line: str, true: Iterable[Event], found: Iterable[Event]) -> None:
        """One song's score; a song without such notes, true or found, does not count."""
        score = scored(list(true), list(found))
        if score.true or score.found:
            self.scores[line].append(score)

    def text(self) -> str:
        """Pooled F1, precision, recall, and the mean and worst song, line by line."""
        lines = [f"{'':44}{'F1':>7}{'prec.':>7}{'recall':>7}{'mean':>7}{'worst':>7}{'notes':>8}{'songs':>6}"]
        for name, scores in self.scores.items():
            total = sum(scores, Score())
            precision = total.right / max(1, total.found)
            recall = total.right / max(1, total.true)
            each = [score.f1 for score in scores]
            lines.append(
                f"{name:44}{total.f1:7.3f}{precision:7.3f}{recall:7.3f}{sum(each) / len(each):7.3f}"
                f"{min(each):7.3f}{total.true:8}{len(scores):6}"
            )
        for name, ends in self.ends.items():
            lines.append(f"{name}: {sum(ends) / len(ends):.0%} of the notes found end right")
        for name, pairs in self.velocities.items():
            correlation = np.corrcoef(np.array(pairs, float).T)[0, 1]
            lines.append(f"{name}: velocities found and true correlate by {correlation:.2f}")
        return "\n".join(lines)

    def compare(self, line: str, true: Sequence[PlayedNote], found: Sequence[Note]) -> None:
        """Ends and velocities of the notes that were found."""
        pairs = matches([(note.onset_s, note.pitch) for note in true], events_of(found))
        for one, other in ((true[place], found[index]) for place, index in pairs):
            late_s = other.end_s - one.onset_s - one.duration_s
            self.ends[line].append(abs(late_s) <= max(END_TOLERANCE_S, END_SHARE * one.duration_s))
            self.velocities[line].append((one.velocity, other.velocity))


def judge(song: Stems, table: Table) -> None:
    """All stems of one song."""
    for kind, files in (("true", song.played), ("separated", song.separated)):
        for role, path in files.items():
            true = true_events(song.truth, role)
            notes = _timed(role.value, table, _finder(role), path)
            found, name = events_of(notes), f"{role.value}, {kind} stems"
            table.add(name, true, found)
            if role is Role.DRUMS:
                table.add(f"{name}: five families", merged(true, FAMILIES), merged(found, FAMILIES))
                for key, drum in DRUM_NAMES.items():
                    table.add(f"{name}: {drum}", _of(key, true), _of(key, found))
            else:
                table.add(f"{name}: onsets alone", _of_any_pitch(true), _of_any_pitch(found))
                table.compare(name, true_notes(song.truth, role), notes)
                if kind == "true":
                    table.add(f"{name}: {song.truth.style}", true, found)


def _finder(role: Role) -> Callable[[Path], tuple[Note, ...]]:
    return hits_of_drums if role is Role.DRUMS else lambda path: notes_of_melody(path, role)


def _timed(
    name: str, table: Table, finder: Callable[[Path], tuple[Note, ...]], path: Path
) -> tuple[Note, ...]:
    start = time.process_time()
    notes = finder(path)
    table.seconds[name] += time.process_time() - start
    return notes


def _of(key: int, events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event[1] == key]


def _of_any_pitch(events: Iterable[Event]) -> list[Event]:
    return [(at, 0) for at, _ in events]


def main(cache: Path, count: int) -> None:
    """Judge and print."""
    table, heard_s = Table(), defaultdict[str, float](float)
    for seed in range(count):
        song = stems_of(seed, cache, with_separated=True)
        judge(song, table)
        for files in (song.played, song.separated):
            for role in files:
                heard_s[role.value] += song.truth.duration_s
    sys.stdout.write(f"{table.text()}\n\n")
    for role, seconds in table.seconds.items():
        sys.stdout.write(f"{role}: {heard_s[role] / seconds:.0f} times as fast as it plays, on one core\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200)
