"""How near written presets come to our effects, in the real plug-ins."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bridge.audio import Audio, write_audio
from bridge.config import Config, load_config
from bridge.engines.vst3 import PluginHost
from bridge.engines.vst3.words import Render, Rendered
from bridge.errors import EngineError
from bridge.measure.survey import survey_file
from bridge.protocols import no_progress
from bridge.stages import roles
from bridge.stages.base import Inputs
from bridge.stages.parity import with_twins
from bridge.stages.presetting import UsedChain
from bridge.stages.twins import Twin, twin_of
from bridge.stages.views import save_view
from presets import Chain, Compressor, Effect, Gain, Gate, Limiter, Multiband, MultibandBand, Saturator, Vst3
from tests.dsp.signals import RATE_HZ, drums
from tests.engines.vst3.plugins import misbehaving, real_plugin
from tests.stages.conftest import assets_of

EFFECTS: tuple[Effect, ...] = (
    Compressor(threshold_db=-24, ratio=3, knee_db=0, makeup_db=2),
    Multiband(low=MultibandBand(threshold_db=-30, ratio=2), high=MultibandBand(ratio=1)),
    Gate(threshold_db=-45, range_db=-12, attack_ms=1, hold_ms=0),
    Saturator(drive_db=3),
    Limiter(ceiling_dbtp=-3, gain_db=4, release_ms=60),
)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """A stem with its view."""
    path = tmp_path / "drums.wav"
    write_audio(path, Audio(samples=drums(6.0), rate_hz=RATE_HZ))
    view = save_view(survey_file(path), tmp_path / "view.json")
    return Inputs(assets_of({f"{roles.DRY}/drums": path, f"{roles.VIEWS}/{roles.DRY}/drums": view}))


def used(*effects: Effect) -> UsedChain:
    """A chain as the mix stage left it: a gain behind it, of which no report tells."""
    chain = Chain(name="Drums", role="drums", effects=(*effects, Gain(name="level")))
    reports = tuple({"kind": effect.kind, "left_out": ""} for effect in effects)
    return UsedChain(
        subject="drums",
        title="Drums",
        chain=chain,
        effects=reports,
        is_kept=True,
        why="",
        before={},
        after={},
    )


def twins(chain: UsedChain, inputs: Inputs, config: Config, folder: Path) -> dict[str, Twin]:
    (made,) = with_twins((chain,), inputs, config, folder / "parity", no_progress)
    assert not (folder / "parity").exists()
    found = {facts["kind"]: twin_of(facts) for facts in made.effects}
    return {kind: twin for kind, twin in found.items() if twin}


def test_every_written_preset_is_measured(inputs: Inputs, config: Config, tmp_path: Path) -> None:
    """The plug-ins do what their presets say: levels, movement and tone are near ours."""
    real_plugin()
    found = twins(used(*EFFECTS), inputs, config, tmp_path)
    assert set(found) == {"compressor", "multiband", "gate", "limiter"}
    for kind, twin in found.items():
        measured = twin.likeness
        assert abs(measured.level_db) < 2.5, kind
        assert measured.movement_db < 1.5, kind
        assert measured.tone_db < 1.5, kind
    assert found["limiter"].plugin == "ZaMaximX2"
    assert abs(found["compressor"].likeness.level_db) < 0.7
    assert "movement within" in found["compressor"].words


def test_a_third_party_plug_in_takes_part(inputs: Inputs, config: Config, tmp_path: Path) -> None:
    """What comes behind it hears it; where it is gone, what comes before is measured all the same."""
    real_plugin()
    effects = [Gate(threshold_db=-45), Vst3(plugin="ZamEQ2", parameters={"Master Gain": 12.0}), Limiter()]
    assert set(twins(used(*effects), inputs, config, tmp_path)) == {"gate", "limiter"}
    effects[1] = Vst3(plugin="Nobody has this one")
    assert set(twins(used(*effects), inputs, config, tmp_path)) == {"gate"}


def test_a_plug_in_that_crashes_is_passed_over(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are measured all the same."""
    told: list[str] = []
    render = PluginHost.render

    def heard(host: PluginHost, request: Render) -> Rendered:
        try:
            return render(host, request)
        except EngineError as fault:
            told.append(fault.message)
            raise

    monkeypatch.setattr(PluginHost, "render", heard)
    real_plugin()
    misbehaving(tmp_path / "vst3", "CRASH", name="ZamCompX2")
    config = load_config(overrides={"vst3": {"folders": [str(tmp_path / "vst3")]}})
    assert set(twins(used(*EFFECTS), inputs, config, tmp_path)) == {"gate", "multiband", "limiter"}
    assert [message.partition(".")[0] for message in told] == ["ZamCompX2 crashed (SIGSEGV) while it worked"]


def test_a_plug_in_that_hangs_costs_its_time_once(inputs: Inputs, tmp_path: Path) -> None:
    """Not once for each of the presets that are written for it."""
    real_plugin()
    misbehaving(tmp_path / "vst3", "HANG", at_once=True, name="ZamCompX2")
    config = load_config(overrides={"vst3": {"folders": [str(tmp_path / "vst3")], "load_s": 3.0}})
    start_s = time.monotonic()
    many = (Compressor(), Compressor(ratio=3), Gate(threshold_db=-45), Compressor(ratio=4))
    assert set(twins(used(*many), inputs, config, tmp_path)) == {"gate"}
    assert time.monotonic() - start_s < 6


def test_masters_share_what_they_have_in_common(
    inputs: Inputs, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compressor before three limiters is measured once, each limiter for itself."""
    real_plugin()
    asked: list[Render] = []
    render = PluginHost.render
    monkeypatch.setattr(PluginHost, "render", lambda host, what: (asked.append(what), render(host, what))[1])
    path, view = inputs.path(f"{roles.DRY}/drums"), inputs.path(f"{roles.VIEWS}/{roles.DRY}/drums")
    song = Inputs(assets_of({roles.SOURCE: path, f"{roles.VIEWS}/{roles.SOURCE}": view}))
    chains = tuple(
        used(Compressor(), Limiter(gain_db=gain_db)).evolve(subject=f"master/{gain_db}")
        for gain_db in (1.0, 3.0, 6.0)
    )
    made = with_twins(chains, song, config, tmp_path / "parity", no_progress)
    assert [request.setup.plugin.stem for request in asked] == ["ZamCompX2", *["ZaMaximX2"] * 3]
    found = [[twin_of(facts) for facts in chain.effects] for chain in made]
    assert all(twin is not None for chain in found for twin in chain)
    assert len({chain[0].model_dump_json() for chain in found if chain[0]}) == 1
    assert len({chain[1].model_dump_json() for chain in found if chain[1]}) == 3


@pytest.mark.parametrize("is_asked", [True, False], ids=["not mapped", "switched off"])
def test_nothing_is_started_for_nothing(
    is_asked: bool, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where no effect has a preset, nor where it is not wanted."""
    config = load_config(overrides={"vst3": {"compares": is_asked}})
    monkeypatch.setattr("bridge.stages.parity.PluginHost", None)
    chain = used(Saturator()) if is_asked else used(Compressor())
    assert with_twins((chain,), inputs, config, tmp_path / "parity", no_progress) == (chain,)
