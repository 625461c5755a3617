"""Devices to read: ours, and real ones of Ableton where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ableton.device.build import build_device
from ableton.device.reader import Device, parse_device

REAL = Path(__file__).parents[4] / "shared" / "data" / "formats" / "amxd"
SCRIPT = b'"use strict";\n'


def our_device() -> Device:
    """Our device as it is read, with a script that does nothing."""
    return parse_device(build_device(SCRIPT))


def real_device(name: str) -> Path:
    """One of Ableton's devices; skips where it is not at hand."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"{name}, a device of Ableton's, is not at hand")
    return path
