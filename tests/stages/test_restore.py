"""The restore stage: flaws go, music stays, and what was done is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config
from bridge.generate import ComposedSong
from bridge.stages import restore
from bridge.values import Role
from tests.stages.conftest import RunStage


def params(config: Config, *, is_active: bool = True) -> restore.Params:
    return restore.Params.of(config, is_active=is_active)


def stem(
    song: ComposedSong, role: Role, path: Path, *, offset: float = 0.0, hiss_dbfs: float = -200.0
) -> Path:
    audio = song.stem(role)
    noise = np.random.default_rng(1).standard_normal(audio.samples.shape) * 10 ** (hiss_dbfs / 20)
    samples = (audio.samples + noise + offset).astype(np.float32)
    write_audio(path, Audio(samples=samples, rate_hz=audio.rate_hz))
    return path


@pytest.mark.parametrize("role", [Role.VOCALS, Role.DRUMS, Role.BASS, Role.OTHER])
def test_a_clean_stem_passes_as_the_same_file(
    run_stage: RunStage, song: ComposedSong, config: Config, tmp_path: Path, role: Role
) -> None:
    """No flaw, no change, no copy."""
    path = stem(song, role, tmp_path / "clean.wav")
    made = run_stage(restore.STAGE, params(config), {f"separated/{role}": path})
    assert [asset.path for asset in made.passed_on] == [path]
    assert not any(decision["kept"] for decision in made.facts["stems"][role]["decisions"])


def test_an_offset_is_taken_away(
    run_stage: RunStage, song: ComposedSong, config: Config, tmp_path: Path
) -> None:
    """-30 dBFS of it: the mean of what comes out is gone, the music is not."""
    path = stem(song, Role.BASS, tmp_path / "bass.wav", offset=0.03)
    made = run_stage(restore.STAGE, params(config), {"separated/bass": path})
    repaired = read_audio(made.files["dry/bass"]).samples
    clean = song.stem(Role.BASS).samples
    assert abs(float(repaired.mean())) < 0.001
    assert float(np.abs(repaired - clean).max()) < 0.002
    assert made.facts["stems"]["bass"]["decisions"][0]["kept"]


def test_hiss_is_turned_down_by_the_limit_at_most(
    run_stage: RunStage, config: Config, tmp_path: Path
) -> None:
    """Tones with pauses and hiss at -58 dBFS come nearer to the clean ones."""
    rate_hz, seconds = 44_100, 14
    t = np.arange(rate_hz * seconds) / rate_hz
    is_sounding = (t % 2.0) < 1.2
    tone = 0.2 * np.sin(2 * np.pi * 220 * t) * np.convolve(is_sounding, np.hanning(2001) / 1000.5, "same")
    clean = np.tile(tone, (2, 1)).astype(np.float32)
    noise = np.random.default_rng(1).standard_normal(clean.shape) * 10 ** (-58 / 20)
    path = tmp_path / "vocals.wav"
    write_audio(path, Audio(samples=(clean + noise).astype(np.float32), rate_hz=rate_hz))
    made = run_stage(restore.STAGE, params(config), {"separated/vocals": path})
    repaired = read_audio(made.files["dry/vocals"]).samples
    before_db = 10 * np.log10(np.mean(np.square(read_audio(path).samples - clean)))
    after_db = 10 * np.log10(np.mean(np.square(repaired - clean)))
    assert before_db - config.restore.denoise_limit_db - 1 < after_db < before_db - 2


def test_without_restoration_everything_passes(
    run_stage: RunStage, song: ComposedSong, config: Config, tmp_path: Path
) -> None:
    """The quick recipe inspects and changes nothing."""
    path = stem(song, Role.BASS, tmp_path / "bass.wav", offset=0.03)
    made = run_stage(restore.STAGE, params(config, is_active=False), {"separated/bass": path})
    assert [asset.path for asset in made.passed_on] == [path]
    assert made.facts["stems"]["bass"]["decisions"] == []


def test_a_silent_stem_is_no_error(run_stage: RunStage, config: Config, tmp_path: Path) -> None:
    """An instrumental has silent vocals."""
    path = tmp_path / "silent.wav"
    write_audio(path, Audio(samples=np.zeros((2, 44_100), np.float32), rate_hz=44_100))
    made = run_stage(restore.STAGE, params(config), {"separated/vocals": path})
    assert made.facts["stems"]["vocals"]["after"]["is_silent"]
