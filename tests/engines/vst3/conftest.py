"""Settings with a folder of the test's own, and something to process."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.audio import Audio, write_audio
from bridge.config import Vst3Settings
from tests.dsp.signals import RATE_HZ, drums
from tests.engines.vst3.plugins import settings_with


@pytest.fixture
def settings(tmp_path: Path) -> Vst3Settings:
    """The shipped settings, and a folder that plug-ins can be put into."""
    return settings_with(folders=[str(tmp_path / "vst3")])


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Two seconds of stereo drums."""
    path = tmp_path / "song.wav"
    write_audio(path, Audio(samples=drums(2.0), rate_hz=RATE_HZ))
    return path
