"""Real plug-ins in their own process: in time, in length, in the state that was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, Samples, read_audio, write_audio
from bridge.config import Vst3Settings
from bridge.engines.vst3 import PluginHost, render_effect, work
from bridge.engines.vst3.host import setup_of
from bridge.engines.vst3.words import Look, Setup
from bridge.errors import AudioError, EngineError, JobCancelled
from presets import Chain, Compressor, Vst3, VstPreset, map_chain
from presets.dpf import read_state
from tests.dsp.signals import difference_db, noise
from tests.engines.vst3.plugins import real_plugin


@pytest.fixture(autouse=True)
def zam_plugins() -> None:
    real_plugin()


def rendered(effect: Vst3, source: Path, settings: Vst3Settings) -> Samples:
    target = source.with_name("out.wav")
    render_effect(effect, source, target, settings)
    return read_audio(target).samples


def mono_of(song: Path) -> Path:
    audio = read_audio(song)
    path = song.with_name("mono.wav")
    write_audio(path, Audio(samples=audio.samples[:1], rate_hz=audio.rate_hz))
    return path


def test_a_plug_in_does_what_it_is_set_to(song: Path, settings: Vst3Settings) -> None:
    """A compressor left open gives its makeup gain; names count whatever their capitals."""
    effect = Vst3(plugin="zamcompx2", parameters={"Threshold": 0.0, "makeup": 6.0})
    wanted = read_audio(song).samples * np.float32(10 ** (6 / 20))
    assert difference_db(rendered(effect, song, settings), wanted) < -40


@pytest.mark.parametrize("frames", [1, 479, 8192, 70_001])
def test_latency_is_taken_out_and_the_length_kept(
    frames: int, tmp_path: Path, settings: Vst3Settings
) -> None:
    """A limiter that looks 480 frames ahead and has nothing to limit gives back what went in."""
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    whole = noise(frames) * np.float32(0.1)
    write_audio(source, Audio(samples=whole, rate_hz=48_000))
    found = render_effect(Vst3(plugin="ZaMaximX2"), source, target, settings)
    assert found.plugin.latency_frames == 480
    made = read_audio(target).samples
    assert made.shape == whole.shape
    assert np.max(np.abs(made - whole)) < 1e-3


def test_a_mono_plug_in_gets_an_instance_for_each_channel(song: Path, settings: Vst3Settings) -> None:
    """Each side comes out as it would alone: nothing is folded, nothing crosses over."""
    effect = Vst3(plugin="ZamComp", parameters={"Threshold": -30.0, "Ratio": 6.0})
    target = song.with_name("stereo.wav")
    assert render_effect(effect, song, target, settings).plugin.is_dual_mono
    stereo, alone = read_audio(target).samples, rendered(effect, mono_of(song), settings)
    np.testing.assert_array_equal(stereo[:1], alone)
    assert difference_db(stereo[1:], alone) > -20


def test_a_choice_counts_whatever_its_capitals(settings: Vst3Settings) -> None:
    """As names do; the plug-in's own words are told."""
    setup = Setup(plugin=real_plugin("ZamEQ2"), parameters={"current program": "carvedvox"})
    with PluginHost(settings) as host:
        told = host.look(Look(setup=setup)).parameters
    assert next(each.value for each in told if each.name == "Current Program") == "CarvedVox"


@pytest.mark.parametrize(("value", "meant"), [(True, "On"), (False, "Off"), (2.0, "2"), ("AUTO", "Auto")])
def test_switches_and_numbers_may_be_choices(value: bool | float | str, meant: str) -> None:
    """On a command line "on" is a switch and "2" a number before anybody knows what the plug-in takes."""

    class Mode:
        type = str
        valid_values = ("Off", "On", "2", "Auto")

    assert work.choice_of(Mode(), value) == meant


def test_a_stereo_plug_in_takes_a_mono_stem(song: Path, settings: Vst3Settings) -> None:
    """It comes out mono, in time, and louder by the makeup."""
    source = mono_of(song)
    made = rendered(Vst3(plugin="ZamCompX2", parameters={"Makeup": 6.0}), source, settings)
    assert difference_db(made, read_audio(source).samples * np.float32(10 ** (6 / 20))) < -40


def test_the_level_around_it_is_taken_back(song: Path, settings: Vst3Settings) -> None:
    """20 dB up and down again around a compressor is the same as a threshold 20 dB lower."""
    low = Vst3(plugin="ZamCompX2", parameters={"Threshold": -40.0, "Ratio": 4.0})
    driven = Vst3(plugin="ZamCompX2", parameters={"Threshold": -20.0, "Ratio": 4.0}, input_db=20.0)
    assert difference_db(rendered(driven, song, settings), rendered(low, song, settings)) < -50


