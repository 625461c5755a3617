"""Chains of presets in a producer's words."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from bridge.report import GainReduction, effect_shown
from bridge.report.chains import TITLES
from presets import chain as chains
from presets.values import PresetValue

NB = "\N{NO-BREAK SPACE}"
KINDS = get_args(get_args(chains.Effect)[0])


def settings(effect: chains.Effect) -> dict[str, str]:
    """Control to value."""
    return {setting.name: setting.value for setting in effect_shown(effect).settings}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_effect_has_a_title_and_settings_with_units(kind: type[PresetValue]) -> None:
    """None is forgotten, no raw field name is shown."""
    needed = {
        chains.Eq: {"bands": [{"shape": "bell", "frequency_hz": 440.0}]},
        chains.Vst3: {"plugin": "ZamEQ2"},
    }
    effect: Any = kind.model_validate(needed.get(kind, {}))
    shown = effect_shown(effect)
    assert TITLES[effect.kind] in shown.title
    assert shown.settings
    assert all("_" not in setting.name and setting.value for setting in shown.settings)


def test_an_equaliser_names_shape_frequency_gain_and_slope() -> None:
    """A gain for bells, a slope for passes, the channel where it is not both."""
    effect = chains.Eq(
        channel="side",
        bands=(
            chains.EqBand(shape="highpass", frequency_hz=90, slope_db_per_octave=24),
            chains.EqBand(shape="bell", frequency_hz=2500, gain_db=-2.4, q=1.2),
        ),
    )
    assert effect_shown(effect).title == "Equaliser, side"
    assert settings(effect) == {f"High-pass 90{NB}Hz": "24 dB/oct", f"Bell 2.5{NB}kHz": "−2.4 dB, Q 1.20"}


def test_what_is_off_is_left_out() -> None:
    """A side-chain filter at 0 Hz is none; a gain of 0 dB is told."""
    off, on = settings(chains.Compressor()), settings(chains.Compressor(sidechain_highpass_hz=120.0, mix=0.5))
    assert "Sidechain high-pass" not in off
    assert on["Sidechain high-pass"] == f"120{NB}Hz"
    assert on["Mix"] == "50%"
    assert off["Makeup"] == f"0.0{NB}dB"
    assert off["Ratio"] == "2 : 1"


def test_reason_and_findings_come_along() -> None:
    """What the processor found stands beside what it was set to."""
    found = GainReduction(mean_db=1.2, max_db=4.0)
    shown = effect_shown(chains.Limiter(reason="Brings it to -14."), reductions=[found])
    assert shown.reason == "Brings it to -14."
    assert shown.reductions == (found,)
