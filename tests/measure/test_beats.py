"""Beats and bars: patterns whose beats are known, straight and drifting, and what has no beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.audio import Audio, read_audio, write_audio
from bridge.errors import AudioError, JobCancelled
from bridge.measure.beats import measure_beats
from bridge.measure.pulse import follow
from bridge.music import BeatGrid

from .grooves import GROOVES, RATE_HZ, played
from .signals import SHARED, audio, joined, noise, silence

SONG = SHARED / "audio" / "demucs_test.mp3"
CODEC = SHARED / "audio" / "real_vs_codec"


def heard(folder: Path, sound: Audio, drums: Audio | None = None) -> BeatGrid:
    """The grid of a sound, read from a file."""
    write_audio(folder / "song.wav", sound)
    if drums:
        write_audio(folder / "drums.wav", drums)
    return measure_beats(folder / "song.wav", folder / "drums.wav" if drums else None)


def share_near(
    found_s: Sequence[float], true_s: Sequence[float] | NDArray[np.float64], within_s: float = 0.03
) -> float:
    """How many of the true times are found."""
    return float(np.mean(np.abs(np.array(true_s)[:, None] - np.array(found_s)).min(axis=1) < within_s))


@pytest.mark.parametrize(
    ("groove", "tempo_bpm"),
    [("rock", 120.0), ("pop", 104.0), ("hip-hop", 84.0), ("break", 172.0), ("disco", 122.0)],
)
def test_beats_and_bars_of_patterns(groove: str, tempo_bpm: float, tmp_path: Path) -> None:
    """All beats within 30 ms, the tempo to 0.1%, four to a bar, the downbeat right, nothing much beyond."""
    beat_s = 60 / tempo_bpm
    gap = silence(0.7, rate_hz=RATE_HZ, channels=1)
    grid = heard(tmp_path, joined(gap, played(GROOVES[groove][1], tempo_bpm, 12), gap))
    assert grid.tempo_bpm == pytest.approx(tempo_bpm, rel=0.001)
    assert share_near(grid.beats_s, 0.7 + beat_s * np.arange(48)) == 1
    assert grid.beats_per_bar == 4
    assert share_near(grid.downbeats_s, 0.7 + 4 * beat_s * np.arange(12)) == 1
    assert len(grid.beats_s) == 48


def test_half_and_double_are_offered(tmp_path: Path) -> None:
    """Within 40 to 240 beats a minute."""
    grid = heard(tmp_path, played(GROOVES["rock"][1], 96, 8))
    assert (grid.half_bpm, grid.double_bpm) == pytest.approx((48, 192), rel=0.002)
    fast = heard(tmp_path, played(GROOVES["break"][1], 172, 12))
    assert fast.half_bpm == pytest.approx(86, rel=0.002)
    assert fast.double_bpm == 0


def test_the_drum_stem_is_heard(tmp_path: Path) -> None:
    """Beats that noise hides in the mixture are found in the drums."""
    drums = played(GROOVES["rock"][1], 108, 10)
    hiss = noise(drums.duration_s, 0.5, rate_hz=RATE_HZ, channels=1)
    mixture = audio(drums.samples * 0.05 + hiss.samples[:, : drums.frames], RATE_HZ)
    grid = heard(tmp_path, mixture, drums)
    assert share_near(grid.beats_s, 60 / 108 * np.arange(40)) == 1
    assert grid.tempo_bpm == pytest.approx(108, rel=0.001)


@pytest.mark.parametrize(
    "sound", [noise(10), silence(10), noise(2), silence(0)], ids=["noise", "silence", "short", "nothing"]
)
def test_what_has_no_beat_has_no_grid(sound: Audio, tmp_path: Path) -> None:
    """No tempo, no beats."""
    grid = heard(tmp_path, sound)
    assert (grid.tempo_bpm, grid.confidence, grid.beats_s, grid.downbeats_s) == (0, 0, (), ())


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """In words, as AudioError."""
    (tmp_path / "song.wav").write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"song\.wav"):
        measure_beats(tmp_path / "song.wav")


def clicks(
    times_s: NDArray[np.float64], weights: NDArray[np.float64] | float = 1.0, step_s: float = 0.01
) -> NDArray[np.float64]:
    """A strength of 1, or as weighted, where something begins."""
    strength = np.zeros(round((times_s.max() + 1) / step_s))
    strength[np.rint(times_s / step_s).astype(int)] = weights
    return strength


@pytest.mark.parametrize(("slowest", "fastest"), [(100, 116), (100, 130), (120, 112)])
def test_a_pulse_is_followed_while_the_tempo_drifts(slowest: float, fastest: float) -> None:
    """Within a minute from one tempo to the other, each beat within 30 ms."""
    gaps_s = 60 / np.linspace(slowest, fastest, 108)
    times_s = 0.5 + np.concatenate([[0], np.cumsum(gaps_s)])
    found_s = follow(clicks(times_s), np.median(gaps_s) / 0.01) * 0.01
    assert len(found_s) == len(times_s)
    assert np.abs(found_s - times_s).max() < 0.03


def test_a_pulse_is_even_where_players_scatter() -> None:
    """Half of the scatter goes, and beats that nobody plays are there."""
    draw = np.random.default_rng(4)
    true_s = 0.5 + 0.5 * np.arange(120)
    played_s = true_s + draw.normal(0, 0.012, 120)
    found_s = (
        follow(clicks(np.delete(played_s, draw.choice(np.arange(1, 119), 20, replace=False))), 50) * 0.01
    )
    assert len(found_s) == 120
    assert np.std(found_s - true_s) < 0.006


@pytest.mark.parametrize("beats", [40, 200, 400])
def test_a_pulse_stays_where_the_other_half_of_the_beat_is_played_harder(beats: int) -> None:
    """Verses accent the beat, choruses what lies between: a click gets no beat more for that."""
    on_s = 0.5 + 0.53 * np.arange(beats)
    is_verse = np.arange(beats) < beats // 2
    fill_s = on_s[beats // 2] + 0.48 * np.arange(-1, 3)
    weights = [np.where(is_verse, 1, 0.75), np.where(is_verse, 0.75, 1), np.full(4, 0.9)]
    strength = clicks(np.concatenate([on_s, on_s + 0.265, fill_s]), np.concatenate(weights))
    assert np.diff(follow(strength, 53) * 0.01) == pytest.approx(0.53, abs=0.001)


@pytest.mark.parametrize("tempi_bpm", [(100, 112), (112, 100)])
def test_a_song_of_two_tempi_has_one_of_them(tempi_bpm: tuple[float, float], tmp_path: Path) -> None:
    """None between, which nobody plays."""
    grid = heard(tmp_path, joined(*(played(GROOVES["rock"][1], tempo_bpm, 8) for tempo_bpm in tempi_bpm)))
    assert min(abs(grid.tempo_bpm / tempo_bpm - 1) for tempo_bpm in tempi_bpm) < 0.005


def test_nothing_to_follow() -> None:
    """No onsets, no beats."""
    assert len(follow(np.zeros(1000), 50)) == 0


@pytest.mark.skipif(not CODEC.exists(), reason="no real songs beside the checkout")
@pytest.mark.parametrize("number", ["000002", "000134"])
def test_a_real_song_and_its_copy_share_their_beats(number: str) -> None:
    """A neural codec's artefacts change neither tempo nor pulse."""
    real, coded = (measure_beats(CODEC / f"{kind}_{number}.mp3") for kind in ("real", "encodec24"))
    assert coded.tempo_bpm == pytest.approx(real.tempo_bpm, rel=0.003)
    assert share_near(coded.beats_s, real.beats_s[2:-2]) > 0.9


@pytest.mark.skipif(not SONG.exists(), reason="no real songs beside the checkout")
def test_a_real_song_has_the_beats_of_its_halves(tmp_path: Path) -> None:
    """One tempo, and no beat too many where the two meet."""
    song = read_audio(SONG)
    whole = measure_beats(SONG)
    half_s = song.duration_s / 2
    for start_s, part in zip((0, half_s), np.array_split(song.samples, 2, axis=1), strict=True):
        grid = heard(tmp_path, audio(part, song.rate_hz))
        assert grid.tempo_bpm == pytest.approx(whole.tempo_bpm, rel=0.002)
        assert share_near(whole.beats_s, start_s + np.array(grid.beats_s[1:-1])) == 1


def test_progress_grows_and_may_cancel(tmp_path: Path) -> None:
    """Over both files, up to 1; what it raises passes."""
    sound = played(GROOVES["rock"][1], 120, 4)
    for name in ("song.wav", "drums.wav"):
        write_audio(tmp_path / name, sound)
    shares: list[float] = []
    measure_beats(tmp_path / "song.wav", tmp_path / "drums.wav", shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        measure_beats(tmp_path / "song.wav", progress=cancel)
