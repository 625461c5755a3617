"""The light separator beyond the contract: parts, rates, channels, silence, memory, quality."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, AudioWriter, write_audio
from bridge.engines.light import LightSeparator
from bridge.errors import EngineError
from bridge.protocols import no_progress
from bridge.testing.separators import SongForm, example_song
from bridge.values import FOUR_STEMS, Role

from .songs import SHARED, composed, falcon, gains_db, sdr_db, separated

VOCALS, DRUMS, BASS, OTHER = range(4)


def _split(song: np.ndarray, folder: Path, rate_hz: int = 44_100, **settings: int) -> np.ndarray:
    return separated(LightSeparator(**settings), song, rate_hz, folder)


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("part_frames", [4, 30, 100], ids=lambda n: f"parts of {n} frames")
def test_result_does_not_depend_on_the_parts(part_frames: int, tmp_path: Path) -> None:
    """Full context on a fixed grid: seams below -100 dBFS, where -60 is promised."""
    song = example_song(SongForm(frames=12 * 44_100 + 77))
    whole = _split(song, tmp_path / "whole", part_frames=4_000)
    parted = _split(song, tmp_path / "parts", part_frames=part_frames)
    assert np.abs(whole - parted).max() < 1e-5


def test_result_does_not_depend_on_threads(tmp_path: Path) -> None:
    """Equal samples with one thread and three."""
    song = example_song(SongForm(frames=10 * 44_100))
    one = _split(song, tmp_path / "one", threads=1, part_frames=64)
    three = _split(song, tmp_path / "three", threads=3, part_frames=64)
    assert np.array_equal(one, three)


def test_scaling_the_song_scales_the_stems(tmp_path: Path) -> None:
    """No cue knows the level: a power of two passes through exactly."""
    song = example_song(SongForm(frames=100_000))
    assert np.array_equal(
        _split(song, tmp_path / "full") / 64, _split(song / np.float32(64), tmp_path / "soft")
    )


def test_swapped_channels_give_swapped_stems(tmp_path: Path) -> None:
    """Left and right are treated alike."""
    song = example_song(SongForm(frames=100_000))
    swapped = _split(np.ascontiguousarray(song[::-1]), tmp_path / "swapped")
    np.testing.assert_allclose(_split(song, tmp_path / "plain")[:, ::-1], swapped, atol=1e-5)


def test_mono_and_equal_channels_are_split_alike(tmp_path: Path) -> None:
    """A stereo file without width has no cue of place and is treated as the mono song that it is."""
    mono = example_song(SongForm(frames=100_000, channels=1))
    double = _split(np.repeat(mono, 2, axis=0), tmp_path / "double")
    np.testing.assert_allclose(double[:, :1], _split(mono, tmp_path / "mono"), atol=1e-6)


def test_digital_silence_inside_a_song_stays_silent(tmp_path: Path) -> None:
    """No pre-echo of the entry, no tail after the end, more than a few milliseconds away from sound."""
    song = example_song(SongForm(frames=200_000))
    song[:, :50_000] = 0
    song[:, 150_000:] = 0
    stems = _split(song, tmp_path)
    assert not stems[:, :, : 50_000 - 300].any()
    assert not stems[:, :, 150_000 + 300 :].any()
    assert stems[:, :, 50_000:150_000].any(axis=(1, 2)).all()


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_instruments_go_where_they_belong_at_any_rate(rate_hz: int, tmp_path: Path) -> None:
    """A low tone is bass, struck noise is drums: time and frequency resolution follow the rate."""
    time_s = np.arange(5 * rate_hz) / rate_hz
    low = 0.3 * np.sin(2 * np.pi * 65 * time_s)
    struck = 0.3 * np.exp(-30 * np.mod(time_s, 0.5)) * np.random.default_rng(3).normal(0, 1, len(time_s))
    song = np.stack([low + struck, low + 0.98 * struck]).astype(np.float32)
    stems = _split(song, tmp_path, rate_hz)
    assert sdr_db(np.stack([low, low]), stems[BASS]) > 4
    assert sdr_db(np.stack([struck, struck]), stems[DRUMS]) > 4


def test_nothing_above_hearing_goes_to_voice_or_bass(tmp_path: Path) -> None:
    """At 96 kHz the band above 20 kHz is shared by drums and other alone."""
    time_s = np.arange(3 * 96_000) / 96_000
    tone = 0.2 * np.sin(2 * np.pi * 30_000 * time_s)
    stems = _split(np.stack([tone, tone * 0.9]).astype(np.float32), tmp_path, 96_000)
    assert _rms(stems[VOCALS]) < 1e-4 > _rms(stems[BASS])
    assert _rms(stems[DRUMS] + stems[OTHER]) == pytest.approx(_rms(tone) * 0.95, rel=0.01)


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    """By an error that says what was found and what to do."""
    write_audio(tmp_path / "wide.wav", Audio(samples=np.zeros((6, 500), np.float32), rate_hz=48_000))
    with pytest.raises(EngineError, match=r"6 channels.*needs 1 or 2"):
        LightSeparator().separate(tmp_path / "wide.wav", tmp_path, no_progress)


def test_damaged_table_is_an_engine_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file and the way out."""
    (tmp_path / "light_weights.json").write_text("{")
    monkeypatch.setattr("bridge.engines.light_masks.resources.files", lambda _package: tmp_path)
    song = example_song(SongForm(frames=5_000))
    with pytest.raises(EngineError, match=r"light_weights\.json.*Reinstall"):
        _split(song, tmp_path / "song")


