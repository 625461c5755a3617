"""Audio in memory: its shape and its length."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import Audio
from bridge.errors import AudioError
from tests.audio.support import RATE_HZ


class TestAudioValue:
    def test_other_shapes_and_types_are_refused(self) -> None:
        for samples in (np.zeros(5, np.float32), np.zeros((1, 5)), np.zeros((1, 5), np.int16)):
            with pytest.raises(AudioError, match="float32 of shape"):
                Audio(samples=samples, rate_hz=RATE_HZ)

    def test_length_is_frames_over_rate(self) -> None:
        value = Audio(samples=np.zeros((2, 22_050), np.float32), rate_hz=RATE_HZ)
        assert (value.channels, value.frames, value.duration_s) == (2, 22_050, 0.5)
