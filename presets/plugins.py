"""Chains in the parameters of free stereo VST3 plug-ins, and what those cannot do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from presets.chain import Chain, Compressor, Gate, Limiter, Multiband, MultibandBand, Vst3
from presets.dpf import write_state
from presets.errors import PresetError
from presets.resources import shipped_table
from presets.values import PresetValue, did_you_mean, parse_value
from presets.vstpreset import ClassId, VstPreset


class PluginParameter(PresetValue):
    """A parameter of a plug-in, as its state and hosts name it."""

    symbol: str
    title: str
    unit: str
    low: float
    high: float
    default: float
    steps: int = 1000
    """Steps between ``low`` and ``high`` in hosts; 1 is a switch."""

    def on_grid(self, number: float) -> float:
        """The nearest number in range that a host can show and set."""
        share = (min(max(number, self.low), self.high) - self.low) / (self.high - self.low)
        return self.low + round(share * self.steps) / self.steps * (self.high - self.low)


class Plugin(PresetValue):
    """A plug-in that presets are written for."""

    name: str
    vendor: str
    class_id: ClassId
    """On Linux and macOS; Windows writes it in another byte order."""
    version: str
    """The version the table was read from."""
    caveat: str
    """In what it differs from our processor whatever the settings."""
    parameters: tuple[PluginParameter, ...]


class PluginValue(PresetValue):
    """One parameter as set, on the plug-in's grid."""

    symbol: str
    title: str
    value: float
    unit: str


class PluginPreset(PresetValue):
    """One effect of a chain as a plug-in's settings."""

    effect_index: int
    """Which effect of the chain it stands for, from 0."""
    plugin: Plugin
    values: tuple[PluginValue, ...]
    """Every parameter, in the order of the plug-in's state."""
    notes: tuple[str, ...]
    """What the plug-in does otherwise than the effect, in sentences."""

    def to_vstpreset(self) -> VstPreset:
        """The preset as a file would hold it."""
        state = write_state({value.symbol: value.value for value in self.values})
        return VstPreset.of_state(self.plugin.class_id, state)


class ChainMapping(PresetValue):
    """A chain in plug-ins: presets in the chain's order, and what has none."""

    presets: tuple[PluginPreset, ...]
    left_out: tuple[str, ...]
    """What no stereo plug-in serves: each effect with its place, such as "EQ (1)"."""


class _Settings(PresetValue):
    """The settings an effect asks for, before they meet the plug-in's ranges; the rest stay at default."""

    values: dict[str, float]
    notes: tuple[str, ...] = ()


@cache
def plugins() -> Mapping[str, Plugin]:
    """The plug-ins by name."""
    table = shipped_table("plugins.toml")
    return {name: parse_value(Plugin, {"name": name, **data}, "plugins.toml") for name, data in table.items()}


def plugin(name: str) -> Plugin:
    """The plug-in of that name; ``PresetError`` where presets are not written for it."""
    if name in plugins():
        return plugins()[name]
    raise PresetError(f"No presets are written for plug-in {name!r}; {did_you_mean(name, plugins())}")


def map_chain(chain: Chain) -> ChainMapping:
    """Each effect of ``chain`` that a free stereo plug-in serves, as its settings, and the rest in words.

    An effect that is a plug-in itself is neither.
    """
    mapped = [(index, effect, _PLUGIN_OF.get(effect.kind)) for index, effect in enumerate(chain.effects)]
    return ChainMapping(
        presets=tuple(_preset(index, effect, name) for index, effect, name in mapped if name),
        left_out=tuple(
            _left_out(index, effect.kind)
            for index, effect, name in mapped
            if not name and not isinstance(effect, Vst3)
        ),
    )


def _left_out(index: int, kind: str) -> str:
    return f"{'EQ' if kind == 'eq' else kind.replace('_', ' ')} ({index + 1})"


def _preset(index: int, effect: Any, name: str) -> PluginPreset:
    found = plugin(name)
    asked = _SETTINGS_OF[name](effect)
    values = {p.symbol: p.on_grid(asked.values.get(p.symbol, p.default)) for p in found.parameters}
    return PluginPreset(
        effect_index=index,
        plugin=found,
        values=tuple(
            PluginValue(symbol=p.symbol, title=p.title, value=values[p.symbol], unit=p.unit)
            for p in found.parameters
        ),
        notes=(*_clamp_notes(found, asked), *asked.notes, found.caveat),
    )


