"""Drawn waveforms: the peak outline with the louder body of the RMS inside."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup

from bridge.report.axes import WIDTH, Points, pooled, svg
from bridge.report.data import Waveform

HEIGHT = 200
MAX_COLUMNS = 700
THINNEST = 1.0
"""Silence stays visible as a line of this half height."""
DISC_BARS = 72


def waveform_svg(waveform: Waveform, label: str, *, full_scale: float = 1.0) -> Markup:
    """A waveform that fills its box; ``full_scale`` is the sample value at the upper edge, beyond is cut."""
    low = pooled(np.array(waveform.low), MAX_COLUMNS, "min") / full_scale
    high = pooled(np.array(waveform.high), MAX_COLUMNS, "max") / full_scale
    rms = np.sqrt(pooled(np.square(np.array(waveform.rms)), MAX_COLUMNS)) / full_scale
    body = Markup('<path class="peaks" d="{}"/><path class="body" d="{}"/>').format(
        _outline(high, low), _outline(rms, -rms)
    )
    return svg(body, HEIGHT, label, "wave")


def disc_svg(waveform: Waveform) -> Markup:
    """A round picture made from the song's own loudness, for songs without a cover; decoration only."""
    rms = np.sqrt(pooled(np.square(np.array(waveform.rms)), DISC_BARS))
    loudest = float(rms.max()) if rms.size else 0.0
    shares = rms / loudest if loudest > 0 else rms
    spokes = "".join(_spoke(index / max(1, rms.size), float(share)) for index, share in enumerate(shares))
    return Markup(
        '<svg class="disc" viewBox="0 0 200 200" aria-hidden="true"><path d="{}"/>'
        '<circle cx="100" cy="100" r="24"/></svg>'
    ).format(spokes)


def loudest_sample(waveform: Waveform) -> float:
    """The greatest absolute sample of the picture, 0 for an empty one."""
    return max((abs(value) for value in (*waveform.low, *waveform.high)), default=0.0)


def _outline(upper: Points, lower: Points) -> str:
    if not upper.size:
        return ""
    middle = HEIGHT / 2
    x = (np.arange(upper.size) + 0.5) / upper.size * WIDTH
    top = np.clip(np.minimum(middle - middle * upper, middle - THINNEST), 0, HEIGHT)
    bottom = np.clip(np.maximum(middle - middle * lower, middle + THINNEST), 0, HEIGHT)
    there = [f"{left:.0f} {y:.0f}" for left, y in zip(x, top, strict=True)]
    back = [f"{left:.0f} {y:.0f}" for left, y in zip(x[::-1], bottom[::-1], strict=True)]
    return "M" + "L".join(there + back) + "Z"


def _spoke(turn: float, share: float) -> str:
    angle = 2 * math.pi * turn - math.pi / 2
    inner, outer = 40.0, 44.0 + 50.0 * share**1.5
    x, y = math.cos(angle), math.sin(angle)
    return f"M{100 + inner * x:.1f} {100 + inner * y:.1f}L{100 + outer * x:.1f} {100 + outer * y:.1f}"
