"""Chains: our processors with their settings, as bounded frozen values, TOML both ways.

Every number has a unit in its name and bounds in its type, so that whatever is read from a file, proposed
by a solver or typed by hand can be run without further checks.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from presets.errors import PresetError
from presets.values import PresetValue, parse_value, read_toml, write_toml

AUTHORED_LUFS = -20.0
"""The integrated loudness of the material that shipped chains are written for."""

# Strict: a number in a TOML file is a number, "-20" in quotes or `true` is a mistake to be told.
ThresholdDb = Annotated[float, Field(strict=True, ge=-60, le=0)]
Ratio = Annotated[float, Field(strict=True, ge=1, le=20)]
AttackMs = Annotated[float, Field(strict=True, ge=0.1, le=200)]
ReleaseMs = Annotated[float, Field(strict=True, ge=5, le=2000)]
KneeDb = Annotated[float, Field(strict=True, ge=0, le=24)]
MakeupDb = Annotated[float, Field(strict=True, ge=-12, le=24)]
Mix = Annotated[float, Field(strict=True, ge=0, le=1)]


class _Effect(PresetValue):
    """What all effects carry beside their settings."""

    name: str = ""
    """A handle for edits, such as "glue"; "" where the kind is handle enough."""
    reason: str = ""
    """Why it is there: a sentence for the report."""


class EqBand(PresetValue):
    """One filter. ``gain_db`` counts for shelves and bells, the slope for highpass and lowpass."""

    shape: Literal["highpass", "lowpass", "low_shelf", "high_shelf", "bell"]
    frequency_hz: Annotated[float, Field(strict=True, ge=10, le=22_000)]
    """Corner (-3 dB at q 0.71) of a pass, midpoint of a shelf, centre of a bell."""
    gain_db: Annotated[float, Field(strict=True, ge=-18, le=18)] = 0.0
    q: Annotated[float, Field(strict=True, ge=0.1, le=18)] = 0.71
    """Quality factor. Passes of any slope are Butterworth at 0.71, sharper at the corner above it."""
    slope_db_per_octave: Literal[12, 24, 48] = 12


class Eq(_Effect):
    """Up to eight filters in a row, on the whole signal or on its mid or side alone."""

    kind: Literal["eq"] = "eq"
    channel: Literal["stereo", "mid", "side"] = "stereo"
    bands: Annotated[tuple[EqBand, ...], Field(min_length=1, max_length=8)]


class Compressor(_Effect):
    """A stereo-linked compressor; ``mix`` below 1 is parallel compression."""

    kind: Literal["compressor"] = "compressor"
    threshold_db: ThresholdDb = -18.0
    ratio: Ratio = 2.0
    attack_ms: AttackMs = 15.0
    release_ms: ReleaseMs = 150.0
    knee_db: KneeDb = 6.0
    makeup_db: MakeupDb = 0.0
    mix: Mix = 1.0
    sidechain_highpass_hz: Annotated[float, Field(strict=True, ge=0, le=500)] = 0.0
    """What lies below does not steer the compressor; 0 is off."""


class MultibandBand(PresetValue):
    """One band of a ``Multiband``; ratio 1 leaves it alone."""

    threshold_db: ThresholdDb = -24.0
    ratio: Ratio = 1.5
    attack_ms: AttackMs = 20.0
    release_ms: ReleaseMs = 150.0
    knee_db: KneeDb = 6.0
    makeup_db: MakeupDb = 0.0


class Multiband(_Effect):
    """Three stereo-linked compressors on bands that sum flat."""

    kind: Literal["multiband"] = "multiband"
    low_crossover_hz: Annotated[float, Field(strict=True, ge=40, le=1000)] = 160.0
    high_crossover_hz: Annotated[float, Field(strict=True, ge=500, le=12_000)] = 3000.0
    low: MultibandBand = MultibandBand()
    mid: MultibandBand = MultibandBand()
    high: MultibandBand = MultibandBand()

    @model_validator(mode="after")
    def _bands_are_apart(self) -> Self:
        if self.high_crossover_hz < 2 * self.low_crossover_hz:
            raise ValueError("a high_crossover_hz at least an octave above low_crossover_hz")
        return self


class Gate(_Effect):
    """Turns down what stays under the threshold, by at most ``range_db``."""

    kind: Literal["gate"] = "gate"
    threshold_db: Annotated[float, Field(strict=True, ge=-90, le=0)] = -50.0
    range_db: Annotated[float, Field(strict=True, ge=-80, le=0)] = -12.0
    """Gain of the closed gate."""
    attack_ms: Annotated[float, Field(strict=True, ge=0.1, le=200)] = 1.0
    hold_ms: Annotated[float, Field(strict=True, ge=0, le=2000)] = 50.0
    release_ms: ReleaseMs = 150.0


class TransientShaper(_Effect):
    """More or less attack and sustain, whatever the level."""

    kind: Literal["transient_shaper"] = "transient_shaper"
    attack_db: Annotated[float, Field(strict=True, ge=-12, le=12)] = 0.0
    sustain_db: Annotated[float, Field(strict=True, ge=-12, le=12)] = 0.0


class DeEsser(_Effect):
    """Turns down what lies above ``frequency_hz`` where it passes the threshold."""

    kind: Literal["de_esser"] = "de_esser"
    frequency_hz: Annotated[float, Field(strict=True, ge=2000, le=16_000)] = 6000.0
    threshold_db: ThresholdDb = -30.0
    """Level of the band above ``frequency_hz`` alone, not of the whole."""
    ratio: Ratio = 3.0
    range_db: Annotated[float, Field(strict=True, ge=-24, le=0)] = -6.0
    """The most it may turn down."""


class Saturator(_Effect):
    """Soft saturation: ``tanh(drive x) / drive``, blended with the dry signal, times ``output_db``.

    Small signals keep their level whatever the drive.
    """

    kind: Literal["saturator"] = "saturator"
    drive_db: Annotated[float, Field(strict=True, ge=0, le=24)] = 3.0
    mix: Mix = 0.3
    output_db: Annotated[float, Field(strict=True, ge=-24, le=24)] = 0.0


class StereoWidth(_Effect):
    """Scales the side signal (1 changes nothing, 0 is mono) and folds the lows to mono."""

    kind: Literal["stereo_width"] = "stereo_width"
    width: Annotated[float, Field(strict=True, ge=0, le=2)] = 1.0
    mono_below_hz: Annotated[float, Field(strict=True, ge=0, le=300)] = 0.0
    """The side signal is taken away below; 0 is off."""


class Gain(_Effect):
    """Plain gain."""

    kind: Literal["gain"] = "gain"
    gain_db: Annotated[float, Field(strict=True, ge=-24, le=24)] = 0.0


class Limiter(_Effect):
    """Gain, then a true-peak limiter."""

    kind: Literal["limiter"] = "limiter"
    ceiling_dbtp: Annotated[float, Field(strict=True, ge=-12, le=0)] = -1.0
    gain_db: Annotated[float, Field(strict=True, ge=-24, le=24)] = 0.0
    release_ms: Annotated[float, Field(strict=True, ge=1, le=2000)] = 100.0


class Vst3(_Effect):
    """Somebody else's VST3 plug-in, in the state of a preset, with single parameters set over that."""

    kind: Literal["vst3"] = "vst3"
    plugin: Annotated[str, Field(min_length=1, max_length=200)]
    """The name of its bundle without ".vst3", as ``stembridge doctor`` lists it."""
    component: str = ""
    """Which plug-in of a bundle that holds several; "" where it holds one."""
    preset: str = ""
    """A .vstpreset file: its path, or its name in the plug-in's folder; "" is its default."""
    parameters: dict[str, bool | float | str] = Field(default_factory=dict)
    """By the names that the plug-in gives them, in its own units; a text is one of its choices."""
    input_db: Annotated[float, Field(strict=True, ge=-60, le=60)] = 0.0
    """Gain before the plug-in, taken back behind it: the level that its settings are for."""