def test_progress_is_called_for_every_few_seconds_of_song(tmp_path: Path) -> None:
    """A minute gives at least ten calls besides those of the first look."""
    song = example_song(SongForm(frames=60 * 22_050, rate_hz=22_050, channels=1))
    write_audio(tmp_path / "song.wav", Audio(samples=song, rate_hz=22_050))
    shares: list[float] = []
    LightSeparator().separate(tmp_path / "song.wav", tmp_path, shares.append)
    assert len({share for share in shares if share > 0.02}) >= 6
    assert max(np.diff(shares)) < 0.25


def test_memory_does_not_grow_with_the_song(tmp_path: Path) -> None:
    """Eight minutes need what two need, but for how the threads happen to overlap."""
    peaks = [_peak_of(minutes, tmp_path / str(minutes)) for minutes in (2, 8)]
    assert peaks[1] < 1.3 * peaks[0]


def _peak_of(minutes: int, folder: Path) -> int:
    folder.mkdir()
    block = example_song(SongForm(rate_hz=16_000, channels=1, frames=60 * 16_000))
    with AudioWriter(folder / "song.wav", rate_hz=16_000, channels=1) as out:
        for _ in range(minutes):
            out.write(block)
    tracemalloc.start()
    try:
        LightSeparator(part_frames=64).separate(folder / "song.wav", folder, no_progress)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not (SHARED / "falcon69").is_dir(), reason="shared/data is not beside the checkout")
def test_beats_the_classical_recipe_on_a_real_song(tmp_path: Path) -> None:
    """Floor 1.9 dB mean SDR, the documented recipe's; ours is held to 3.9."""
    song = falcon()
    stems = _split(song.mixture, tmp_path, song.rate_hz)
    inner = slice(2_048, -2_048)  # the ends hold a burst that is common to all stems
    scores = [sdr_db(t[:, inner], s[:, inner]) for t, s in zip(song.stems, stems, strict=True)]
    assert np.mean(scores) >= 3.9
    assert min(scores) >= 1.5


def test_separates_composed_songs(tmp_path: Path) -> None:
    """Three styles: at least 5 dB SI-SDR gained on the mean, and no stem worse than the mixture."""
    _expect_gains((4, 11, 17), 8.0, tmp_path)


@pytest.mark.slow
def test_separates_twenty_composed_songs(tmp_path: Path) -> None:
    """The floor is 3 dB on the mean and no stem worse than the mixture; ours is held to 5."""
    _expect_gains(tuple(range(20)), 20.0, tmp_path)


def _expect_gains(seeds: tuple[int, ...], duration_s: float, folder: Path) -> None:
    gains = []
    for seed in seeds:
        song = composed(seed, duration_s)
        gains.append(gains_db(song, _split(song.mixture, folder / str(seed), song.rate_hz)))
    assert np.nanmean(gains) >= 5
    assert np.nanmin(gains) > 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the checkout")
@pytest.mark.parametrize("name", ["demucs_test.mp3", "real_vs_codec/real_000134.mp3"])
def test_stems_of_real_songs_look_like_what_they_are(name: str, tmp_path: Path) -> None:
    """Without the truth: bass lies low, drums are the most struck, voice nearer the centre than other."""
    from bridge.audio import read_audio

    song = read_audio(SHARED / name)
    stems = _split(song.samples, tmp_path, song.rate_hz)
    assert _share_below(stems[BASS], song.rate_hz, 400) > 0.8
    burstiness = [_burstiness(stem) for stem in stems]
    assert burstiness[DRUMS] == max(burstiness)
    assert _side_share(stems[VOCALS]) < _side_share(stems[OTHER])


def _share_below(stem: np.ndarray, rate_hz: int, limit_hz: float) -> float:
    power = np.square(np.abs(np.fft.rfft(stem))).sum(axis=0)
    return float(power[: int(limit_hz * stem.shape[1] / rate_hz)].sum() / power.sum())


def _burstiness(stem: np.ndarray) -> float:
    """Rises of the level from one 12 ms to the next, as a share of it."""
    frames = stem[0, : stem.shape[1] // 512 * 512].reshape(-1, 512)
    level = np.sqrt(np.square(frames).mean(axis=1))
    return float(np.maximum(np.diff(level), 0).sum() / level.sum())


def _side_share(stem: np.ndarray) -> float:
    return _rms(stem[0] - stem[1]) / _rms(stem)


def test_roles_are_the_four() -> None:
    """In the order in which they are written."""
    assert LightSeparator.roles == FOUR_STEMS == (Role.VOCALS, Role.DRUMS, Role.BASS, Role.OTHER)
