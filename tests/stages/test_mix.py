"""The mix stage: chains change tone and dynamics, not level, and the parts sum to the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import read_audio, write_audio
from bridge.generate import ComposedSong
from bridge.measure.loudness import measure_loudness
from bridge.protocols import no_progress
from bridge.stages import mix
from bridge.stages.checkup import Checkup, check_up
from bridge.stages.mix import StemPlan
from presets import Chain, Eq, EqBand, Gain, Library, Saturator
from tests.stages.conftest import RunStage

LABELS = ("vocals", "drums", "bass", "other")


@pytest.fixture
def stems(song: ComposedSong, tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for role, audio in song.stems.items():
        paths[f"dry/{role}"] = tmp_path / f"{role}.wav"
        write_audio(paths[f"dry/{role}"], audio)
    return paths


def params(*plans: StemPlan, crest_loss_db: float = 4.0, tone_shift_db: float = 4.5) -> mix.Params:
    return mix.Params(
        stems=plans, headroom_dbfs=-1.0, crest_loss_db=crest_loss_db, tone_shift_db=tone_shift_db
    )


def seen(paths: dict[str, Path], label: str) -> Checkup:
    return check_up(paths[f"dry/{label}"], no_progress)


def shipped(paths: dict[str, Path]) -> tuple[StemPlan, ...]:
    plans = []
    for label in LABELS:
        before = seen(paths, label)
        chain = Library().chain(label).at_level(before.loudness_lufs)
        plans.append(StemPlan(label=label, chain=chain, before=before))
    return tuple(plans)


def bare(paths: dict[str, Path], label: str) -> StemPlan:
    return StemPlan(label=label, chain=Chain(name="Bare", role=label), before=seen(paths, label))


def test_mixed_stems_sum_to_the_mix(run_stage: RunStage, stems: dict[str, Path]) -> None:
    """To float precision, chains and all."""
    made = run_stage(mix.STAGE, params(*shipped(stems)), stems)
    parts = [read_audio(made.files[f"mixed/{label}"]).samples.astype(np.float64) for label in LABELS]
    whole = read_audio(made.files["mix"]).samples
    assert np.max(np.abs(sum(parts) - whole)) <= 10 ** (-120 / 20)
    assert np.max(np.abs(whole)) <= 10 ** (-1 / 20) + 1e-6


def test_shipped_chains_keep_each_stems_loudness(run_stage: RunStage, stems: dict[str, Path]) -> None:
    """Relative to the bus gain that all stems share."""
    made = run_stage(mix.STAGE, params(*shipped(stems)), stems)
    bus_db = made.facts["bus_gain_db"]
    for label in LABELS:
        before = measure_loudness(stems[f"dry/{label}"]).integrated_lufs
        after = measure_loudness(made.files[f"mixed/{label}"]).integrated_lufs
        assert after - bus_db == pytest.approx(before, abs=0.05), label


def test_without_chains_the_stems_come_out_as_they_went_in(
    run_stage: RunStage, stems: dict[str, Path]
) -> None:
    """But for the headroom, the same for all; the mix is the song."""
    made = run_stage(mix.STAGE, params(*(bare(stems, label) for label in LABELS)), stems)
    gain = 10 ** (made.facts["bus_gain_db"] / 20)
    for label in LABELS:
        dry = read_audio(stems[f"dry/{label}"]).samples
        assert np.max(np.abs(read_audio(made.files[f"mixed/{label}"]).samples - gain * dry)) < 1e-4


def test_a_harmful_chain_is_left_out_and_told(run_stage: RunStage, stems: dict[str, Path]) -> None:
    """A chain that squashes the drums does not reach the mix."""
    crush = Chain(name="Crush", role="drums", effects=(Saturator(drive_db=24, mix=1),))
    only = {"dry/drums": stems["dry/drums"]}
    made = run_stage(
        mix.STAGE, params(StemPlan(label="drums", chain=crush, before=seen(stems, "drums"))), only
    )
    assert not made.facts["stems"]["drums"]["is_kept"]
    assert "limit" in made.facts["stems"]["drums"]["why"]
    dry = read_audio(stems["dry/drums"]).samples
    gain = 10 ** (made.facts["bus_gain_db"] / 20)
    assert np.max(np.abs(read_audio(made.files["mixed/drums"]).samples - gain * dry)) < 1e-4


def test_a_chain_that_turns_the_tone_over_is_left_out(run_stage: RunStage, stems: dict[str, Path]) -> None:
    """Tone has a limit of its own."""
    bands = (EqBand(shape="high_shelf", frequency_hz=800, gain_db=18),)
    tilt = Chain(name="Tilt", role="other", effects=(Eq(bands=bands),))
    only = {"dry/other": stems["dry/other"]}
    made = run_stage(
        mix.STAGE, params(StemPlan(label="other", chain=tilt, before=seen(stems, "other"))), only
    )
    assert "tone" in made.facts["stems"]["other"]["why"]


def test_moves_and_wished_gain_are_kept(run_stage: RunStage, stems: dict[str, Path]) -> None:
    """Level matching takes back what a chain did, not what the producer wanted."""
    louder = Chain(name="Louder", role="vocals", effects=(Gain(gain_db=2.0),))
    plan = StemPlan(label="vocals", chain=louder, before=seen(stems, "vocals"), move_db=-1.0)
    only = {"dry/vocals": stems["dry/vocals"]}
    made = run_stage(mix.STAGE, params(plan), only)
    before = measure_loudness(stems["dry/vocals"]).integrated_lufs
    after = measure_loudness(made.files["mixed/vocals"]).integrated_lufs
    assert after - made.facts["bus_gain_db"] == pytest.approx(before + 1.0, abs=0.05)