Effect = Annotated[
    Eq
    | Compressor
    | Multiband
    | Gate
    | TransientShaper
    | DeEsser
    | Saturator
    | StereoWidth
    | Gain
    | Limiter
    | Vst3,
    Field(discriminator="kind"),
]


class Chain(PresetValue):
    """Effects in their order, for a role in a style.

    The thresholds are right for material at ``level_lufs`` (integrated); ``at_level`` moves them.

    >>> chain = Chain(name="Bass", role="bass", effects=(Compressor(threshold_db=-18.0),))
    >>> chain.at_level(-26.0).effects[0].threshold_db
    -24.0
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Annotated[str, Field(min_length=1)]
    style: Annotated[str, Field(min_length=1)] = "neutral"
    description: str = ""
    level_lufs: Annotated[float, Field(strict=True, ge=-100, le=20)] = AUTHORED_LUFS
    effects: tuple[Effect, ...] = ()

    @classmethod
    def from_toml(cls, text: str, source: str = "chain") -> Self:
        """The chain in ``text``; ``source`` names the file in a ``PresetError``."""
        return parse_value(cls, read_toml(text, source), source)

    def to_toml(self) -> str:
        """The chain as TOML text that ``from_toml`` reads back to an equal chain."""
        return write_toml(self.model_dump(mode="json"))

    def at_level(self, lufs: float) -> Self:
        """The same chain for material at ``lufs`` integrated.

        All thresholds move by the difference to ``level_lufs`` and stay inside their bounds; gains, times and
        the limiter's ceiling stay. A VST3 plug-in's settings stay, and it hears the material at the level
        that they are for. ``-inf`` (silence) gives the lowest thresholds; NaN is a ``PresetError``.
        """
        if math.isnan(lufs):
            raise PresetError("The material's loudness is not a number; wanted: LUFS, -inf for silence.")
        level = min(max(lufs, -100.0), 20.0)
        shift = level - self.level_lufs
        moved = tuple(_shifted(effect, shift) for effect in self.effects)
        return self.evolve(effects=moved, level_lufs=level)


class Bounds(PresetValue):
    """The least and the greatest value of a setting."""

    low: float
    high: float

    def clamped(self, number: float) -> float:
        """``number``, or the bound it passed."""
        return min(max(number, self.low), self.high)


def bounds_of(model: type[PresetValue], setting: str) -> Bounds | None:
    """The bounds in the type of a field, ``None`` where it is no bounded number."""
    metadata = model.model_fields[setting].metadata
    low = next((entry.ge for entry in metadata if hasattr(entry, "ge")), None)
    high = next((entry.le for entry in metadata if hasattr(entry, "le")), None)
    return None if low is None or high is None else Bounds(low=float(low), high=float(high))


_FOLLOWS = {"threshold_db": 1, "input_db": -1}
"""What moves with the material's level, and whether with it or against it."""


def _shifted(value: Any, shift_db: float) -> Any:
    """``value`` (an effect or a part of one) with its own and its parts' thresholds moved."""
    changes: dict[str, Any] = {}
    for setting in type(value).model_fields:
        content = getattr(value, setting)
        if isinstance(content, MultibandBand):
            changes[setting] = _shifted(content, shift_db)
        elif setting in _FOLLOWS:
            bounds = bounds_of(type(value), setting)
            moved = round(content + _FOLLOWS[setting] * shift_db, 6)  # -12.3, not -12.300000000000001
            changes[setting] = bounds.clamped(moved) if bounds else content
    return value.evolve(**changes) if changes else value
