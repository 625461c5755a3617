"""The building blocks of the light separator: medians, grid, cues, masks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.engines.light_cues import CUES
from bridge.engines.light_grid import Grid
from bridge.engines.light_masks import evidence
from bridge.engines.light_medians import sliding_median
from bridge.engines.light_parts import Part, plan


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("window", [3, 5, 9, 17, 33])
def test_sliding_median_is_the_median(window: int, axis: int) -> None:
    """Equal to SciPy's, value by value, where the window fits."""
    values = np.random.default_rng(window).normal(size=(40, 50)).astype(np.float32)
    wanted = scipy.ndimage.median_filter(values, size=window, axes=(axis,))
    inner = [slice(None), slice(None)]
    inner[axis] = slice(window // 2, -(window // 2))
    assert np.array_equal(sliding_median(values, window, axis), wanted[tuple(inner)])


@pytest.mark.parametrize(("window", "length"), [(1, 9), (4, 9), (7, 9), (17, 16)])
def test_sliding_median_refuses_other_windows(window: int, length: int) -> None:
    """Only 2^p + 1 that fits."""
    with pytest.raises(ValueError, match="wanted 2"):
        sliding_median(np.zeros((length, 1), np.float32), window)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000, 96_000, 192_000])
def test_grid_gives_the_song_back(rate_hz: int) -> None:
    """Analysis, then synthesis, is the identity, at a resolution that does not depend on the rate."""
    grid = Grid(rate_hz)
    assert grid.hop / rate_hz == pytest.approx(0.0348, rel=0.04)
    length = 5 * grid.size + 3
    song = np.random.default_rng(1).normal(0, 0.1, (2, length)).astype(np.float32)
    frames = grid.frames_of(length)
    after = (frames - 1) * grid.hop + grid.size - grid.lead - length
    padded = np.pad(song, ((0, 0), (grid.lead, after)))
    back = grid.synthesise(grid.analyse(padded))[:, grid.lead : grid.lead + length]
    np.testing.assert_allclose(back, song, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_bands_cover_every_bin_once(rate_hz: int) -> None:
    """Pooling a constant gives it, and spreading the band numbers rises through all bands."""
    grid = Grid(rate_hz)
    bins = grid.size // 2 + 1
    assert np.allclose(grid.pool(np.ones((3, bins), np.float32)), 1)
    spread = grid.spread(np.arange(len(grid.centres_hz), dtype=np.float32))
    assert len(spread) == bins
    assert set(np.diff(spread)) <= {0.0, 1.0}
    assert spread[-1] == len(grid.centres_hz) - 1


@pytest.mark.parametrize("is_wide", [True, False])
def test_masks_are_shares(is_wide: bool) -> None:
    """Between 0 and 1, summing to one, for any cues within their range."""
    grid = Grid(96_000)
    found = np.random.default_rng(2).uniform(-4, 4, (len(CUES), 7, len(grid.centres_hz))).astype(np.float32)
    masks = evidence(grid.centres_hz, is_wide=is_wide).masks(found)
    assert masks.min() >= 0
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(total=st.integers(1, 3_000), length=st.integers(1, 900))
def test_parts_cover_the_song_and_hold_their_context(total: int, length: int) -> None:
    """Back to back, each frame once; every mirrored frame was analysed."""
    parts = plan(total, length)
    assert [p.start for p in parts] == [0, *(p.stop for p in parts[:-1])]
    assert parts[-1].stop == total
    for part in parts:
        order = part.order
        assert order.min() >= 0
        assert order.max() < part.last - part.first


def test_context_is_mirrored_at_both_ends() -> None:
    """Frame -1 is frame 0 again, frame T is frame T - 1."""
    order = Part(0, 10, 10).order
    middle = len(order) // 2 - 5
    assert order[middle - 2 : middle + 2].tolist() == [1, 0, 0, 1]
    assert order[middle + 9 : middle + 12].tolist() == [9, 9, 8]
