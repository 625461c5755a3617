"""Two meters that share no code agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, write_audio
from bridge.errors import AudioError
from bridge.measure import loudness_of
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.values import SampleFormat

from .signals import audio, joined, noise, silence


def music_like(seed: int, rate_hz: int) -> Audio:
    """Swelling, low-heavy noise: levels, crest and spectrum that move like a song's."""
    white = noise(12, 0.1, rate_hz=rate_hz, seed=seed).samples
    heavy = (white + np.roll(white, 1, axis=1) + np.roll(white, 2, axis=1)) / 1.5
    swell = 0.3 + np.abs(np.sin(np.arange(white.shape[1]) / rate_hz * 0.7))
    return audio(heavy * swell, rate_hz)


@pytest.mark.parametrize("sample_format", list(SampleFormat))
@pytest.mark.parametrize(("rate_hz", "seed"), [(44_100, 1), (48_000, 2), (22_050, 3)])
def test_both_meters_agree(tmp_path: Path, rate_hz: int, seed: int, sample_format: SampleFormat) -> None:
    """Within 0.02 LU, 0.3 LU of range and 0.05 dB of true peak, ours the higher but for FFmpeg's rounding."""
    sound = music_like(seed, rate_hz)
    write_audio(tmp_path / "song.wav", sound, sample_format)
    ours, theirs = loudness_of(sound), ffmpeg_loudness(tmp_path / "song.wav")
    assert theirs.integrated_lufs == pytest.approx(ours.integrated_lufs, abs=0.02)
    assert theirs.range_lu == pytest.approx(ours.range_lu, abs=0.3)
    assert -0.01 <= ours.true_peak_dbtp - theirs.true_peak_dbtp <= 0.05


def test_the_last_instant_counts(tmp_path: Path) -> None:
    """A peak in the last few milliseconds, less than FFmpeg's step, is reported."""
    click = audio(np.pad(np.full((2, 2), 0.5), ((0, 0), (700, 0))), 44_100)
    write_audio(tmp_path / "click.wav", joined(silence(2), click))
    assert ffmpeg_loudness(tmp_path / "click.wav").true_peak_dbtp == pytest.approx(-3.96, abs=0.05)


def test_silence_is_at_the_floors(tmp_path: Path) -> None:
    """Silence is finite here too."""
    write_audio(tmp_path / "silence.wav", silence(3))
    found = ffmpeg_loudness(tmp_path / "silence.wav")
    assert (found.integrated_lufs, found.true_peak_dbtp, found.range_lu) == (-70, -144, 0)


def test_what_is_no_audio_is_told(tmp_path: Path) -> None:
    """A text file is an AudioError that names it."""
    (tmp_path / "song.wav").write_text("no audio here")
    with pytest.raises(AudioError, match=r"song\.wav"):
        ffmpeg_loudness(tmp_path / "song.wav")
