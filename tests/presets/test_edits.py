"""Edits of chains: one bounded number at a time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from presets import Chain, ChainEdit, Compressor, Eq, EqBand, Multiband, PresetError, apply_edits

CHAIN = Chain(
    name="Test",
    role="bass",
    effects=(
        Eq(
            bands=(
                EqBand(shape="highpass", frequency_hz=30),
                EqBand(shape="bell", frequency_hz=250, gain_db=-2),
            )
        ),
        Compressor(name="level", ratio=3.0),
        Multiband(),
        Compressor(name="parallel", mix=0.2),
    ),
)


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        pytest.param({"effect": "level", "setting": "ratio", "delta": 1.0}, 3.0, 4.0, id="by name"),
        pytest.param({"effect": 3, "setting": "mix", "value": 0.5}, 0.2, 0.5, id="by index"),
        pytest.param(
            {"effect": "multiband", "setting": "low.threshold_db", "delta": -3}, -24.0, -27.0, id="by kind"
        ),
        pytest.param(
            {"effect": "eq", "setting": "bands.1.gain_db", "delta": 1.0}, -2.0, -1.0, id="in a band"
        ),
        pytest.param(
            {"effect": 0, "setting": "bands.0.slope_db_per_octave", "value": 24}, 12, 24, id="a choice"
        ),
        pytest.param({"effect": "level", "setting": "ratio", "delta": 500.0}, 3.0, 20.0, id="clamped above"),
        pytest.param({"effect": "level", "setting": "ratio", "delta": -500.0}, 3.0, 1.0, id="clamped below"),
    ],
)
def test_an_edit_changes_one_number(edit: dict[str, Any], before: float, after: float) -> None:
    """The number moves, by a step as far as its bounds allow, and nothing else does."""
    change = ChainEdit(**edit)
    assert change.found_in(CHAIN) == before
    edited = change.apply(CHAIN)
    assert change.found_in(edited) == after
    undone = ChainEdit(**{**edit, "delta": None, "value": before}).apply(edited)
    assert undone == CHAIN


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        pytest.param(
            {"effect": "level", "setting": "ratio", "value": 99},
            "less than or equal to 20",
            id="out of range",
        ),
        pytest.param(
            {"effect": "level", "setting": "rato", "delta": 1}, "did you mean 'ratio'", id="setting"
        ),
        pytest.param({"effect": "levl", "setting": "ratio", "delta": 1}, "did you mean 'level'", id="effect"),
        pytest.param({"effect": "compressor", "setting": "ratio", "delta": 1}, "2 effects", id="ambiguous"),
        pytest.param({"effect": 9, "setting": "ratio", "delta": 1}, "it has 4", id="index"),
        pytest.param({"effect": -1, "setting": "ratio", "delta": 1}, "it has 4", id="negative index"),
        pytest.param({"effect": 0, "setting": "bands.7.gain_db", "delta": 1}, "it has 2", id="band"),
        pytest.param({"effect": 0, "setting": "bands.x.gain_db", "delta": 1}, "leads nowhere", id="no band"),
        pytest.param({"effect": 0, "setting": "bands", "delta": 1}, "a number", id="not a number"),
        pytest.param({"effect": 1, "setting": "reason", "value": 1}, "a number", id="text"),
        pytest.param({"effect": 1, "setting": "ratio.x", "value": 1}, "leads nowhere", id="too deep"),
        pytest.param({"effect": 0, "setting": "bands.0", "delta": 1}, "a number", id="a whole band"),
        pytest.param(
            {"effect": 0, "setting": "bands.0.slope_db_per_octave", "delta": 3},
            "few choices",
            id="step of a choice",
        ),
        pytest.param(
            {"effect": 0, "setting": "bands.0.slope_db_per_octave", "value": 18}, "12, 24 or 48", id="choice"
        ),
    ],
)
def test_an_edit_that_cannot_be_says_why(edit: dict[str, Any], told: str) -> None:
    """Wrong places and values out of bounds are refused with what is there instead."""
    with pytest.raises(PresetError) as caught:
        ChainEdit(**edit).apply(CHAIN)
    assert told in caught.value.message


def test_edits_keep_the_parts_of_an_effect_consistent() -> None:
    """An edit that would push two crossovers together is refused though each is in its own bounds."""
    apart = ChainEdit(effect=2, setting="high_crossover_hz", value=600)
    with pytest.raises(PresetError, match="octave"):
        apply_edits(CHAIN, [apart, ChainEdit(effect=2, setting="low_crossover_hz", value=500)])


@pytest.mark.parametrize("wrong", [{}, {"value": 1.0, "delta": 1.0}, {"delta": float("nan")}])
def test_an_edit_says_one_thing(wrong: dict[str, float]) -> None:
    """Neither, both, or no number is no edit."""
    with pytest.raises(ValidationError):
        ChainEdit(effect=0, setting="ratio", **wrong)


@given(st.floats(-1e6, 1e6))
def test_any_step_gives_a_valid_chain(delta: float) -> None:
    """However large the step, what comes out is in bounds."""
    edited = ChainEdit(effect="multiband", setting="high.attack_ms", delta=delta).apply(CHAIN)
    assert Chain.from_toml(edited.to_toml()) == edited
