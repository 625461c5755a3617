"""Axes: from values to places in a drawing, and the marks beside it.

Drawings stretch to the page's width, so their text would stretch too: tick labels are therefore not in the
SVG but returned as ``Tick``s, placed in per cent by the page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

Points = NDArray[np.float64]

WIDTH = 1000
"""Width of every drawing's view box."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A label at a place along an axis, in per cent from the left or from the top."""

    at: float
    text: str
    is_minor: bool = False
    """Left out where the page is narrow."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing with the ticks of its axes."""

    svg: Markup
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A scale from ``low`` to ``high``; outside values are put on its edge."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, 0 at ``low`` to 1 at ``high``."""
        return float(self.shares(np.array([value]))[0])

    def shares(self, values: Points) -> Points:
        """Where values lie, 0 to 1; NaN and -inf lie at 0."""
        low, high = self._scaled(np.array([self.low, self.high]))
        place = (
            self._scaled(np.nan_to_num(values, nan=self.low, neginf=self.low, posinf=self.high)) - low
        ) / (high - low)
        return np.asarray(np.clip(place, 0, 1), np.float64)

    def _scaled(self, values: Points) -> Points:
        return np.log(np.maximum(values, 1e-9)) if self.is_log else values


FREQUENCY = Axis(low=20, high=20_000, is_log=True)
FREQUENCY_MARKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
MAJOR_MARKS_HZ = (20, 100, 1000, 10_000)


def frequency_ticks(axis: Axis = FREQUENCY, *, is_vertical: bool = False) -> tuple[Tick, ...]:
    """Labels of a log-frequency axis at 20, 50, 100 ... that lie inside it."""
    inside = [mark for mark in FREQUENCY_MARKS_HZ if axis.low <= mark <= axis.high * 1.0001]
    return tuple(
        Tick(
            at=_percent(1 - axis.share(mark) if is_vertical else axis.share(mark)),
            text=f"{mark // 1000}k" if mark >= 1000 else str(mark),
            is_minor=mark not in MAJOR_MARKS_HZ,
        )
        for mark in inside
    )


def time_ticks(duration_s: float, wanted: int = 6) -> tuple[Tick, ...]:
    """Labels of a time axis at round times, about ``wanted`` of them; every second one is minor."""
    from bridge.report.words import clock

    if duration_s <= 0:
        return ()
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((step for step in steps if duration_s / step <= wanted), 7200)
    times = range(0, math.floor(duration_s * 0.97) + 1, step)
    return tuple(
        Tick(at=_percent(time / duration_s), text=clock(time), is_minor=index % 2 == 1)
        for index, time in enumerate(times)
    )


def level_ticks(axis: Axis, step: float) -> tuple[Tick, ...]:
    """Labels of a vertical axis at multiples of ``step``."""
    from bridge.report.words import number

    first = math.ceil(axis.low / step)
    marks = [index * step for index in range(first, math.floor(axis.high / step) + 1)]
    return tuple(Tick(at=_percent(1 - axis.share(mark)), text=number(mark, 0)) for mark in marks)


def grid(x_ticks: tuple[Tick, ...], y_ticks: tuple[Tick, ...], height: int) -> Markup:
    """Hairlines at the ticks."""
    down = "".join(f"M{_place(tick.at / 100, WIDTH)} 0V{height}" for tick in x_ticks)
    across = "".join(f"M0 {_place(tick.at / 100, height)}H{WIDTH}" for tick in y_ticks)
    return Markup('<path class="grid" d="{}"/>').format(down + across)


def line_path(x_shares: Points, y_shares: Points, height: int) -> str:
    """Path data of a polyline; shares are 0 to 1, up is up."""
    x = np.rint(x_shares * WIDTH * 10) / 10
    y = np.rint((1 - y_shares) * height * 10) / 10
    points = [f"{left:g} {top:g}" for left, top in zip(x.tolist(), y.tolist(), strict=True)]
    return "M" + "L".join(points) if points else ""


def pooled(values: Points, count: int, how: str = "mean") -> Points:
    """At most ``count`` values, each the mean, max or min of its share of the input."""
    if values.size <= count:
        return values
    edges = np.linspace(0, values.size, count + 1).astype(int)[:-1]
    if how == "max":
        return np.asarray(np.maximum.reduceat(values, edges))
    if how == "min":
        return np.asarray(np.minimum.reduceat(values, edges))
    return np.asarray(np.add.reduceat(values, edges) / np.diff(np.append(edges, values.size)))


def svg(body: Markup, height: int, label: str, kind: str) -> Markup:
    """An SVG that fills its box, with a text for those who do not see it."""
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(kind, WIDTH, height, label, body)


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _place(share: float, extent: int) -> str:
    return f"{share * extent:.1f}".removesuffix(".0")