def _clamp_notes(found: Plugin, asked: _Settings) -> list[str]:
    notes = []
    for parameter in found.parameters:
        number = asked.values.get(parameter.symbol, parameter.default)
        if not parameter.low <= number <= parameter.high:
            unit = f" {parameter.unit}" if parameter.unit else ""
            limit = parameter.low if number < parameter.low else parameter.high
            notes.append(f"{parameter.title}: {number:g}{unit} asked, {limit:g} is its limit.")
    return notes


_DETECTOR_DB: Final = 5.0
"""How much lower ZamCompX2 4.1.0 reads music than our detector does, whatever the knee: median over the stems
of six composed songs (seeds 31 to 36) of the threshold at which both turn down equally."""


def _compressor_settings(effect: Compressor) -> _Settings:
    values = {
        "att": effect.attack_ms,
        "rel": effect.release_ms,
        "rat": effect.ratio,
        "thr": effect.threshold_db - _DETECTOR_DB,
        "mak": effect.makeup_db,
        # Its knee lifts what lies just under the threshold (4.1.0: +1.2 dB at 4), so it stays hard.
        "kn": 0.0,
        "stereodet": 1.0,
    }
    return _Settings(values=values, notes=tuple(_compressor_notes(effect)))


def _compressor_notes(effect: Compressor) -> list[str]:
    notes = []
    if effect.knee_db > 0:
        notes.append(f"Knee: left hard instead of {effect.knee_db:g} dB, since the plug-in's knee adds gain.")
    if effect.mix < 1:
        notes.append(f"Mix {effect.mix:.0%}: the plug-in has none; blend it in a rack beside a dry chain.")
    if effect.sidechain_highpass_hz > 0:
        notes.append(f"Side-chain high-pass {effect.sidechain_highpass_hz:g} Hz: the plug-in has none.")
    return notes


def _multiband_settings(effect: Multiband) -> _Settings:
    bands = (effect.low, effect.mid, effect.high)
    # Makeup only goes up there; what is asked downwards goes into the trim of all three, exactly.
    trim_db = max(min(0.0, *(band.makeup_db for band in bands)), -12.0)
    values = {
        "xover1": effect.low_crossover_hz,
        "xover2": effect.high_crossover_hz,
        "stereodet": 1.0,
        "globalgain": trim_db,
    }
    for number, band in enumerate(bands, start=1):
        values |= {f"{symbol}{number}": value for symbol, value in _band_settings(band, trim_db).items()}
    return _Settings(values=values)


_KNEE_WIDTH_DB: Final = 6.0
"""Width of the multiband's knee at 1 on its dial, from its gain curve (4.1.0)."""


def _band_settings(band: MultibandBand, trim_db: float) -> dict[str, float]:
    makeup_db = band.makeup_db - trim_db
    return {
        "att": band.attack_ms,
        "rel": band.release_ms,
        "kn": band.knee_db / _KNEE_WIDTH_DB,
        "rat": band.ratio,
        "thr": band.threshold_db,
        "mak": makeup_db,
        "toggle": float(band.ratio > 1 or makeup_db > 0),
    }


def _limiter_settings(effect: Limiter) -> _Settings:
    # What it turns up is the way from threshold to ceiling.
    threshold_db = effect.ceiling_dbtp - effect.gain_db
    return _Settings(values={"rel": effect.release_ms, "ceil": effect.ceiling_dbtp, "thresh": threshold_db})


def _gate_settings(effect: Gate) -> _Settings:
    notes = (f"Hold {effect.hold_ms:g} ms: the plug-in has none.",) if effect.hold_ms > 0 else ()
    values = {
        "att": effect.attack_ms,
        "rel": effect.release_ms,
        "thr": effect.threshold_db,
        "close": effect.range_db,
    }
    return _Settings(values=values, notes=notes)


_PLUGIN_OF: Final[Mapping[str, str]] = {
    "compressor": "ZamCompX2",
    "multiband": "ZaMultiCompX2",
    "limiter": "ZaMaximX2",
    "gate": "ZamGateX2",
}
_SETTINGS_OF: Final[Mapping[str, Callable[[Any], _Settings]]] = {
    "ZamCompX2": _compressor_settings,
    "ZaMultiCompX2": _multiband_settings,
    "ZaMaximX2": _limiter_settings,
    "ZamGateX2": _gate_settings,
}
