"""Chords: progressions played with overtones and a bass, on a grid."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio import Audio, write_audio
from bridge.errors import AudioError
from bridge.measure.chords import QUALITIES, measure_chords
from bridge.music import SHARPS, BeatGrid, Chord

from .signals import audio, silence
from .test_harmony import RATE_HZ, note

BAR_S = 2.0
GRID = BeatGrid(tempo_bpm=120, confidence=1, beats_s=tuple(float(beat) for beat in np.arange(0, 16, 0.5)))
NO_GRID = BeatGrid(tempo_bpm=0, confidence=0)


def chord(root: int, quality: str, cents: float = 0.0) -> NDArray[np.float64]:
    """A bar of a chord between C4 and B4."""
    tones = [note(60 + (root + step) % 12 + cents / 100, BAR_S) for step in QUALITIES[quality]]
    return np.asarray(np.sum(tones, axis=0), np.float64)


def bass(root: int) -> NDArray[np.float64]:
    """A bar of the root, in the octave of C2."""
    return 2 * note(36 + root, BAR_S)


def stems(folder: Path, *bars: tuple[int, str]) -> list[Path]:
    """The chords and their bass in a file each."""
    paths = [folder / "other.wav", folder / "bass.wav"]
    parts = ([chord(*bar) for bar in bars], [bass(root) for root, _ in bars])
    for path, part in zip(paths, parts, strict=True):
        write_audio(path, audio(np.concatenate(part)[None], RATE_HZ))
    return paths


def names(chords: tuple[Chord, ...]) -> list[str]:
    return [found.name for found in chords]


def test_chords_change_with_the_bar(tmp_path: Path) -> None:
    """C Am F G, two seconds each, from the start to the end."""
    found = measure_chords(stems(tmp_path, (0, ""), (9, "m"), (5, ""), (7, "")), GRID, "C major")
    assert names(found) == ["C", "Am", "F", "G"]
    assert [round(one.start_s) for one in found] == [0, 2, 4, 6]
    assert found[-1].end_s == pytest.approx(8, abs=0.15)
    assert all(one.end_s == other.start_s for one, other in pairwise(found))


@pytest.mark.parametrize("root", [0, 3, 6, 10])
@pytest.mark.parametrize("quality", QUALITIES)
def test_each_chord_is_told_apart(root: int, quality: str, tmp_path: Path) -> None:
    """Root and quality, on any root, where no key helps; sus2 may be heard as a triad with a ninth."""
    found = measure_chords(stems(tmp_path, *[(root, quality)] * 2), GRID)
    assert len(found) == 1
    accepted = {quality, ""} if quality == "sus2" else {quality}
    assert found[0].name in {SHARPS[root] + suffix for suffix in accepted}


@pytest.mark.parametrize(
    ("key", "name"), [("F minor", "Ab"), ("C# minor", "G#"), ("Eb major", "Ab"), ("", "G#")]
)
def test_chords_are_spelt_in_the_key(key: str, name: str, tmp_path: Path) -> None:
    """Flats in flat keys, else sharps."""
    assert names(measure_chords(stems(tmp_path, (8, ""), (8, "")), GRID, key)) == [name]


@pytest.mark.parametrize(
    ("cents", "song_cents", "name"), [(48, 46, "C"), (48, -47, "C#"), (-48, 47, "B"), (20, -10, "C")]
)
def test_between_two_keys_the_songs_tuning_decides(
    cents: float, song_cents: float, name: str, tmp_path: Path
) -> None:
    """The stems are heard as sharp or flat as the mixture was: else chords lie a semitone beside the key."""
    write_audio(tmp_path / "other.wav", audio(np.tile(chord(0, "", cents), 4)[None], RATE_HZ))
    assert names(measure_chords([tmp_path / "other.wav"], GRID, tuning_cents=song_cents)) == [name]


def test_without_beats_there_are_chords_too(tmp_path: Path) -> None:
    """Told every half second."""
    found = measure_chords(stems(tmp_path, (2, "m"), (7, ""), (0, "")), NO_GRID, "C major")
    assert names(found) == ["Dm", "G", "C"]
    assert [found[1].start_s, found[2].start_s] == pytest.approx([2, 4], abs=0.3)


def test_silence_has_no_chord(tmp_path: Path) -> None:
    """A pause has a chord without a name; a silent song none."""
    loud = np.concatenate([chord(0, ""), np.zeros(round(BAR_S * RATE_HZ)), chord(7, "")])
    write_audio(tmp_path / "song.wav", audio(loud[None], RATE_HZ))
    assert names(measure_chords([tmp_path / "song.wav"], GRID)) == ["C", "", "G"]
    write_audio(tmp_path / "nothing.wav", silence(5))
    assert measure_chords([tmp_path / "nothing.wav"], GRID) == ()


def test_a_stem_may_end_early(tmp_path: Path) -> None:
    """The rest is heard on."""
    paths = stems(tmp_path, (0, ""), (9, "m"), (5, ""))
    write_audio(paths[1], audio(bass(0)[None], RATE_HZ))
    assert names(measure_chords(paths, GRID, "C major")) == ["C", "Am", "F"]


def test_stems_of_two_rates_are_refused(tmp_path: Path) -> None:
    """The error names both."""
    paths = stems(tmp_path, (0, ""))
    write_audio(paths[1], Audio(samples=np.zeros((1, 48_000), np.float32), rate_hz=48_000))
    with pytest.raises(AudioError, match=r"bass\.wav is at 48000 Hz, other\.wav at 22050 Hz"):
        measure_chords(paths, GRID)
