"""More channels than two become two."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.audio import fold_to_stereo
from tests.encoded_media import song


class TestFold:
    @pytest.mark.parametrize("channels", [1, 2])
    def test_mono_and_stereo_pass(self, channels: int) -> None:
        samples = song(10, channels=channels)
        assert fold_to_stereo(samples, "") is samples

    @pytest.mark.parametrize(
        ("layout", "speaker", "left", "right"),
        [
            ("5.1", 0, 1, 0),
            ("5.1", 2, 0.7071, 0.7071),
            ("5.1", 3, 0, 0),
            ("5.1", 4, 0.7071, 0),
            ("5.1(side)", 5, 0, 0.7071),
            ("7.1", 7, 0, 0.7071),
            ("quad", 2, 0.7071, 0),
            ("4.0", 3, 0.5, 0.5),
            ("2.1", 2, 0, 0),
        ],
    )
    def test_surround_by_bs775(self, layout: str, speaker: int, left: float, right: float) -> None:
        channels = {"5.1": 6, "5.1(side)": 6, "7.1": 8, "quad": 4, "4.0": 4, "2.1": 3}[layout]
        samples = np.zeros((channels, 1), np.float32)
        samples[speaker] = 1
        assert fold_to_stereo(samples, layout)[:, 0] == pytest.approx([left, right], abs=1e-4)

    @pytest.mark.parametrize("channels", [3, 5, 6, 8])
    def test_unnamed_channels_by_turns_at_equal_power(self, channels: int) -> None:
        samples = np.random.default_rng(0).standard_normal((channels, 200_000)).astype(np.float32)
        folded = fold_to_stereo(samples, "")
        assert folded.shape == (2, 200_000)
        assert folded.dtype == np.float32
        assert np.std(folded, axis=1) == pytest.approx([1, 1], rel=0.02)
        assert abs(np.corrcoef(folded)[0, 1]) < 0.02

    def test_layout_that_does_not_fit_is_taken_as_unnamed(self) -> None:
        samples = song(10, channels=8)
        assert np.array_equal(fold_to_stereo(samples, "5.1"), fold_to_stereo(samples, ""))
