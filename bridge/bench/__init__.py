"""Time and memory against references measured in the same run: whole jobs, and separation by Demucs."""

from __future__ import annotations

from bridge.bench.jobs import Measured, make_song, run_bench
from bridge.bench.separation import Compared, compare_separation

__all__ = ["Compared", "Measured", "compare_separation", "make_song", "run_bench"]
