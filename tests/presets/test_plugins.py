"""Chains in the parameters of plug-ins, and the files made of them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presets import (
    Chain,
    Compressor,
    Gain,
    Gate,
    GuidedChain,
    Library,
    Limiter,
    Multiband,
    MultibandBand,
    PresetError,
    VstPreset,
    map_chain,
    preset_files,
    render_preset_guide,
    safe_name,
)
from presets.dpf import read_state
from presets.plugins import plugin, plugins


def settings(effect: Any) -> dict[str, float]:
    return {value.symbol: value.value for value in only(effect).values}


def notes(effect: Any) -> str:
    return " ".join(only(effect).notes)


def only(effect: Any) -> Any:
    (preset,) = map_chain(Chain(name="x", role="bass", effects=(effect,))).presets
    return preset


def test_a_compressor_keeps_its_settings() -> None:
    """Times, ratio and makeup within a step of a host's thousand; linked by the louder channel.

    The threshold stands 5 dB lower, as the plug-in hears music.
    """
    found = settings(
        Compressor(threshold_db=-23.7, ratio=1.8, attack_ms=33.3, release_ms=123.4, makeup_db=1.5)
    )
    asked = {"thr": -28.7, "rat": 1.8, "att": 33.3, "rel": 123.4, "mak": 1.5}
    for parameter in plugin("ZamCompX2").parameters:
        if parameter.symbol in asked:
            step = (parameter.high - parameter.low) / 1000
            assert abs(found[parameter.symbol] - asked[parameter.symbol]) <= step / 2 + 1e-9
    assert found["stereodet"] == 1
    assert found["sidechain"] == 0


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        pytest.param(Compressor(attack_ms=150), "Attack: 150 ms asked, 100 is its limit", id="attack"),
        pytest.param(Compressor(makeup_db=-3), "Makeup: -3 dB asked, 0 is its limit", id="makeup down"),
        pytest.param(Compressor(knee_db=6), "left hard instead of 6 dB", id="knee"),
        pytest.param(Compressor(mix=0.3), "Mix 30%: the plug-in has none", id="mix"),
        pytest.param(
            Compressor(sidechain_highpass_hz=90), "high-pass 90 Hz: the plug-in has none", id="side-chain"
        ),
        pytest.param(Gate(hold_ms=40), "Hold 40 ms: the plug-in has none", id="hold"),
        pytest.param(Gate(range_db=-70), "Max gate close: -70 dB asked, -50 is its limit", id="range"),
        pytest.param(
            Limiter(release_ms=300), "Release: 300 ms asked, 100 is its limit", id="limiter release"
        ),
        pytest.param(Limiter(), "not true peaks", id="true peak"),
        pytest.param(
            Multiband(high_crossover_hz=900),
            "Crossover freq 2: 900 Hz asked, 1400 is its limit",
            id="crossover",
        ),
    ],
)
def test_what_a_plug_in_cannot_do_is_told(effect: Any, told: str) -> None:
    """Each difference is a sentence, and the value written is inside the plug-in's range."""
    assert told in notes(effect)
    for value, parameter in zip(only(effect).values, only(effect).plugin.parameters, strict=True):
        assert parameter.low <= value.value <= parameter.high


def test_what_fits_is_not_called_a_limit() -> None:
    """No false alarms."""
    plain = Compressor(knee_db=0.0)
    assert notes(plain) == plugin("ZamCompX2").caveat


def test_a_multiband_that_turns_down_uses_the_trim() -> None:
    """Makeup cannot be negative there: trim plus makeup is what was asked in each band."""
    bands = [MultibandBand(makeup_db=db) for db in (-2.0, 1.0, 0.0)]
    found = settings(Multiband(low=bands[0], mid=bands[1], high=bands[2]))
    totals = [found["globalgain"] + found[f"mak{number}"] for number in (1, 2, 3)]
    assert totals == pytest.approx([-2.0, 1.0, 0.0], abs=0.03)


def test_a_band_that_does_nothing_is_off() -> None:
    """Ratio 1 without makeup switches a band's compressor off, anything else on."""
    quiet, loud = MultibandBand(ratio=1.0), MultibandBand(ratio=1.0, makeup_db=1.0)
    found = settings(Multiband(low=quiet, mid=MultibandBand(ratio=1.5), high=loud))
    assert [found[f"toggle{number}"] for number in (1, 2, 3)] == [0, 1, 1]


def test_a_limiters_gain_is_the_way_from_threshold_to_ceiling() -> None:
    """3 dB up into a ceiling of -1."""
    found = settings(Limiter(ceiling_dbtp=-1.0, gain_db=3.0))
    assert found["ceil"] - found["thresh"] == pytest.approx(3.0, abs=0.031)


def test_effects_without_a_plug_in_are_named() -> None:
    """They are left out in words, in their place."""
    mapping = map_chain(Chain(name="x", role="bass", effects=(Gain(), Compressor())))
    assert [preset.effect_index for preset in mapping.presets] == [1]
    assert mapping.left_out == ("gain (1)",)


