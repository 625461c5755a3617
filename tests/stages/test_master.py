"""The master stage: the loudness is met, the ceiling is kept, and what is too much is not forced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.audio import Audio, probe, read_audio, write_audio
from bridge.generate import ComposedSong
from bridge.measure.ffmpeg_meter import ffmpeg_loudness
from bridge.stages import master
from bridge.stages.master import Goal
from presets import Chain, Library, Saturator, Target, target
from tests.stages.conftest import RunStage


@pytest.fixture
def mix(song: ComposedSong, tmp_path: Path) -> Path:
    path = tmp_path / "mix.wav"
    write_audio(path, song.mixture)
    return path


def params(*targets: Target, chain: Chain | None = None) -> master.Params:
    return master.Params(
        chain=chain or Chain(name="Bare", role="master"),
        goals=tuple(Goal(target=found) for found in targets),
        bits=24,
        drive_loss_db=3.0,
        tone_shift_db=4.5,
        search_passes=5,
        search_tolerance_lu=0.03,
    )


def test_targets_are_met_by_a_strangers_meter(run_stage: RunStage, mix: Path) -> None:
    """Three targets with the shipped chain: within 0.1 LU and under the ceiling by FFmpeg's ebur128."""
    chain = Library().chain("master").at_level(-16)
    goals = [target("streaming"), target("apple"), target("broadcast")]
    made = run_stage(master.STAGE, params(*goals, chain=chain), {"mix": mix})
    for goal in goals:
        path = made.files[f"master/{goal.name}"]
        found = ffmpeg_loudness(path)
        assert found.integrated_lufs == pytest.approx(goal.integrated_lufs, abs=0.1)
        assert found.true_peak_dbtp <= goal.ceiling_dbtp + 0.005
        assert (probe(path).bits, probe(path).frames) == (24, probe(mix).frames)


def test_a_target_is_not_forced_beyond_its_limiting(run_stage: RunStage, mix: Path) -> None:
    """Far too loud: the limiter stays within what the target allows, and the reason is told."""
    greedy = Target(
        name="greedy", title="Greedy", integrated_lufs=-5.0, ceiling_dbtp=-1.0, max_limiting_db=2.0
    )
    made = run_stage(master.STAGE, params(greedy), {"mix": mix})
    facts = made.facts["masters"]["greedy"]
    assert not facts["is_reached"]
    assert "2 dB of peak limiting" in facts["why"]
    assert facts["limiter"]["busy_gain_reduction_db"] <= 2.11
    assert ffmpeg_loudness(made.files["master/greedy"]).true_peak_dbtp <= -1.0 + 0.005


def test_one_stray_peak_does_not_decide_the_master(
    run_stage: RunStage, song: ComposedSong, tmp_path: Path
) -> None:
    """A burst of 2 ms far above the music is limited; the song has its loudness all the same."""
    samples = song.mixture.samples.copy()
    samples[:, 200_000:200_088] = 3.5
    path = tmp_path / "burst.wav"
    write_audio(path, Audio(samples=samples, rate_hz=song.mixture.rate_hz))
    made = run_stage(master.STAGE, params(target("streaming")), {"mix": path})
    found = ffmpeg_loudness(made.files["master/streaming"])
    assert made.facts["masters"]["streaming"]["is_reached"]
    assert found.integrated_lufs == pytest.approx(-14, abs=0.1)
    assert found.true_peak_dbtp <= -1 + 0.005


def test_a_quiet_target_is_plain_gain(run_stage: RunStage, mix: Path) -> None:
    """Nothing to limit: the master is the mix, turned down."""
    made = run_stage(master.STAGE, params(target("broadcast")), {"mix": mix})
    gain = 10 ** (made.facts["masters"]["broadcast"]["gain_db"] / 20)
    wanted = read_audio(mix).samples * gain
    assert np.max(np.abs(read_audio(made.files["master/broadcast"]).samples - wanted)) < 1e-4


def test_the_chain_follows_the_mix_that_it_meets(run_stage: RunStage, song: ComposedSong, mix: Path) -> None:
    """A mix that was turned down by 6 dB is compressed as it was before, not 6 dB less."""
    quiet = mix.with_name("quiet.wav")
    write_audio(quiet, Audio(samples=song.mixture.samples / 2, rate_hz=song.mixture.rate_hz))
    chain = Library().chain("master").at_level(-14)
    as_loud, turned_down = (
        run_stage(master.STAGE, params(target("streaming"), chain=chain), {"mix": path}).facts["chain"]
        for path in (mix, quiet)
    )
    assert turned_down["chain"]["level_lufs"] == pytest.approx(as_loud["chain"]["level_lufs"] - 6.02, abs=0.1)
    taken = [_most_taken(facts) for facts in (as_loud, turned_down)]
    assert max(taken[0]) > 0.5
    assert taken[1] == pytest.approx(taken[0], abs=0.1)


def _most_taken(facts: dict[str, Any]) -> list[float]:
    figures = [effect["figures"] for effect in facts["effects"]["effects"]]
    return [found[name] for found in figures for name in found if name.endswith("max_gain_reduction_db")]


def test_a_chain_that_flattens_the_song_is_left_out(run_stage: RunStage, mix: Path) -> None:
    """Do no harm holds for masters, too."""
    crush = Chain(name="Crush", role="master", effects=(Saturator(drive_db=24, mix=1),))
    made = run_stage(master.STAGE, params(target("streaming"), chain=crush), {"mix": mix})
    assert not made.facts["chain"]["is_kept"]


def test_mono_stays_mono(run_stage: RunStage, song: ComposedSong, tmp_path: Path) -> None:
    """And is measured as one channel."""
    path = tmp_path / "mono.wav"
    samples = song.mixture.samples.mean(axis=0, keepdims=True, dtype=np.float32)
    write_audio(path, Audio(samples=samples, rate_hz=song.mixture.rate_hz))
    made = run_stage(
        master.STAGE,
        params(target("streaming"), chain=Library().chain("master").at_level(-18)),
        {"mix": path},
    )
    found = made.files["master/streaming"]
    assert probe(found).channels == 1
    assert ffmpeg_loudness(found).integrated_lufs == pytest.approx(-14, abs=0.1)
