"""Songs that come in every way: none lost, none twice, none half.

The long version: ``python -m tests.faults.watching --trials 10000 --seed 7``.
"""

from __future__ import annotations

import sys

import pytest

from tests.faults.watching import play

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="plays on a disk as Linux has it")


@pytest.mark.parametrize("number", [0, 1])
def test_every_song_is_taken_once_and_whole(number: int) -> None:
    counts = play(100, seed=7, in_round=100, only=number, tell=lambda _: None)
    assert counts.faults == []
    assert counts.trials >= 100
