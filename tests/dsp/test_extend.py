"""Bandwidth extension: nearer to what was lost, nothing changed below, no echo, in step and in place."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from bridge.audio import Audio, Samples, read_audio, write_audio
from bridge.dsp import process_audio
from bridge.dsp.extend import ExtendProcessor, extend_bandwidth
from bridge.engines.extend import NativeExtender
from bridge.measure.cutoff import CutoffMeter
from bridge.protocols import no_progress

from .judge_extend import CUTOFFS_HZ, SHARED, composed_songs, judge, low_passed, real_songs

RATE_HZ = 44_100
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="../shared/data/audio is not there")


def extended(audio: Audio) -> Audio:
    meter = CutoffMeter(audio.rate_hz, audio.channels)
    meter.add(audio.samples)
    processor = ExtendProcessor(meter.result(), rate_hz=audio.rate_hz, channels=audio.channels)
    assert processor.is_active
    return process_audio(processor, audio)


def noise(seconds: float = 4.0, seed: int = 1, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * rate_hz))


def cut(samples: NDArray[np.floating], cutoff_hz: float = 10_000, rate_hz: int = RATE_HZ) -> Audio:
    return low_passed(Audio(samples=samples.astype(np.float32), rate_hz=rate_hz), cutoff_hz)


def above(audio: Audio, from_hz: float = 11_000) -> Samples:
    sos = butter(6, from_hz, "high", fs=audio.rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sos, audio.samples, axis=1), np.float32)


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))


@pytest.mark.parametrize("cutoff_hz", CUTOFFS_HZ)
def test_composed_songs_come_nearer(cutoff_hz: float, tmp_path: Path) -> None:
    """Half the distance at most, in the ear's bands; less by single bins too; nothing changed below."""
    for _, song in _some(composed_songs(8.0), 2):
        found = judge(song, cutoff_hz, tmp_path)
        assert found.bands_ratio < 0.5
        assert found.bins_ratio < 0.65
        assert found.changed_below_dbfs < -120


@needs_shared
@pytest.mark.parametrize("cutoff_hz", CUTOFFS_HZ)
def test_real_songs_come_nearer(cutoff_hz: float, tmp_path: Path) -> None:
    """The same, of songs that nothing was fitted to."""
    for _, song in real_songs(10.0):
        found = judge(song, cutoff_hz, tmp_path)
        assert found.bands_ratio < 0.5
        assert found.bins_ratio < 0.65
        assert found.changed_below_dbfs < -120


def test_what_is_not_cut_off_passes_bit_by_bit(tmp_path: Path) -> None:
    """Noise to the end of the band."""
    whole = Audio(samples=noise()[None].astype(np.float32), rate_hz=RATE_HZ)
    write_audio(tmp_path / "a.wav", whole)
    assert not extend_bandwidth(tmp_path / "a.wav", tmp_path / "b.wav").is_extended
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000, 96_000])
def test_every_rate_is_filled_up_to_20_khz(rate_hz: int) -> None:
    """Or to what the rate holds; nothing above."""
    made = extended(cut(noise(rate_hz=rate_hz)[None], 9_000, rate_hz))
    assert level_db(above(made, 10_000)) > -60
    if rate_hz > 48_000:
        edge = rate_hz // 10
        assert level_db(above(made, 28_000)[:, edge:-edge]) < -110


def test_attacks_stay_where_they_are() -> None:
    """The new band of a burst is far lower 4 to 30 ms before it than in it."""
    t = np.arange(6 * RATE_HZ) / RATE_HZ
    bursts = noise(6.0) * (np.exp(-150 * np.mod(t, 0.25)) + 0.003)
    new = np.square(above(extended(cut(bursts[None])))[0].astype(np.float64))
    spots = (np.arange(4, 20) * 0.25 * RATE_HZ).astype(int)
    burst = np.mean([new[spot : spot + 200].mean() for spot in spots])
    before = np.mean([new[spot - 1323 : spot - 176].mean() for spot in spots])
    assert 10 * np.log10(burst / before) > 25


def test_digital_silence_between_sounds_stays() -> None:
    """Exact zeros but for 6 ms around the sounds."""
    sound = noise()
    sound[RATE_HZ : 2 * RATE_HZ] = 0
    given = cut(sound[None])
    given.samples[:, RATE_HZ + 2000 : 2 * RATE_HZ - 2000] = 0
    made = extended(given).samples
    assert not made[:, RATE_HZ + 2300 : 2 * RATE_HZ - 2300].any()


def test_one_channel_twice_stays_the_same_twice() -> None:
    """A mono mix in two channels has no side in its new band either."""
    one = noise()
    made = extended(cut(np.stack([one, one]))).samples
    assert float(np.abs(made[0] - made[1]).max()) < 1e-6


def test_a_sound_keeps_its_place_and_its_width() -> None:
    """12 dB to the left stays that; what is half alike stays half alike."""
    one, other = noise(), noise(seed=2)
    left, right = above(extended(cut(np.stack([one, 0.25 * one]))))
    assert level_db(left) - level_db(right) == pytest.approx(12.04, abs=0.5)
    wide = above(extended(cut(np.stack([one, 0.5 * one + np.sqrt(0.75) * other]))))
    assert np.corrcoef(wide)[0, 1] == pytest.approx(0.5, abs=0.12)


def test_swapped_channels_come_out_swapped() -> None:
    """No channel is another's master."""
    given = cut(np.stack([noise(), 0.3 * noise(seed=2)]))
    swapped = Audio(samples=np.ascontiguousarray(given.samples[::-1]), rate_hz=RATE_HZ)
    assert np.abs(extended(given).samples[::-1] - extended(swapped).samples).max() < 1e-6


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """Four minutes take what one takes."""
    peaks = []
    for minutes in (1, 4):
        piece = cut(noise(10.0)[None]).samples
        whole = Audio(samples=np.tile(piece, (1, 6 * minutes)), rate_hz=RATE_HZ)
        write_audio(tmp_path / "a.wav", whole)
        del whole
        tracemalloc.start()
        NativeExtender().enhance(tmp_path / "a.wav", tmp_path / "b.wav", no_progress)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2_000_000


def test_a_minute_takes_less_than_a_second_of_one_core(tmp_path: Path) -> None:
    """60 times faster than real time, files and both passes included; about 170 is usual."""
    piece = cut(np.stack([noise(10.0), noise(10.0, seed=2)]), 8_000).samples
    write_audio(tmp_path / "a.wav", Audio(samples=np.tile(piece, (1, 6)), rate_hz=RATE_HZ))
    took_s = []
    for _ in range(2):
        started_s = time.process_time()
        NativeExtender().enhance(tmp_path / "a.wav", tmp_path / "b.wav", no_progress)
        took_s.append(time.process_time() - started_s)
    assert min(took_s) < 1.0
    assert read_audio(tmp_path / "b.wav").frames == 60 * RATE_HZ


def _some(songs: Iterator[tuple[str, Audio]], count: int) -> Iterator[tuple[str, Audio]]:
    for _, song in zip(range(count), songs, strict=False):
        yield song