@pytest.mark.parametrize("name", plugins())
def test_grids_are_those_of_hosts(name: str) -> None:
    """Every value lies on a step; ends and defaults are kept; what is on the grid stays."""
    for parameter in plugin(name).parameters:
        assert parameter.on_grid(parameter.low - 1) == parameter.low
        assert parameter.on_grid(parameter.high + 1) == pytest.approx(parameter.high)
        step = (parameter.high - parameter.low) / parameter.steps
        assert parameter.on_grid(parameter.default) == pytest.approx(parameter.default, abs=step / 2 + 1e-9)
        for place in range(0, parameter.steps + 1, 97):
            number = parameter.low + place * step
            assert parameter.on_grid(number) == pytest.approx(number)


def test_unknown_plug_ins_are_answered() -> None:
    """Their equalisers are mono: none is written for."""
    with pytest.raises(PresetError, match="No presets are written for plug-in 'ZamEQ2'"):
        plugin("ZamEQ2")


@pytest.mark.parametrize("chain", Library().chains(), ids=lambda chain: f"{chain.role}/{chain.style}")
def test_every_shipped_chain_becomes_files(chain: Chain) -> None:
    """Two files a mapped effect; each reads back to the plug-in's whole parameter list, inside its ranges."""
    limited = chain.evolve(effects=(*chain.effects, Limiter(gain_db=2.0)))
    files, mapped = preset_files(limited, "Night Drive - Stem"), map_chain(limited).presets
    assert len(files) == 2 * len(mapped)
    assert len({file.path for file in files}) == len(files)
    for file, preset in zip(files[::2], mapped, strict=True):
        contents = VstPreset.from_bytes(file.data, file.path)
        state = read_state(contents.chunk("Comp"))
        assert contents.class_id == preset.plugin.class_id
        assert list(state) == [parameter.symbol for parameter in preset.plugin.parameters]


def test_files_lie_where_hosts_look() -> None:
    """Presets/<Vendor>/<Plugin>/, numbered where a plug-in comes twice, each beside its Windows variant."""
    chain = Chain(name="x", role="bass", effects=(Compressor(), Gate(), Compressor()))
    folder = "Presets/Damien Zammit"
    assert [file.path for file in preset_files(chain, "Night/Drive: Bass?")] == [
        f"{folder}/ZamCompX2/Night_Drive_ Bass_ 1.vstpreset",
        f"{folder}/ZamCompX2/Night_Drive_ Bass_ 1 (Windows).vstpreset",
        f"{folder}/ZamGateX2/Night_Drive_ Bass_.vstpreset",
        f"{folder}/ZamGateX2/Night_Drive_ Bass_ (Windows).vstpreset",
        f"{folder}/ZamCompX2/Night_Drive_ Bass_ 2.vstpreset",
        f"{folder}/ZamCompX2/Night_Drive_ Bass_ 2 (Windows).vstpreset",
    ]


def test_the_windows_file_differs_in_the_id_alone() -> None:
    """32 bytes of class id and nothing else."""
    chain = Chain(name="x", role="bass", effects=(Compressor(), Gate(), Multiband(), Limiter()))
    files = preset_files(chain)
    for here, windows in zip(files[::2], files[1::2], strict=True):
        assert here.data[8:40] != windows.data[8:40]
        assert here.data[:8] + here.data[40:] == windows.data[:8] + windows.data[40:]


def test_nothing_to_write_is_no_fault() -> None:
    """A chain without dynamics has no files."""
    assert preset_files(Chain(name="x", role="fx", effects=(Gain(),))) == []


@given(st.text(max_size=400))
def test_names_are_safe_everywhere(label: str) -> None:
    """One path part, short enough, no sign or name that Windows, macOS or Linux refuse."""
    name = safe_name(label)
    assert name
    assert PurePosixPath(name).name == name
    assert not set(name) & set('\\*?/:<>|"\0\n')
    assert not name.endswith((" ", "."))
    assert len(f"{name} 12 (Windows).vstpreset".encode()) <= 255


@pytest.mark.parametrize(
    ("label", "name"), [("CON", "_CON"), ("nul.x", "_nul.x"), ("..", "Preset"), ("", "Preset")]
)
def test_reserved_names_are_avoided(label: str, name: str) -> None:
    """Device names of Windows and names of dots alone."""
    assert safe_name(label) == name


def test_the_guide_tells_folders_files_and_limits() -> None:
    """Where to copy for each system, each file by its name, each note, each effect without a file."""
    chain = Chain(name="Bass", role="bass", effects=(Compressor(mix=0.5), Gain(), Compressor()))
    text = render_preset_guide(
        [GuidedChain(chain, "Night/Drive - Bass", {0: "0.4 dB louder"}), GuidedChain(chain, "")]
    )
    flat = " ".join(text.split()).replace("! ", "")
    for file in preset_files(chain, "Night/Drive - Bass")[::2]:
        assert file.path.removeprefix("Presets/Damien Zammit/") in text
    for note in [note for preset in map_chain(chain).presets for note in preset.notes]:
        assert note in flat
    assert flat.count("On this song, against ours: 0.4 dB louder.") == 1
    assert "gain (2)" in text
    assert all(place in text for place in ("~/Library/Audio/Presets/", "VST3 Presets", "~/.vst3/presets/"))
    assert max(len(line) for line in text.splitlines()) <= 110
