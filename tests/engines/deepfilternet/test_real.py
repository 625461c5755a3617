"""DeepFilterNet3 itself, against what its own package was measured to give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import read_audio
from bridge.engines.deepfilternet import DeepFilterNetEnhancer
from bridge.protocols import no_progress
from tests.engines.deepfilternet.conftest import settings


def si_sdr_db(clean: np.ndarray, heard: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al., 2019)."""
    target = clean * (np.vdot(heard, clean) / np.vdot(clean, clean))
    return float(10 * np.log10(np.vdot(target, target) / np.vdot(heard - target, heard - target)))


@pytest.mark.parametrize(
    ("limit_db", "package_db"), [(100, 20.015), (24, 19.58), (12, 15.80), (6, 11.36), (3, 8.75)]
)
def test_noisy_speech_gains_what_the_package_gains(
    shared_data: Path, real_model: Path, tmp_path: Path, limit_db: float, package_db: float
) -> None:
    """To a hundredth of a decibel, with and without a limit."""
    folder, target = shared_data / "audio" / "speech", tmp_path / "cleaned.wav"
    config = settings(real_model, attenuation_limit_db=limit_db)
    DeepFilterNetEnhancer(config).enhance(folder / "noisy_snr0.wav", target, no_progress)
    clean = read_audio(folder / "clean_freesound_33711.wav").samples.astype(np.float64)
    found_db = si_sdr_db(clean, read_audio(target).samples.astype(np.float64))
    assert found_db == pytest.approx(package_db, abs=0.01)
