"""Means between edges, and the colour of tones."""

from __future__ import annotations

import numpy as np
import pytest

from bridge.measure.spans import means_between
from bridge.measure.timbre import BANDS_HZ, TimbreMeter

from .signals import noise, tone


def test_rows_count_where_they_are_heard() -> None:
    """Row k is heard around (k + 1) * 0.1 s."""
    rows = np.arange(10.0)[:, None]
    means = means_between(rows, 0.1, np.array([0.0, 0.35, 0.75, 1.2]))
    assert means[:, 0] == pytest.approx([1.0, 4.5, 8.0])


def test_a_span_without_a_row_takes_the_nearest() -> None:
    """Before the first row, between two and after the last one."""
    rows = np.array([[3.0, 30.0], [5.0, 50.0]])
    means = means_between(rows, 1.0, np.array([0.0, 0.1, 1.2, 1.4, 7.0, 9.0]))
    assert means[:, 0] == pytest.approx([3, 3, 5, 5, 5])
    assert means[:, 1] == pytest.approx(10 * means[:, 0])


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 9000.0])
def test_a_tone_has_the_power_of_its_band(hertz: float) -> None:
    """A sine of -20 dBFS in one band, hardly anything in the others."""
    meter = TimbreMeter(44_100, 2)
    meter.add(tone(hertz, 2, -20, rate_hz=44_100).samples)
    powers = meter.powers().mean(axis=0)
    band = int(np.searchsorted(BANDS_HZ, hertz)) - 1
    assert int(np.argmax(powers)) == band
    assert np.delete(powers, band).max() < 0.1 * powers[band]


def test_blocks_do_not_matter() -> None:
    """Any cutting gives the same powers."""
    sound = noise(2)
    whole, cut = TimbreMeter(44_100, 2), TimbreMeter(44_100, 2)
    whole.add(sound.samples)
    for part in np.split(sound.samples, [33, 4000, 50_001], axis=1):
        cut.add(part)
    np.testing.assert_allclose(cut.powers(), whole.powers(), rtol=1e-4)


def test_nothing_has_no_powers() -> None:
    """Before the first frame is whole there are none."""
    assert TimbreMeter(44_100, 1).powers().shape == (0, 24)
