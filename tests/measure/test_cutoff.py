"""Where a sound was cut off: cliffs are found, slopes are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bridge.audio import Audio, Samples, read_audio
from bridge.generate import compose, random_spec
from bridge.measure.cutoff import Cutoff, CutoffMeter, measure_cutoff
from tests.dsp.judge_extend import low_passed
from tests.encoded_media import encode

RATE_HZ = 44_100


def cutoff_of(samples: Samples, rate_hz: int = RATE_HZ, block: int = 65_536) -> Cutoff:
    meter = CutoffMeter(rate_hz, len(samples))
    for start in range(0, samples.shape[1], block):
        meter.add(samples[:, start : start + block])
    return meter.result()


@pytest.fixture(scope="module")
def music() -> Samples:
    song = compose(random_spec(3, duration_s=8.0))
    return song.mixture.samples


def noise(rate_hz: int = RATE_HZ, seconds: float = 3.0) -> Samples:
    draw = np.random.default_rng(1)
    return (0.1 * draw.standard_normal((2, int(rate_hz * seconds)))).astype(np.float32)


@pytest.mark.parametrize("cutoff_hz", [6_000, 8_000, 10_000, 12_000, 16_000])
def test_a_cliff_is_found_where_it_begins(music: Samples, cutoff_hz: int) -> None:
    """Within 100 Hz."""
    cut = low_passed(Audio(samples=music, rate_hz=RATE_HZ), cutoff_hz).samples
    assert cutoff_of(cut).hz == pytest.approx(cutoff_hz, abs=100)


@pytest.mark.parametrize("rate_hz", [32_000, 48_000, 96_000])
def test_any_rate_will_do(rate_hz: int) -> None:
    """Within 150 Hz."""
    cut = low_passed(Audio(samples=noise(rate_hz), rate_hz=rate_hz), 9_000).samples
    assert cutoff_of(cut, rate_hz).hz == pytest.approx(9_000, abs=150)


def test_a_codec_leaves_a_cliff(music: Samples, tmp_path: Path) -> None:
    """MP3 at 96 kb/s ends well below 20 kHz."""
    path = encode(tmp_path / "a.mp3", music, RATE_HZ, codec="libmp3lame", bit_rate=96_000)
    assert 13_000 < measure_cutoff(path).hz < 17_500
    assert measure_cutoff(path).hz == cutoff_of(read_audio(path).samples).hz


@pytest.mark.parametrize(
    "sound",
    [
        noise(),
        np.zeros((1, RATE_HZ), np.float32),
        np.zeros((2, 0), np.float32),
        np.full((1, 1), 0.5, np.float32),
        0.5 * np.sin(np.arange(RATE_HZ)[None] * 0.1).astype(np.float32),
        sosfilt(butter(4, 5_000, fs=RATE_HZ, output="sos"), noise(), axis=1).astype(np.float32),
    ],
    ids=["white noise", "silence", "nothing", "one sample", "a sine", "a synthesiser's low-pass"],
)
def test_what_is_not_cut_has_no_cutoff(sound: Samples) -> None:
    """0 Hz."""
    assert not cutoff_of(sound).is_cut


def test_composed_songs_are_whole(music: Samples) -> None:
    """Their own treble is no cliff."""
    assert not cutoff_of(music).is_cut


def test_blocks_change_nothing(music: Samples) -> None:
    """The same numbers."""
    one, other = cutoff_of(music, block=65_536), cutoff_of(music, block=1_001)
    assert one.hz == other.hz
    assert np.array_equal(one.mean_db, other.mean_db)


def test_pauses_do_not_count(music: Samples) -> None:
    """A stem that plays a third of the time has the same levels where it plays."""
    cut = low_passed(Audio(samples=music, rate_hz=RATE_HZ), 10_000).samples
    paused = np.concatenate([cut, np.zeros((2, 2 * cut.shape[1]), np.float32)], axis=1)
    assert cutoff_of(paused).hz == cutoff_of(cut).hz
    assert float(np.abs(cutoff_of(paused).mean_db - cutoff_of(cut).mean_db).max()) < 1.0
