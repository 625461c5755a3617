"""DeepFilterNet as an enhancer: what it does to files, what it says where it cannot."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import Audio, AudioWriter, read_audio, write_audio
from bridge.config import load_config
from bridge.engines.deepfilternet import DeepFilterNetEnhancer, model_path
from bridge.errors import AudioError, EngineError, JobCancelled, is_disk_full
from bridge.protocols import Enhancer, no_progress
from tests.engines.deepfilternet.conftest import settings
from tests.engines.deepfilternet.tiny import INPUTS, Shape, write_tiny


def song(path: Path, frames: int = 60_000, channels: int = 2, rate_hz: int = 44_100) -> Path:
    samples = np.random.default_rng(5).standard_normal((channels, frames)) * 0.1
    write_audio(path, Audio(samples=samples.astype(np.float32), rate_hz=rate_hz))
    return path


def failure(model: Path, place: Path) -> EngineError:
    """What the enhancer says with that model; no target may be left."""
    source, target = song(place / "vocals.wav"), place / "cleaned.wav"
    with pytest.raises(EngineError) as caught:
        DeepFilterNetEnhancer(settings(model)).enhance(source, target, no_progress)
    assert not target.exists()
    assert not list(place.glob(".*.partial.wav"))
    return caught.value


@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_comes_back_in_its_own_form(tiny: Path, tmp_path: Path, channels: int) -> None:
    """Rate, channels and length; changed, finite."""
    source, target = song(tmp_path / "vocals.wav", channels=channels), tmp_path / "cleaned.wav"
    shares: list[float] = []
    enhancer = DeepFilterNetEnhancer(settings(tiny))
    enhancer.enhance(source, target, shares.append)
    before, after = read_audio(source), read_audio(target)
    assert isinstance(enhancer, Enhancer)
    assert (after.rate_hz, after.samples.shape) == (before.rate_hz, before.samples.shape)
    assert np.isfinite(after.samples).all()
    assert 0.01 < np.abs(after.samples - before.samples).max() < 1
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("limit_db", "wet", "left"),
    [(100, 1.0, 0.0), (20, 1.0, 0.1), (6.0206, 1.0, 0.5), (100, 0.25, 0.75), (0, 1.0, 1.0), (100, 0.0, 1.0)],
)
def test_limit_and_share_bound_what_is_taken(
    tmp_path: Path, limit_db: float, wet: float, left: float
) -> None:
    """A network that takes all away leaves what the settings leave."""
    model = write_tiny(tmp_path / "mute.onnx", gain=0.0)
    source, target = song(tmp_path / "vocals.wav", rate_hz=48_000), tmp_path / "cleaned.wav"
    limited = settings(model, attenuation_limit_db=limit_db, wet=wet)
    DeepFilterNetEnhancer(limited).enhance(source, target, no_progress)
    assert np.abs(read_audio(target).samples - left * read_audio(source).samples).max() < 1e-5


def test_the_network_is_looked_for_where_the_settings_say(tmp_path: Path) -> None:
    """The settings' own file first, then the one among the weights."""
    plain = load_config(overrides={"work": {"folder": str(tmp_path)}})
    assert model_path(plain) == tmp_path / "models" / "deepfilternet3" / "deepfilternet3.onnx"
    assert model_path(settings(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"


def test_the_version_tells_the_network(tiny: Path, tmp_path: Path) -> None:
    """Another network, another limit or one that is installed later makes another result."""
    other = write_tiny(tmp_path / "other.onnx", gain=0.5)
    versions = [
        DeepFilterNetEnhancer(config).version
        for config in (
            settings(tiny),
            settings(other),
            settings(tiny, attenuation_limit_db=6),
            settings(tmp_path / "no.onnx"),
        )
    ]
    assert len(set(versions)) == 4
    assert DeepFilterNetEnhancer(settings(tiny, threads=2)).version == versions[0]


def test_a_missing_network_says_how_to_get_it(tmp_path: Path) -> None:
    """With its place, the command and the setting."""
    error = failure(tmp_path / "none.onnx", tmp_path)
    assert "none.onnx" in error.message
    assert "stembridge engines install deepfilternet" in error.message
    assert "deepfilternet.model" in error.message


@pytest.mark.parametrize(
    "content", [b"", b"This is no network.\n" * 99, None], ids=["empty", "foreign", "truncated"]
)
def test_a_damaged_network_is_named(tmp_path: Path, tiny: Path, content: bytes | None) -> None:
    """Half a download too."""
    model = tmp_path / "damaged.onnx"
    model.write_bytes(tiny.read_bytes()[:-3_000] if content is None else content)
    error = failure(model, tmp_path)
    assert "damaged.onnx" in error.message
    assert "no network that can be loaded" in error.message
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        ({**INPUTS, "attention": (1,)}, "attention"),
        ({**INPUTS, "feat_spec": ("batch", 2, "time", 96, 1)}, "feat_spec"),
        ({**INPUTS, "h_df": (3, "batch", 256)}, "h_df"),
    ],
    ids=["name", "dimensions", "size"],
)
def test_another_network_is_refused_before_work(tmp_path: Path, inputs: dict[str, Shape], word: str) -> None:
    """One whose names or shapes are others, even if it loads."""
    model = write_tiny(tmp_path / "other.onnx", inputs=inputs)
    error = failure(model, tmp_path)
    assert f"of another shape: {word}. " in error.message
    assert "other.onnx" in error.message


def test_a_network_that_gives_no_numbers_is_stopped(tmp_path: Path) -> None:
    """NaN never reaches a file."""
    model = write_tiny(tmp_path / "nan.onnx", bias=float("nan"))
    assert "no numbers" in failure(model, tmp_path).message


def test_a_network_of_the_wrong_length_is_stopped(tmp_path: Path) -> None:
    """Its weights are those of other frames."""
    model = write_tiny(tmp_path / "late.onnx", first_frame=1)
    assert "late.onnx" in failure(model, tmp_path).message


def test_samples_that_are_no_numbers_are_refused(tiny: Path, tmp_path: Path) -> None:
    """With the frame at which they lie."""
    source = tmp_path / "vocals.wav"
    samples = np.zeros((1, 70_000), np.float32)
    samples[0, 66_000] = np.nan
    write_audio(source, Audio(samples=samples, rate_hz=44_100))
    with pytest.raises(EngineError, match="frame 66000"):
        DeepFilterNetEnhancer(settings(tiny)).enhance(source, tmp_path / "out.wav", no_progress)
    assert not (tmp_path / "out.wav").exists()


def test_a_full_disk_is_told_as_one(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the job waits and no lesser denoiser is asked."""

    def full(_writer: AudioWriter, _samples: np.ndarray) -> None:
        raise AudioError("There is no room.") from OSError(errno.ENOSPC, "No space left on device")

    source = song(tmp_path / "vocals.wav")
    monkeypatch.setattr(AudioWriter, "write", full)
    with pytest.raises(EngineError) as caught:
        DeepFilterNetEnhancer(settings(tiny)).enhance(source, tmp_path / "out.wav", no_progress)
    assert is_disk_full(caught.value)
    assert not (tmp_path / "out.wav").exists()


def test_cancel_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    """From any call of progress."""
    source, target = song(tmp_path / "vocals.wav", frames=200_000), tmp_path / "cleaned.wav"

    def cancel(share: float) -> None:
        if share > 0.5:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        DeepFilterNetEnhancer(settings(tiny)).enhance(source, target, cancel)
    assert not target.exists()
