"""Sections: songs put together from parts that differ in drums, chords or both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio import write_audio
from bridge.measure.sections import measure_sections, turns
from bridge.music import BeatGrid, Section

from .grooves import GROOVES, RATE_HZ, played
from .signals import audio, silence
from .test_harmony import note

BAR_S = 2.0
PARTS = {
    "verse": (("hip-hop", 0.3), (9, 5, 0, 7)),
    "chorus": (("disco", 1.0), (5, 7, 9, 9)),
    "bridge": (("ballad", 0.1), (2, 4, 2, 4)),
}
"""For each part its drums, how loud they are, and the roots of its chords."""


def part(name: str, bars: int) -> NDArray[np.float64]:
    """Some bars of a part, at 120 beats a minute."""
    (groove, level), roots = PARTS[name]
    frames = round(bars * BAR_S * RATE_HZ)
    chords = [sum(note(pitch + roots[bar % 4], BAR_S) for pitch in (48, 60, 64, 67)) for bar in range(bars)]
    drums = played(GROOVES[groove][1], 120, bars).samples[0, :frames]
    return np.asarray(level * drums + np.concatenate(chords), np.float64)


def grid(bars: int) -> BeatGrid:
    """Bars of four beats from the start on."""
    beats = tuple(float(beat) for beat in np.arange(0, bars * BAR_S, 0.5))
    return BeatGrid(tempo_bpm=120, confidence=1, beats_s=beats)


def sections(folder: Path, *parts: tuple[str, int], has_beats: bool = True) -> tuple[Section, ...]:
    """The sections found in a song of some parts."""
    song = np.concatenate([part(*each) for each in parts])
    write_audio(folder / "song.wav", audio(song[None], RATE_HZ))
    bars = sum(count for _, count in parts)
    return measure_sections(folder / "song.wav", grid(bars if has_beats else 0))


def test_a_song_falls_into_its_parts(tmp_path: Path) -> None:
    """Borders at the bar, and the same letters for the same parts."""
    found = sections(tmp_path, ("verse", 8), ("chorus", 8), ("verse", 8), ("bridge", 4), ("chorus", 8))
    assert [section.name for section in found] == ["A", "B", "A", "C", "B"]
    assert [section.start_s for section in found] == [0, 16, 32, 48, 56]
    assert found[-1].end_s == pytest.approx(72, abs=0.15)


@pytest.mark.parametrize("has_beats", [True, False])
def test_silence_around_a_song_is_no_part(has_beats: bool, tmp_path: Path) -> None:
    """It belongs to the first and the last one, which keep their letters and borders."""
    song = np.concatenate([part("verse", 8), part("chorus", 8), part("verse", 8)])
    quiet = np.zeros(round(10 * BAR_S * RATE_HZ))
    write_audio(tmp_path / "song.wav", audio(np.concatenate([quiet, song, quiet])[None], RATE_HZ))
    found = measure_sections(tmp_path / "song.wav", grid(44 if has_beats else 0))
    assert [section.name for section in found] == ["A", "B", "A"]
    assert [section.start_s for section in found] == pytest.approx([0, 36, 52], abs=0.01 if has_beats else 2)
    assert found[-1].end_s == pytest.approx(88, abs=0.2)


def test_a_sound_in_a_silent_minute_is_one_part(tmp_path: Path) -> None:
    """Silence does not fall into parts."""
    quiet = np.zeros(30 * RATE_HZ)
    write_audio(tmp_path / "song.wav", audio(np.concatenate([quiet, note(60, 1), quiet])[None], RATE_HZ))
    assert [section.name for section in measure_sections(tmp_path / "song.wav", grid(0))] == ["A"]


@pytest.mark.parametrize("at_s", [0.0, 3.9, 3.95, 4.0, 4.05, 9.8, 9.99])
@pytest.mark.parametrize("has_beats", [True, False])
def test_a_click_anywhere_is_one_part(at_s: float, has_beats: bool, tmp_path: Path) -> None:
    """At a border of bars and at the end, too; the first and last moment of a file may be no sound at all."""
    click = np.zeros(10 * RATE_HZ)
    click[round(at_s * RATE_HZ)] = 1
    write_audio(tmp_path / "song.wav", audio(click[None], RATE_HZ))
    found = measure_sections(tmp_path / "song.wav", grid(5 if has_beats else 0))
    assert [section.name for section in found] in (["A"], [])


def test_without_beats_parts_are_found_too(tmp_path: Path) -> None:
    """Within two seconds."""
    found = sections(tmp_path, ("verse", 8), ("chorus", 8), has_beats=False)
    assert [section.name for section in found] == ["A", "B"]
    assert found[1].start_s == pytest.approx(16, abs=2)


def test_a_song_without_a_turn_is_one_part(tmp_path: Path) -> None:
    """From its start to its end."""
    (only,) = sections(tmp_path, ("verse", 8))
    assert (only.start_s, only.name) == (0, "A")
    assert only.end_s == pytest.approx(16, abs=0.15)


@pytest.mark.parametrize("seconds", [0, 0.1, 5])
def test_silence_has_no_parts(seconds: float, tmp_path: Path) -> None:
    """Nor has nothing."""
    write_audio(tmp_path / "song.wav", silence(seconds))
    assert measure_sections(tmp_path / "song.wav", grid(2)) == ()


def test_phrases_stay_whole() -> None:
    """Of two bars that are as likely the one is taken that leaves even phrases."""
    evidence = np.full(16, -4.0)
    evidence[[7, 8]] = 2.0
    assert turns(evidence) == [0, 8]


def test_without_evidence_there_are_no_turns() -> None:
    """All bars are one part, however many."""
    assert turns(np.full(200, -3.0)) == [0]
    assert turns(np.full(1, -3.0)) == [0]