def test_a_preset_first_then_parameters(song: Path, settings: Vst3Settings) -> None:
    """The written preset of a chain brings the state; a single parameter goes over it; both are saved."""
    chain = Chain(name="x", role="bass", effects=(Compressor(threshold_db=-30.0, ratio=4.0),))
    (mapped,) = map_chain(chain).presets
    preset = song.with_name("written.vstpreset")
    preset.write_bytes(mapped.to_vstpreset().to_bytes())
    state = song.with_name("state.vstpreset")
    effect = Vst3(plugin="ZamCompX2", preset=str(preset), parameters={"Makeup": 3.0})
    render_effect(effect, song, song.with_name("out.wav"), settings, state=state)
    saved = read_state(VstPreset.from_bytes(state.read_bytes()).chunk("Comp"))
    wanted = {value.symbol: value.value for value in mapped.values} | {"mak": 3.0}
    assert saved == pytest.approx(wanted, abs=0.02)
    again = Vst3(plugin="ZamCompX2", preset=str(state))
    assert (
        difference_db(rendered(again, song, settings), read_audio(song.with_name("out.wav")).samples) < -100
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"plugin": "ZamCompX3"}, "Did you mean 'ZamCompX2'"),
        ({"parameters": {"Treshold": -20.0}}, "did you mean 'Threshold'"),
        ({"parameters": {"Threshold": 20.0}}, "out of range"),
        ({"parameters": {"Current Program": "Loud"}}, "Current Program = 'Loud'"),
        ({"preset": "/nowhere/x.vstpreset"}, "/nowhere/x.vstpreset cannot be read"),
        ({"preset": "Nobody's"}, "no preset"),
        ({"component": "Other"}, "Other"),
    ],
    ids=["name", "parameter", "range", "choice", "no file", "no preset", "component"],
)
def test_mistakes_are_told_with_the_near_word(
    changes: dict[str, object], told: str, song: Path, settings: Vst3Settings
) -> None:
    """Who has written a chain learns what to correct; no target is left."""
    effect = Vst3.model_validate({"plugin": "ZamCompX2", **changes})
    with pytest.raises(EngineError) as caught:
        render_effect(effect, song, song.with_name("out.wav"), settings)
    assert told in caught.value.message
    assert not song.with_name("out.wav").exists()


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: data[:48]], ids=["cut", "header"])
def test_a_damaged_preset_never_reaches_a_plug_in(damage: object, song: Path, settings: Vst3Settings) -> None:
    """Hosts have taken such files, or crashed on them."""
    chain = Chain(name="x", role="bass", effects=(Compressor(),))
    whole = map_chain(chain).presets[0].to_vstpreset().to_bytes()
    preset = song.with_name("damaged.vstpreset")
    preset.write_bytes(damage(whole))  # type: ignore[operator]
    with pytest.raises(EngineError, match=r"damaged\.vstpreset"):
        render_effect(Vst3(plugin="ZamCompX2", preset=str(preset)), song, song.with_name("o.wav"), settings)


def test_a_file_of_ours_is_not_the_plug_ins_fault(song: Path, settings: Vst3Settings) -> None:
    """An audio file that is no audio file is told as what it is."""
    song.write_bytes(b"no audio")
    with pytest.raises(AudioError):
        render_effect(Vst3(plugin="ZamCompX2"), song, song.with_name("o.wav"), settings)


def test_cancelling_ends_the_process(song: Path, settings: Vst3Settings) -> None:
    """A progress callback that raises ends it at once; no target appears."""

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        render_effect(Vst3(plugin="ZaMaximX2"), song, song.with_name("o.wav"), settings, progress=cancel)
    assert not song.with_name("o.wav").exists()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ZamGateX2", {"Attack": 150.07, "Threshold": -42.0}),
        ("ZaMaximX2", {"Release": 30.7, "Output Ceiling": -21.0}),
        ("ZamEQ2", {"Boost/Cut 1": 6.0}),
    ],
)
def test_a_look_tells_what_the_preset_holds(
    name: str, parameters: dict[str, bool | float | str], settings: Vst3Settings, tmp_path: Path
) -> None:
    """And not the defaults: what was set is told again of a fresh instance with the captured state."""
    path, state = real_plugin(name), tmp_path / "state.vstpreset"
    with PluginHost(settings) as host:
        host.look(Look(setup=Setup(plugin=path, parameters=parameters), state=state))
        told = host.look(Look(setup=Setup(plugin=path, preset=state))).parameters
    found = {each.name: float(each.value) for each in told if each.name in parameters}
    assert found == pytest.approx(parameters, abs=0.05)


def test_a_look_tells_every_parameter(settings: Vst3Settings) -> None:
    """Names, values, units, ranges and choices; several plug-ins one after another in one process."""
    with PluginHost(settings) as host:
        limiter = host.look(Look(setup=setup_of(Vst3(plugin="ZaMaximX2"), settings)))
        mono = host.look(Look(setup=setup_of(Vst3(plugin="ZamEQ2"), settings)))
    assert limiter.plugin.latency_frames == 480
    assert mono.plugin.is_dual_mono
    ceiling = next(found for found in limiter.parameters if found.name == "Output Ceiling")
    assert (ceiling.unit, ceiling.low, ceiling.high) == ("dB", -30.0, 0.0)
    program = next(found for found in mono.parameters if found.name == "Current Program")
    assert "CarvedVox" in program.choices
