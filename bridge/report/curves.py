"""Drawn lines: long-term spectra, filter responses, loudness and correlation over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from bridge.report.axes import (
    FREQUENCY,
    WIDTH,
    Axis,
    Chart,
    Points,
    frequency_ticks,
    grid,
    level_ticks,
    line_path,
    pooled,
    svg,
    time_ticks,
)
from bridge.report.data import Curve, Floats, LoudnessSeries

HEIGHT = 300
MAX_POINTS = 500
SPECTRUM_SPAN_DB = 60.0
LOWEST_LUFS = -48.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something to draw and the CSS class that colours it."""

    css: str
    curve: Curve


@dataclass(frozen=True, kw_only=True)
class LoudnessLine:
    """A loudness series, the CSS class that colours it, and its target where it has one."""

    css: str
    series: LoudnessSeries
    target_lufs: float | None = None


def spectrum_svg(lines: Sequence[Line], label: str) -> Chart:
    """Long-term spectra over one another, 20 Hz to 20 kHz.

    Each is shifted to the same mean level from 100 Hz to 10 kHz, so that what differs is tone and not
    loudness; the axis then counts from the loudest point.
    """
    levelled = [_levelled(line.curve) for line in lines]
    top = max((float(levels.max()) for levels in levelled if levels.size), default=0.0)
    axis = Axis(low=top + 3 - SPECTRUM_SPAN_DB, high=top + 3)
    marks = Axis(low=3 - SPECTRUM_SPAN_DB, high=3)
    x_ticks, y_ticks = frequency_ticks(), level_ticks(marks, 12)
    drawn = [
        _spectrum_paths(line, levels, axis, is_filled=index == 0)
        for index, (line, levels) in enumerate(zip(lines, levelled, strict=True))
    ]
    body = grid(x_ticks, y_ticks, HEIGHT) + Markup("").join(drawn)
    return Chart(svg=svg(body, HEIGHT, label, "plot"), x_ticks=x_ticks, y_ticks=y_ticks)


