"""What pip prints becomes how far it is; what makes it fail becomes words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.engines.environments.pip import HowFar, Package, Pip, fault_in
from bridge.errors import DiskFullError, EngineError

PRINTED = """\
Collecting demucs==4.1.0
  Downloading demucs-4.1.0-py3-none-any.whl.metadata (16 kB)
Progress 16000 of 16000
Collecting torch==2.13.0
  Using cached torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)
Downloading numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl (16.8 MB)
Progress 0 of 16800000
Progress 8400000 of 16800000
Progress 16800000 of 16800000
Installing collected packages: numpy, torch
"""


def test_how_far_it_is(tmp_path: Path) -> None:
    """Files that lie in pip's cache count as fetched; halves count as halves."""
    told: list[HowFar] = []
    pip = Pip(Path(sys.executable), tmp_path, told.append)
    pip._is_telling = True
    for line in PRINTED.splitlines():
        pip._hear(line)
    words = [step.words for step in told if step.words]
    assert words == ["fetching demucs", "fetching torch", "fetching numpy", words[-1]]
    assert words[-1].startswith("unpacking")
    fetched = [round(step.fetched_mb, 1) for step in told]
    assert fetched == sorted(fetched)
    assert fetched[-3:] == [pytest.approx(200.2), pytest.approx(208.6), pytest.approx(208.6)]


@pytest.mark.parametrize(
    ("name", "version", "is_cuda"),
    [
        ("nvidia-cudnn-cu13", "9.20", True),
        ("cuda-toolkit", "13.0", True),
        ("triton", "3.7", True),
        ("torch", "2.13.0+cu130", True),
        ("torch", "2.13.0+cpu", False),
        ("torch", "2.13.0", False),
        ("numpy", "2.4", False),
    ],
)
def test_what_counts_as_cuda(name: str, version: str, is_cuda: bool) -> None:
    assert Package(name=name, version=version).is_cuda is is_cuda


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (["ERROR: Could not install: [Errno 28] No space left on device"], DiskFullError, "disk became full"),
        (
            ["WARNING: Retrying after ... NewConnectionError", "ERROR: No matching distribution found for x"],
            EngineError,
            "no connection to where pip looks",
        ),
        (["ERROR: No matching distribution found for x"], EngineError, "No matching distribution found"),
        (["Downloading torch"], EngineError, r"pip crashed \(.*\); its last words: .Downloading torch"),
        ([], EngineError, "nothing.*The same command goes on"),
    ],
    ids=["full disk", "no network", "no such version", "killed", "silent"],
)
def test_why_it_failed(lines: list[str], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        raise fault_in(lines, -9)
