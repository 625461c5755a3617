"""Dial it in: a VST3 plug-in is its own device in Live, with what has to be set in it."""

from __future__ import annotations

from presets.chain import Vst3
from presets.dialvalues import Dial, DialDevice, amount


def plugin_device(effect: Vst3) -> DialDevice:
    """The plug-in itself, its preset and what is set over that."""
    preset = [Dial(control="Preset", value=effect.preset)] if effect.preset else []
    dials = [Dial(control=name, value=setting_text(value)) for name, value in effect.parameters.items()]
    title = effect.component or effect.plugin
    return DialDevice.of(f"{title} (VST3 plug-in)", effect.reason, [*preset, *dials], _level_notes(effect))


def setting_text(value: bool | float | str) -> str:
    """A parameter's value for people: "on", "-18", "Low Pass"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}"


def _level_notes(effect: Vst3) -> list[str]:
    if not effect.input_db:
        return []
    before, after = (amount(gain, signed=True) for gain in (effect.input_db, -effect.input_db))
    return [f"Its settings are for another level: a Utility of {before} dB before it, {after} dB behind it."]
