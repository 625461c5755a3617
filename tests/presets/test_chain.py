"""Chains: bounded, frozen, TOML both ways, thresholds that follow the material."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from presets import (
    Chain,
    Compressor,
    DeEsser,
    Effect,
    Eq,
    EqBand,
    Gain,
    Gate,
    Limiter,
    Multiband,
    MultibandBand,
    PresetError,
    Saturator,
    StereoWidth,
    TransientShaper,
    Vst3,
    bounds_of,
)

EFFECT_TYPES = get_args(get_args(Effect)[0])
ONE_OF_EACH = (
    Eq(channel="side", bands=(EqBand(shape="highpass", frequency_hz=80, slope_db_per_octave=48),)),
    Compressor(mix=0.4, reason='"quoted" and\nbroken ♪'),
    Multiband(low=MultibandBand(threshold_db=-30.0)),
    Gate(),
    TransientShaper(attack_db=3.0),
    DeEsser(),
    Saturator(),
    StereoWidth(width=1.2, mono_below_hz=120.0),
    Gain(gain_db=-2.5),
    Limiter(gain_db=3.0),
    Vst3(plugin="ZamEQ2", preset="Warm", parameters={"Mode": "Low Pass", "On": True, "Gain 1": -2.5}),
)


def chain_of(*effects: Any, **more: Any) -> Chain:
    return Chain(name="Test", role="drums", effects=effects, **more)


def test_every_kind_survives_toml() -> None:
    """All eleven effects, nested parts and odd text come back equal."""
    chain = chain_of(*ONE_OF_EACH, style="rock", description="é")
    assert {type(effect) for effect in chain.effects} == set(EFFECT_TYPES)
    assert Chain.from_toml(chain.to_toml()) == chain


@pytest.mark.parametrize("effect_type", [*EFFECT_TYPES, EqBand, MultibandBand])
def test_every_number_is_bounded(effect_type: type[Any]) -> None:
    """No float is left without bounds, and each refuses what lies past them, NaN and text."""
    numbers = [name for name, field in effect_type.model_fields.items() if field.annotation is float]
    assert numbers or effect_type is Eq
    needed = {EqBand: {"shape": "bell", "frequency_hz": 100.0}, Vst3: {"plugin": "ZamEQ2"}}
    whole = needed.get(effect_type, {})
    for name in numbers:
        bounds = bounds_of(effect_type, name)
        assert bounds is not None, name
        for wrong in (bounds.low - 0.001, bounds.high + 0.001, math.nan, math.inf, "3", True):
            with pytest.raises(ValidationError):
                effect_type(**{**whole, name: wrong})


def test_a_long_chain_takes_what_a_job_adds() -> None:
    """A wish, the level behind a stem's chain, the limiter behind a master's: they fit whatever is there."""
    chain = chain_of(*[Gain(gain_db=-1.0)] * 32)
    longer = chain.evolve(effects=(*chain.effects, Gain(), Limiter()))
    assert Chain.from_toml(longer.to_toml()) == longer


def test_values_are_frozen() -> None:
    """A setting cannot be changed in place."""
    with pytest.raises(ValidationError):
        Compressor().ratio = 3.0  # type: ignore[misc]


def test_bands_of_a_multiband_stay_apart() -> None:
    """Crossovers less than an octave apart are refused, and the message says what is wanted."""
    with pytest.raises(PresetError, match="at least an octave above"):
        Chain.from_toml(
            'name="x"\nrole="b"\n[[effects]]\nkind="multiband"\nlow_crossover_hz=900.0\nhigh_crossover_hz=1000.0'
        )


HEAD = 'name = "x"\nrole = "bass"\n[[effects]]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            HEAD + 'kind = "compresor"', ["effects.0", "'compresor'", "did you mean 'compressor'"], id="kind"
        ),
        pytest.param(
            HEAD + 'kind = "compressor"\ntreshold_db = -3.0',
            ["treshold_db", "did you mean 'threshold_db'"],
            id="key",
        ),
        pytest.param(
            HEAD + 'kind = "multiband"\n[effects.low]\nrato = 2.0',
            ["low.rato", "did you mean 'ratio'"],
            id="deep key",
        ),
        pytest.param(
            HEAD + 'kind = "eq"\nbands = [{ shape = "bell", frequency_hz = 50.0, gian_db = 1.0 }]',
            ["bands.0.gian_db", "did you mean 'gain_db'"],
            id="key of a band",
        ),
        pytest.param(
            HEAD + 'kind = "compressor"\nratio = 99',
            ["ratio", "found 99", "less than or equal to 20"],
            id="range",
        ),
        pytest.param(HEAD + 'kind = "compressor"\nratio = "2"', ["ratio", "found '2'", "number"], id="text"),
        pytest.param(HEAD + "ratio = 2.0", ["effects.0.kind", "missing"], id="no kind"),
        pytest.param('role = "bass"', ["name", "missing"], id="no name"),
        pytest.param('nmae = "x"\nrole = "bass"', ["nmae", "did you mean 'name'"], id="top key"),
        pytest.param("name = ", ["no", "TOML"], id="not toml"),
        pytest.param(HEAD + 'kind = "eq"\nbands = []', ["bands", "at least 1"], id="no bands"),
        pytest.param(HEAD + 'kind = "gain"\ngain_db = nan', ["gain_db", "found nan"], id="nan"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, told: list[str]) -> None:
    """The message names the file, the place, what was found and what was wanted."""
    with pytest.raises(PresetError) as caught:
        Chain.from_toml(text, "my.toml")
    for word in ["my.toml", *told]:
        assert word in caught.value.message


def test_thresholds_follow_the_level_and_gains_do_not() -> None:
    """6 dB quieter material: every threshold 6 dB lower, all else as before."""
    ours = [effect for effect in ONE_OF_EACH if not isinstance(effect, Vst3)]
    before, after = chain_of(*ours), chain_of(*ours).at_level(-26.0)
    assert after.level_lufs == -26.0
    for old, new in zip(before.effects, after.effects, strict=True):
        assert _without_thresholds(new.model_dump()) == _without_thresholds(old.model_dump())
        for low, high in zip(_thresholds(new.model_dump()), _thresholds(old.model_dump()), strict=True):
            assert low == pytest.approx(high - 6.0)
    assert len(_thresholds(before.model_dump())) == 6


def test_a_shift_is_taken_from_the_chain_s_own_level() -> None:
    """Going to -26 LUFS twice is going there once; back again is where it began."""
    chain = chain_of(*ONE_OF_EACH)
    assert chain.at_level(-26.0).at_level(-26.0) == chain.at_level(-26.0)
    assert chain.at_level(-26.0).at_level(-20.0) == chain


def test_extreme_levels_stay_in_bounds() -> None:
    """Silence puts thresholds to the bottom, very loud material to the top; NaN is refused."""
    chain = chain_of(*ONE_OF_EACH)
    assert _thresholds(chain.at_level(-math.inf).model_dump()) == [-60.0] * 4 + [-90.0, -60.0]
    assert set(_thresholds(chain.at_level(math.inf).model_dump())) <= {0.0, -10.0}
    with pytest.raises(PresetError, match="not a number"):
        chain.at_level(math.nan)


@given(st.floats(-100, 20))
def test_any_level_gives_a_valid_chain(lufs: float) -> None:
    """Whatever the loudness, the chain can be written and read."""
    moved = chain_of(*ONE_OF_EACH).at_level(lufs)
    assert Chain.from_toml(moved.to_toml()) == moved


def _thresholds(data: Any) -> list[float]:
    if isinstance(data, dict):
        own = [data["threshold_db"]] if "threshold_db" in data else []
        return own + [found for value in data.values() for found in _thresholds(value)]
    if isinstance(data, list | tuple):
        return [found for value in data for found in _thresholds(value)]
    return []


def _without_thresholds(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_thresholds(value) for key, value in data.items() if key != "threshold_db"}
    return data


def test_a_plug_in_hears_the_level_its_settings_are_for() -> None:
    """Its thresholds are out of reach, so the material is brought to them: quieter material is turned up."""
    chain = chain_of(Vst3(plugin="ZamCompX2", parameters={"Threshold": -18.0}), level_lufs=-20.0)
    (moved,) = chain.at_level(-26.0).effects
    assert isinstance(moved, Vst3)
    assert moved.input_db == 6.0
    assert moved.parameters == {"Threshold": -18.0}
    assert chain.at_level(-26.0).at_level(-20.0) == chain


@pytest.mark.parametrize("wrong", [math.nan, None, [1.0]], ids=str)
def test_a_plug_ins_parameter_is_a_number_a_switch_or_a_word(wrong: object) -> None:
    """Nothing else can be set."""
    with pytest.raises(ValidationError):
        Vst3(plugin="ZamEQ2", parameters={"Gain": wrong})  # type: ignore[dict-item]