def response_svg(curve: Curve, css: str, label: str) -> Chart:
    """A filter's response around 0 dB; the axis opens from 6 dB to 24 dB as its gains ask."""
    levels = np.array(curve.level_db)
    # how deep a high-pass goes does not decide: below -12 dB it is simply gone
    inside = np.abs(levels[levels > -12])
    reach = next((edge for edge in (6, 12, 18) if inside.max(initial=0) <= edge), 24)
    axis = Axis(low=-reach, high=reach)
    x_ticks, y_ticks = frequency_ticks(), level_ticks(axis, reach / 2 if reach > 6 else 3)
    path = _curve_path(curve, levels, axis)
    fill = Markup('<path class="area {}" d="{}V{}H{}Z"/>').format(css, path, HEIGHT // 2, _first_x(path))
    line = Markup('<path class="line {}" d="{}"/>').format(css, path)
    body = grid(x_ticks, y_ticks, HEIGHT) + _zero() + (fill + line if path else Markup(""))
    return Chart(svg=svg(body, HEIGHT, label, "plot"), x_ticks=x_ticks, y_ticks=y_ticks)


def loudness_svg(lines: Sequence[LoudnessLine], duration_s: float, label: str) -> Chart:
    """Short-term loudness over the song, each with a dashed line at its target."""
    axis = loudness_axis(lines)
    x_ticks, y_ticks = time_ticks(duration_s), level_ticks(axis, 6)
    drawn = [_loudness_paths(line, axis, duration_s) for line in lines]
    body = grid(x_ticks, y_ticks, HEIGHT) + Markup("").join(drawn)
    return Chart(svg=svg(body, HEIGHT, label, "plot"), x_ticks=x_ticks, y_ticks=y_ticks)


def loudness_axis(lines: Sequence[LoudnessLine]) -> Axis:
    """From a little under what is played (never under -48 LUFS) to a little above the loudest."""
    targets = [line.target_lufs for line in lines if line.target_lufs is not None]
    played = [value for line in lines for value in line.series.lufs if value > LOWEST_LUFS]
    top = max([*played, *targets], default=-6.0)
    bottom = float(np.percentile(played, 4)) if played else top - 18
    bottom = min([bottom, *targets, top - 12])
    return Axis(low=max(LOWEST_LUFS, 6 * math.floor((bottom - 1) / 6)), high=3 * math.ceil((top + 1) / 3))


def correlation_svg(series: Sequence[tuple[str, Floats]], duration_s: float, label: str) -> Chart:
    """Correlation over the song, +1 above (as mono), -1 below (cancels in mono)."""
    axis = Axis(low=-1, high=1)
    x_ticks, y_ticks = time_ticks(duration_s, 4), level_ticks(axis, 1)
    drawn = [_series_path(css, np.array(values), axis) for css, values in series if values]
    body = grid(x_ticks, y_ticks, HEIGHT) + _zero() + Markup("").join(drawn)
    return Chart(svg=svg(body, HEIGHT, label, "plot"), x_ticks=x_ticks, y_ticks=y_ticks)


def difference_svg(before: Curve, lines: Sequence[Line], label: str) -> Chart:
    """Masters' spectra minus the source's, each first brought to the same mean level as in ``spectrum_svg``.

    Frequencies where the source holds next to nothing (60 dB below its loudest) are left out: there the
    difference says how empty it was.
    """
    base = _levelled(before)
    floor = float(base.max()) - 60 if base.size else 0.0
    differences = [_difference(before, base, line.curve, floor) for line in lines]
    reach = next((edge for edge in (6, 12) if all(_mostly_within(found, edge) for found in differences)), 18)
    axis = Axis(low=-reach, high=reach)
    x_ticks, y_ticks = frequency_ticks(), level_ticks(axis, reach / 2)
    drawn = [
        _difference_path(line.css, before, base > floor, found, axis)
        for line, found in zip(lines, differences, strict=True)
    ]
    body = grid(x_ticks, y_ticks, HEIGHT) + _zero() + Markup("").join(drawn)
    return Chart(svg=svg(body, HEIGHT, label, "plot"), x_ticks=x_ticks, y_ticks=y_ticks)


def _difference(before: Curve, base: Points, curve: Curve, floor: float) -> Points:
    places = np.log(np.maximum(curve.frequency_hz, 1e-3))
    after = np.interp(np.log(np.maximum(before.frequency_hz, 1e-3)), places, _levelled(curve))
    return np.asarray((after - base)[base > floor], np.float64)


def _mostly_within(found: Points, edge: float) -> bool:
    """A steep roll-off that was filled may leave the picture; the rest must stay in it."""
    return not found.size or float(np.quantile(np.abs(found), 0.93)) <= edge


def _difference_path(css: str, before: Curve, kept: NDArray[np.bool_], found: Points, axis: Axis) -> Markup:
    frequencies = np.array(before.frequency_hz)[kept]
    shown = Curve(frequency_hz=tuple(frequencies.tolist()), level_db=tuple(found.tolist()))
    return Markup('<path class="line {}" d="{}"/>').format(css, _curve_path(shown, found, axis))


def _zero() -> Markup:
    return Markup('<path class="zero" d="M0 {0}H{1}"/>').format(HEIGHT // 2, WIDTH)


def _levelled(curve: Curve) -> Points:
    levels = np.clip(np.nan_to_num(np.array(curve.level_db, np.float64), nan=-300), -300, 100)
    frequencies = np.array(curve.frequency_hz, np.float64)
    middle = levels[(frequencies >= 100) & (frequencies <= 10_000) & (levels > -140)]
    return levels - middle.mean() if middle.size else levels


def _spectrum_paths(line: Line, levels: Points, axis: Axis, *, is_filled: bool) -> Markup:
    path = _curve_path(line.curve, levels, axis)
    if not path:
        return Markup("")
    area = Markup('<path class="area {}" d="{}V{}H{}Z"/>').format(line.css, path, HEIGHT, _first_x(path))
    # filled areas over one another turn to mud: one is filled
    return (area if is_filled else Markup("")) + Markup('<path class="line {}" d="{}"/>').format(
        line.css, path
    )


def _curve_path(curve: Curve, levels: Points, axis: Axis) -> str:
    frequencies = np.array(curve.frequency_hz, np.float64)
    inside = (frequencies >= FREQUENCY.low * 0.999) & (frequencies <= FREQUENCY.high * 1.001)
    x, y = FREQUENCY.shares(frequencies[inside]), axis.shares(levels[inside])
    return line_path(pooled(x, MAX_POINTS), pooled(y, MAX_POINTS), HEIGHT)


def _first_x(path: str) -> str:
    return path[1:].split(" ", 1)[0] if path else "0"


def _loudness_paths(line: LoudnessLine, axis: Axis, duration_s: float) -> Markup:
    found = np.nan_to_num(np.array(line.series.lufs, np.float64), nan=-90, neginf=-90)
    lufs = pooled(np.asarray(np.clip(found, -90, None), np.float64), MAX_POINTS)
    steps = len(line.series.lufs) / max(1, lufs.size) * line.series.step_s
    times = line.series.start_s + steps * np.arange(lufs.size, dtype=np.float64)
    across = Axis(low=0, high=max(duration_s, 1e-3))
    path = line_path(across.shares(times), axis.shares(lufs), HEIGHT)
    drawn = Markup('<path class="line {}" d="{}"/>').format(line.css, path) if path else Markup("")
    return _target_path(line, axis) + drawn


def _target_path(line: LoudnessLine, axis: Axis) -> Markup:
    if line.target_lufs is None:
        return Markup("")
    top = round((1 - axis.share(line.target_lufs)) * HEIGHT, 1)
    return Markup('<path class="target {}" d="M0 {}H{}"/>').format(line.css, top, WIDTH)


def _series_path(css: str, values: Points, axis: Axis) -> Markup:
    few = pooled(np.nan_to_num(values), MAX_POINTS)
    x = (np.arange(few.size) + 0.5) / few.size
    return Markup('<path class="line {}" d="{}"/>').format(css, line_path(x, axis.shares(few), HEIGHT))
