"""The rack runs chains over files and arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, probe, read_audio, write_audio
from bridge.dsp import build, run, run_file
from bridge.errors import AudioError, JobCancelled
from presets.chain import (
    Chain,
    Compressor,
    Eq,
    EqBand,
    Gain,
    Limiter,
    Saturator,
    StereoWidth,
    TransientShaper,
)

from .signals import RATE_HZ, difference_db, drums, noise

CHAIN = Chain(
    name="Drums",
    role="drums",
    effects=(
        Eq(bands=(EqBand(shape="highpass", frequency_hz=40),), reason="Nothing lives below"),
        Compressor(threshold_db=-24, ratio=3, name="glue"),
        TransientShaper(attack_db=4),
        Saturator(drive_db=6),
        StereoWidth(width=1.2, mono_below_hz=120),
        Limiter(ceiling_dbtp=-3),
    ),
)


def written(path: Path, audio: Audio) -> Path:
    write_audio(path, audio)
    return path


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [1, 100, 65_536, 150_001])
def test_the_file_is_the_array(frames: int, channels: int, tmp_path: Path) -> None:
    """``run_file`` and ``run`` give the same bits, of the source's length."""
    audio = Audio(samples=drums(4.0, channels=channels)[:, :frames], rate_hz=RATE_HZ)
    source, target = written(tmp_path / "in.wav", audio), tmp_path / "out.wav"
    report = run_file(source, target, CHAIN)
    assert report.frames == frames
    np.testing.assert_array_equal(read_audio(target).samples, run(CHAIN, audio).samples)
    assert probe(target).frames == frames


def test_the_source_is_not_changed(tmp_path: Path) -> None:
    """Its bytes stay."""
    source = written(tmp_path / "in.wav", Audio(samples=drums(0.5), rate_hz=RATE_HZ))
    before = source.read_bytes()
    run_file(source, tmp_path / "out.wav", CHAIN)
    assert source.read_bytes() == before


def test_the_report_tells_each_effect() -> None:
    """Kinds, names, reasons and what was done, in order."""
    rack = build(CHAIN, RATE_HZ, 2)
    rack.process(drums(2.0))
    report = rack.report()
    assert [effect.kind for effect in report.effects] == [effect.kind for effect in CHAIN.effects]
    assert report.effects[0].reason == "Nothing lives below"
    assert report.effects[1].name == "glue"
    assert report.effects[1].figures["max_gain_reduction_db"] > 3
    assert type(report).model_validate_json(report.model_dump_json()) == report


def test_effects_run_in_their_order() -> None:
    """Gain before a compressor drives it, behind it does not."""
    loud, hard = Gain(gain_db=12), Compressor(threshold_db=-20, ratio=10)
    audio = Audio(samples=drums(1.0), rate_hz=RATE_HZ)
    before = run(Chain(name="a", role="x", effects=(loud, hard)), audio)
    after = run(Chain(name="b", role="x", effects=(hard, loud)), audio)
    assert difference_db(before.samples, after.samples) > -20


def test_an_empty_chain_changes_nothing() -> None:
    """Bit by bit, in arrays of their own."""
    audio = Audio(samples=noise(1000), rate_hz=RATE_HZ)
    made = run(Chain(name="Nothing", role="bass"), audio)
    np.testing.assert_array_equal(made.samples, audio.samples)
    assert not np.shares_memory(made.samples, audio.samples)


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    """A progress callback that raises ends the run; no target appears."""
    source = written(tmp_path / "in.wav", Audio(samples=noise(300_000), rate_hz=RATE_HZ))

    def cancel(share: float) -> None:
        if share > 0.4:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_file(source, tmp_path / "out.wav", CHAIN, progress=cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    """Working files have one or two; the message says what to do, and nothing is left."""
    source = written(tmp_path / "in.wav", Audio(samples=noise(1000, channels=4), rate_hz=RATE_HZ))
    with pytest.raises(AudioError, match="fold_to_stereo"):
        run_file(source, tmp_path / "out.wav", CHAIN)
    assert not (tmp_path / "out.wav").exists()
