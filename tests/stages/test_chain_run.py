"""Chains with third-party plug-ins: in their order, in time, and without those that fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, read_audio, write_audio
from bridge.config import Config
from bridge.dsp import run_file
from bridge.protocols import no_progress
from bridge.stages import mix, roles
from bridge.stages.chain_run import ChainRun, run_chain
from bridge.stages.checkup import check_up
from bridge.stages.mix import StemPlan
from presets import Chain, Compressor, Effect, Gain, Saturator, Vst3, VstPreset
from tests.dsp.signals import RATE_HZ, difference_db, drums
from tests.engines.vst3.plugins import real_plugin
from tests.stages.conftest import RunStage

MISSING = Vst3(plugin="Nobody has this one", name="ghost")
MAKEUP = Vst3(plugin="ZamCompX2", parameters={"Makeup": 6.0})


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    path = tmp_path / "stem.wav"
    write_audio(path, Audio(samples=drums(1.5), rate_hz=RATE_HZ))
    return path


def chain(*effects: Effect) -> Chain:
    return Chain(name="Mine", role="drums", effects=effects)


def run(stem: Path, config: Config, *effects: Effect) -> tuple[ChainRun, Path]:
    target = stem.with_name("made.wav")
    return run_chain(stem, target, chain(*effects), config.vst3, no_progress), target


@pytest.mark.parametrize(
    "place", [pytest.param(0, id="first"), pytest.param(1, id="between"), pytest.param(2, id="last")]
)
def test_what_is_missing_costs_its_own_effect_alone(place: int, stem: Path, config: Config) -> None:
    """Wherever it stands: the rest of the chain gives the same bits as without it, and it is told why."""
    ours: list[Effect] = [Saturator(drive_db=6, mix=1), Compressor(threshold_db=-30)]
    with_it = [*ours[:place], MISSING, *ours[place:]]
    found, target = run(stem, config, *with_it)
    run_file(stem, stem.with_name("wanted.wav"), chain(*ours))
    np.testing.assert_array_equal(
        read_audio(target).samples, read_audio(stem.with_name("wanted.wav")).samples
    )
    (told,) = found.left_out
    assert "'Nobody has this one' is not installed" in told
    assert [effect.kind for effect in found.report.effects] == [effect.kind for effect in with_it]
    assert sorted(path.name for path in stem.parent.iterdir()) == ["made.wav", "stem.wav", "wanted.wav"]


def test_a_chain_of_nothing_else_leaves_the_stem(stem: Path, config: Config) -> None:
    """Bit by bit."""
    found, target = run(stem, config, MISSING, MISSING)
    np.testing.assert_array_equal(read_audio(target).samples, read_audio(stem).samples)
    assert len(found.left_out) == 2
    assert found.report.frames == read_audio(stem).samples.shape[1]


def test_plug_ins_stand_in_their_order(stem: Path, config: Config) -> None:
    """Six decibels of a plug-in's makeup before and behind a saturator are not the same."""
    real_plugin()
    shape = Saturator(drive_db=18, mix=1)
    _, target = run(stem, config, MAKEUP, shape)
    before = read_audio(target).samples
    found, target = run(stem, config, shape, MAKEUP)
    assert difference_db(before, read_audio(target).samples) > -20
    run_file(stem, stem.with_name("ours.wav"), chain(shape, Gain(gain_db=6)))
    assert difference_db(read_audio(target).samples, read_audio(stem.with_name("ours.wav")).samples) < -40
    assert found.report.effects[1].plugin["vendor"] == "Damien Zammit"
    (state,) = found.states.values()
    assert VstPreset.from_bytes(state.read_bytes()).class_id


def test_the_mix_goes_on_without_a_plug_in_that_fails(run_stage: RunStage, stem: Path) -> None:
    """The stem's other effects and the other stems are as they would be; who failed stands in the facts."""
    before = check_up(stem, no_progress)
    stems = {f"{roles.DRY}/drums": stem, f"{roles.DRY}/bass": stem}

    def mixed(*effects: Effect) -> mix.Params:
        plans = (
            StemPlan(label="drums", chain=chain(*effects), before=before),
            StemPlan(label="bass", chain=chain(Saturator(drive_db=3)), before=before),
        )
        return mix.Params(stems=plans, headroom_dbfs=-1.0, crest_loss_db=4.0, tone_shift_db=4.5)

    made = run_stage(mix.STAGE, mixed(Saturator(drive_db=3), MISSING), stems)
    wanted = run_stage(mix.STAGE, mixed(Saturator(drive_db=3)), stems)
    np.testing.assert_array_equal(
        read_audio(made.files["mix"]).samples, read_audio(wanted.files["mix"]).samples
    )
    (left_out,) = made.facts["left_out"]
    assert left_out["subject"] == "drums"
    assert "not installed" in left_out["why"]
    assert wanted.facts["left_out"] == []
