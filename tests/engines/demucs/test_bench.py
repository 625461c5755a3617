"""``stembridge bench separation``: both ways run, on the same weights, and come to the same stems."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.bench import compare_separation
from bridge.config import Config


@pytest.mark.slow
def test_both_ways_come_to_the_same_stems(config: Config, tmp_path: Path) -> None:
    """On a network of the real size with random numbers: at least 60 dB, and nothing is zero."""
    told: list[str] = []
    (found,) = compare_separation([10.0], config, tmp_path, told.append)
    assert found.weights == "random"
    assert set(found.snr_db) == {"vocals", "drums", "bass"}
    assert min(found.snr_db.values()) > 60
    for run in (found.ours, found.preview, found.theirs):
        assert run.seconds > 0
        assert run.peak_bytes > 5e8
    assert len(told) == 4
