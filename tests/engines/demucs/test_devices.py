"""Devices and precisions: one that cannot, or gives wrong numbers, is passed over, and it is said why."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.engines.demucs import engine

from .conftest import run_in_torch

INSIDE = Path(engine.__file__).with_name("inside")


@pytest.mark.parametrize(
    "check",
    [
        "wrong_numbers_and_unsupported_ops",
        "nan_is_wrong",
        "a_good_device_is_taken_and_imprecise_numbers_are_not",
        "memory_that_runs_out",
        "short_segments",
    ],
)
def test_device(check: str, demucs_python: Path, repository: Path, tmp_path: Path) -> None:
    """As ``in_torch/devices_check.py`` says, with the CPU in the part of the device."""
    run_in_torch(demucs_python, "devices_check.py", check, str(INSIDE), str(repository), str(tmp_path))
