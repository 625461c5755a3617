"""DeepFilterNet keeps the contract of enhancers, with the tiny network and with its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.audio import BLOCK_FRAMES
from bridge.engines.deepfilternet import DeepFilterNetEnhancer
from bridge.protocols import Enhancer
from bridge.testing.enhancers import EnhancerContract
from tests.engines.deepfilternet.conftest import settings


class Contract(EnhancerContract):
    """With whichever network the fixture gives."""

    model: Path

    def enhancer(self, block_frames: int | None = None) -> Enhancer:
        return DeepFilterNetEnhancer(settings(self.model), block_frames=block_frames or BLOCK_FRAMES)


class TestTiny(Contract):
    @pytest.fixture(autouse=True)
    def _with(self, tiny: Path) -> None:
        self.model = tiny


class TestReal(Contract):
    long_s = 120.0

    @pytest.fixture(autouse=True)
    def _with(self, real_model: Path) -> None:
        self.model = real_model
