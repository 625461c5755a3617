"""Chains of presets as the report shows them: names and settings in a producer's words and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from bridge.report.data import Curve, Effect, GainReduction, Setting
from bridge.report.words import hertz, percent, signed, with_unit
from presets import chain as chains
from presets.dialplugin import setting_text

TITLES = {
    "eq": "Equaliser",
    "compressor": "Compressor",
    "multiband": "Multiband compressor",
    "gate": "Gate",
    "transient_shaper": "Transient shaper",
    "de_esser": "De-esser",
    "saturator": "Saturator",
    "stereo_width": "Stereo width",
    "gain": "Gain",
    "limiter": "True-peak limiter",
    "vst3": "VST3 plug-in",
}
_SHAPES = {
    "highpass": "High-pass",
    "lowpass": "Low-pass",
    "low_shelf": "Low shelf",
    "high_shelf": "High shelf",
    "bell": "Bell",
}
_SUFFIXES = ("_dbtp", "_db", "_ms", "_hz")
_SIGNED = frozenset({"makeup_db", "gain_db", "output_db", "attack_db", "sustain_db"})
_SHARES = frozenset({"mix"})
_OFF_AT_ZERO = frozenset({"sidechain_highpass_hz", "mono_below_hz"})
_HIDDEN = frozenset({"kind", "name", "reason", "channel"})


def effect_shown(
    effect: chains.Effect,
    *,
    reductions: Sequence[GainReduction] = (),
    response: Curve | None = None,
    twin: Setting | None = None,
    told: Mapping[str, str] = MappingProxyType({}),
) -> Effect:
    """An effect of a chain for the report, with what its processor found, and how near its preset comes.

    ``told`` are parameters as a third-party plug-in has them, with its units.
    """
    return Effect(
        title=_title(effect),
        settings=effect_settings(effect, told),
        reason=effect.reason,
        reductions=tuple(reductions),
        response=response,
        twin=twin,
    )


def effect_settings(
    effect: chains.Effect, told: Mapping[str, str] = MappingProxyType({})
) -> tuple[Setting, ...]:
    """All settings that count, with units; what is off is left out."""
    if isinstance(effect, chains.Eq):
        return tuple(_band_setting(band) for band in effect.bands)
    if isinstance(effect, chains.Multiband):
        return _multiband_settings(effect)
    if isinstance(effect, chains.Vst3):
        return tuple(_plugin_settings(effect, told))
    return _plain_settings(effect)


def _title(effect: chains.Effect) -> str:
    title = TITLES[effect.kind]
    if isinstance(effect, chains.Vst3):
        return f"{effect.component or effect.plugin} ({title})"
    channel = getattr(effect, "channel", "stereo")
    return title if channel == "stereo" else f"{title}, {channel}"


def _band_setting(band: chains.EqBand) -> Setting:
    what = (
        f"{band.slope_db_per_octave} dB/oct"
        if band.shape in ("highpass", "lowpass")
        else f"{signed(band.gain_db)} dB, Q {band.q:.2f}"
    )
    return Setting(name=f"{_SHAPES[band.shape]} {hertz(band.frequency_hz)}", value=what)


def _multiband_settings(effect: chains.Multiband) -> tuple[Setting, ...]:
    crossovers = f"{hertz(effect.low_crossover_hz)} / {hertz(effect.high_crossover_hz)}"
    bands = {"Low": effect.low, "Mid": effect.mid, "High": effect.high}
    return (
        Setting(name="Crossovers", value=crossovers),
        *(_multiband_row(name, band) for name, band in bands.items()),
    )


def _multiband_row(name: str, band: chains.MultibandBand) -> Setting:
    if band.ratio == 1:
        return Setting(name=name, value=f"{signed(band.makeup_db)} dB, not compressed")
    times = f"{band.attack_ms:g} / {with_unit(band.release_ms, 'ms', 0)}"
    return Setting(name=name, value=f"{with_unit(band.threshold_db, 'dB')}, {band.ratio:g} : 1, {times}")


def _plugin_settings(effect: chains.Vst3, told: Mapping[str, str]) -> Iterator[Setting]:
    """The preset's name, every parameter by the plug-in's own name, and the gain around it."""
    yield Setting(name="Preset", value=PurePath(effect.preset).stem if effect.preset else "its default")
    for name, value in effect.parameters.items():
        yield Setting(name=name, value=told.get(name, setting_text(value)))
    if effect.input_db:
        yield Setting(name="Level", value=f"{signed(effect.input_db)}\N{NO-BREAK SPACE}dB in, back behind it")


def _plain_settings(effect: Any) -> tuple[Setting, ...]:
    named = {name: getattr(effect, name) for name in type(effect).model_fields if name not in _HIDDEN}
    return tuple(
        Setting(name=_label(name), value=_value(name, value))
        for name, value in named.items()
        if value or name not in _OFF_AT_ZERO
    )


def _label(name: str) -> str:
    plain = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    return plain.replace("_", " ").replace("highpass", "high-pass").capitalize()


def _value(name: str, value: float) -> str:
    if name in _SHARES:
        return percent(value)
    if name == "ratio":
        return f"{value:g} : 1"
    if name.endswith("_hz"):
        return hertz(value)
    if name.endswith("_ms"):
        return with_unit(value, "ms", 0 if value >= 10 else 1)
    unit = "dBTP" if name.endswith("_dbtp") else "dB" if name.endswith("_db") else ""
    if not unit:
        return f"{value:g}"
    return f"{signed(value)}\N{NO-BREAK SPACE}{unit}" if name in _SIGNED else with_unit(value, unit)
