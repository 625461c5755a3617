"""Small multiples: each measure before and after, placed on a scale of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bridge.report.axes import Axis
from bridge.report.colours import master_class
from bridge.report.data import Master, Measured, Measures, ReportData
from bridge.report.verdict import delivered
from bridge.report.words import UNKNOWN, is_silent, number, signed


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A measure to compare: its field, its words, and the least span of its scale."""

    field: str
    title: str
    unit: str
    hint: str
    span: float
    target: str = ""
    digits: int = 1


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A value on the scale: where (per cent), in which colour, in words."""

    css: str
    name: str
    text: str
    change: str = ""
    at: float | None = None
    goal: float | None = None
    """Where its target lies, per cent."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One of the small multiples."""

    quantity: Quantity
    before: Mark
    after: tuple[Mark, ...]

    @property
    def reach(self) -> tuple[float, float]:
        """The part of the scale, in per cent, that the values cover."""
        places = [mark.at for mark in (self.before, *self.after) if mark.at is not None]
        return (min(places), max(places)) if places else (0.0, 0.0)


QUANTITIES = (
    Quantity(
        field="integrated_lufs",
        title="Loudness",
        unit="LUFS",
        hint="integrated, the whole song",
        span=12,
        target="target_lufs",
    ),
    Quantity(
        field="true_peak_dbtp",
        title="True peak",
        unit="dBTP",
        hint="highest peak between samples",
        span=4,
        target="ceiling_dbtp",
    ),
    Quantity(
        field="loudness_range_lu", title="Loudness range", unit="LU", hint="from quiet to loud parts", span=8
    ),
    Quantity(
        field="peak_to_loudness_db", title="Peak to loudness", unit="dB", hint="room left for punch", span=8
    ),
    Quantity(field="bandwidth_hz", title="Bandwidth", unit="kHz", hint="highest frequency in use", span=8000),
)


def comparisons(data: ReportData) -> tuple[Comparison, ...]:
    """What can be compared: measures that were taken of the source or of a delivered master."""
    masters = delivered(data.masters)
    return tuple(
        _comparison(quantity, data.before.measures, masters)
        for quantity in QUANTITIES
        if any(_value(quantity, measures) is not None for measures in _all_measures(data, masters))
    )


def scale(values: list[float], span: float) -> Axis:
    """An axis over all finite values, at least ``span`` wide and a little wider than they are."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    width = max(span, (high - low) * 1.2)
    middle = (low + high) / 2
    return Axis(low=middle - width / 2, high=middle + width / 2)


def _comparison(quantity: Quantity, before: Measures, masters: list[Master]) -> Comparison:
    was = _value(quantity, before)
    goals = [getattr(master, quantity.target) for master in masters] if quantity.target else []
    values = [
        value for value in (was, *(_value(quantity, m.sound.measures) for m in masters)) if value is not None
    ]
    axis = scale([*values, *goals], quantity.span)
    marks = [_after(quantity, index, master, was, axis) for index, master in enumerate(masters)]
    mark = Mark(css="before", name="Before", text=_text(quantity, was), at=_place(axis, was))
    return Comparison(quantity=quantity, before=mark, after=tuple(marks))


def _after(quantity: Quantity, index: int, master: Master, was: Measured, axis: Axis) -> Mark:
    value = _value(quantity, master.sound.measures)
    goal = getattr(master, quantity.target) if quantity.target else None
    return Mark(
        css=master_class(index),
        name=master.name,
        text=_text(quantity, value),
        change=_change(quantity, was, value),
        at=_place(axis, value),
        goal=_place(axis, goal),
    )


def _all_measures(data: ReportData, masters: list[Master]) -> list[Measures]:
    return [data.before.measures, *(master.sound.measures for master in masters)]


def _value(quantity: Quantity, measures: Measures) -> Measured:
    value: Measured = getattr(measures, quantity.field)
    return value


def _text(quantity: Quantity, value: Measured) -> str:
    if quantity.unit == "LUFS" and is_silent(value):
        return "silent"
    return number(value / 1000 if value is not None and quantity.unit == "kHz" else value, quantity.digits)


def _change(quantity: Quantity, was: Measured, value: Measured) -> str:
    if was is None or value is None or not math.isfinite(value - was):
        return ""
    change = (value - was) / (1000 if quantity.unit == "kHz" else 1)
    text = signed(change, quantity.digits)
    return "same" if not any(mark in "123456789" for mark in text) else "" if text == UNKNOWN else text


def _place(axis: Axis, value: Measured) -> float | None:
    return None if value is None or not math.isfinite(value) else round(100 * axis.share(value), 1)
