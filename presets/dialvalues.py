"""What a dial-in sheet is made of: controls with their values as text, in Live's units."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Self

from presets.values import PresetValue


class Dial(PresetValue):
    """One control and what it should show."""

    control: str
    value: str
    note: str = ""
    """What the control cannot show, in a sentence."""


class DialDevice(PresetValue):
    """One device of Live with the controls to set."""

    device: str
    """Its name in Live's browser, or ``(no device)``."""
    purpose: str = ""
    """Why it is there."""
    dials: tuple[Dial, ...] = ()
    notes: tuple[str, ...] = ()
    """What Live does otherwise, in sentences."""

    @classmethod
    def of(cls, device: str, purpose: str, dials: Iterable[Dial], notes: Iterable[str] = ()) -> Self:
        """A device whose notes begin with those of its dials."""
        kept = tuple(dials)
        told = (*(dial.note for dial in kept if dial.note), *notes)
        return cls(device=device, purpose=purpose, dials=kept, notes=told)


class DialSheet(PresetValue):
    """A chain as devices of Live, from left to right."""

    title: str
    level_lufs: float
    """The integrated loudness of the material that the thresholds are for."""
    devices: tuple[DialDevice, ...]
    notes: tuple[str, ...] = ()


class Unit(Enum):
    """How Live writes a number."""

    DB = "dB"
    HZ = "Hz"
    MS = "ms"
    RATIO = ": 1"


def fitted(control: str, number: float, low: float, high: float, unit: Unit) -> Dial:
    """``number`` as the control shows it, moved into its range, with a note where that changed it."""
    shown = min(max(number, low), high)
    note = ""
    if shown != number:
        note = f"{control}: {written(number, unit)} asked; Live's range ends at {written(shown, unit)}."
    return Dial(control=control, value=written(shown, unit), note=note)


def written(number: float, unit: Unit) -> str:
    """The number with its unit, as Live writes it."""
    if unit is Unit.HZ:
        return hertz(number)
    if unit is Unit.MS:
        return milliseconds(number)
    return f"{number:.2f} {unit.value}".strip()


def hertz(frequency_hz: float) -> str:
    """``85.0 Hz``, ``3.20 kHz``."""
    return f"{frequency_hz / 1000:.2f} kHz" if frequency_hz >= 1000 else f"{frequency_hz:.1f} Hz"


def milliseconds(time_ms: float) -> str:
    """``0.50 ms``, ``150 ms``, ``1.20 s``."""
    if time_ms >= 1000:
        return f"{time_ms / 1000:.2f} s"
    return (
        f"{time_ms:.0f} ms"
        if time_ms >= 100
        else f"{time_ms:.1f} ms"
        if time_ms >= 1
        else f"{time_ms:.2f} ms"
    )


def amount(number: float, *, signed: bool = False) -> str:
    """A number with two decimals, with its sign where that is asked."""
    return f"{number:+.2f}" if signed else f"{number:.2f}"
