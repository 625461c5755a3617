"""The export: taken only if it does what the package does, and never over a file that works."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import read_audio
from bridge.config import Config, load_config
from bridge.engines.deepfilternet import Network, export, model_path
from bridge.engines.deepfilternet.export import (
    MOST_DIFFERENCE,
    difference,
    export_model,
    make_missing_model,
)
from bridge.engines.deepfilternet.stream import CleaningStream
from bridge.engines.environments import State
from bridge.errors import EngineError, JobCancelled, WeightsError
from bridge.hashes import hash_file
from bridge.weights import weights_named
from tests.engines.deepfilternet.tiny import write_tiny

REAL_PYTHON = "STEMBRIDGE_DEEPFILTERNET_PYTHON"
"""Names the interpreter of an environment with DeepFilterNet's package, for the test of the real export."""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(overrides={"work": {"folder": str(tmp_path / "data")}})


@pytest.fixture
def copier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "EXPORTER", Path(__file__).with_name("copier"))


def checkpoint(place: Path, *, off: float = 0.0) -> Path:
    """What the copier gives: a network, a sample, and the sample cleaned, ``off`` beside it."""
    place.mkdir()
    model = write_tiny(place / "target")
    heard = (np.random.default_rng(1).standard_normal((2, 30_123)) * 0.1).astype(np.float32)
    stream = CleaningStream(Network(model), 2)
    cleaned = np.concatenate([stream.feed(heard.astype(float)), stream.finish()], axis=1)
    heard.tofile(place / "heard")
    (cleaned + off).astype(np.float32).tofile(place / "cleaned")
    return place


@pytest.mark.usefixtures("copier")
def test_a_file_that_does_the_same_is_taken(tmp_path: Path, config: Config) -> None:
    """It lies where the enhancer looks, with nothing beside it."""
    shares: list[float] = []
    made = export_model(Path(sys.executable), checkpoint(tmp_path / "good"), config, shares.append)
    assert made == model_path(config)
    assert [path.name for path in made.parent.iterdir()] == [made.name]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    Network(made)


@pytest.mark.usefixtures("copier")
def test_a_file_that_differs_is_dropped(tmp_path: Path, config: Config) -> None:
    """By a hundred-thousandth of full scale already; the file of before stays."""
    before = export_model(Path(sys.executable), checkpoint(tmp_path / "good"), config).read_bytes()
    with pytest.raises(EngineError, match="differs from its package"):
        export_model(Path(sys.executable), checkpoint(tmp_path / "off", off=2 * MOST_DIFFERENCE), config)
    assert model_path(config).read_bytes() == before
    assert [path.name for path in model_path(config).parent.iterdir()] == [model_path(config).name]


@pytest.mark.usefixtures("copier")
def test_a_package_that_ends_its_process_is_an_error(tmp_path: Path, config: Config) -> None:
    """As it does where it finds no checkpoint."""
    place = checkpoint(tmp_path / "exit")
    (place / "exit").touch()
    with pytest.raises(EngineError, match="exit 1"):
        export_model(Path(sys.executable), place, config)
    assert not model_path(config).exists()


@pytest.mark.usefixtures("copier")
def test_an_export_can_be_cancelled(tmp_path: Path, config: Config) -> None:
    """And leaves nothing."""

    def cancel(_share: float) -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        export_model(Path(sys.executable), checkpoint(tmp_path / "good"), config, cancel)
    assert not list(model_path(config).parent.iterdir())


@pytest.fixture
def published(tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a checkpoint "as published"; this Python stands for the environment."""
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", checkpoint(tmp_path / "good")))
    form = {"file": "DeepFilterNet3.zip", "size_bytes": packed.stat().st_size, "sha256": hash_file(packed)}
    known = weights_named("deepfilternet3")
    part = known.parts[0].evolve(forms=(known.parts[0].forms[0].evolve(**form),))
    monkeypatch.setattr(export, "weights_named", lambda _name: known.evolve(parts=(part,)))
    monkeypatch.setattr(export, "python_of", lambda _name, _config: Path(sys.executable))
    monkeypatch.setattr(export, "state_of", lambda _engine, _config: State.READY)
    place = config.weights_folder / "deepfilternet3" / "DeepFilterNet3.zip"
    place.parent.mkdir(parents=True)
    shutil.copy(packed, place)
    return place


@pytest.mark.usefixtures("copier", "published")
def test_what_is_missing_is_made_once(config: Config) -> None:
    """As soon as environment and checkpoint are here; a file that is there is left."""
    assert make_missing_model(config) == model_path(config)
    assert make_missing_model(config) is None


@pytest.mark.usefixtures("copier")
def test_without_checkpoint_or_environment_nothing_is_made(
    published: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked says what is missing."""
    with monkeypatch.context() as patch:
        patch.setattr(export, "state_of", lambda _engine, _config: State.ABSENT)
        assert make_missing_model(config) is None
    published.unlink()
    assert make_missing_model(config) is None


@pytest.mark.usefixtures("copier")
def test_a_checkpoint_that_is_not_as_published_is_not_loaded(published: Path, config: Config) -> None:
    """It is a pickle, and a pickle is a program."""
    published.write_bytes(published.read_bytes()[:-1] + b"!")
    with pytest.raises(WeightsError, match="not what was published"):
        make_missing_model(config)
    assert not model_path(config).exists()


def test_an_interpreter_without_the_package_is_an_error(tmp_path: Path, config: Config) -> None:
    """This one, most often."""
    with pytest.raises(EngineError, match=r"DeepFilterNet's export"):
        export_model(Path(sys.executable), tmp_path, config)


@pytest.fixture(scope="session")
def package_python() -> Path:
    """The interpreter of DeepFilterNet's own environment."""
    python = os.environ.get(REAL_PYTHON)
    if not python:
        pytest.skip(f"{REAL_PYTHON} names no interpreter with DeepFilterNet's package, torch and onnx")
    return Path(python)


@pytest.mark.parametrize("is_packed", [False, True], ids=["folder", "zip"])
def test_the_packages_own_export_does_what_it_does(
    package_python: Path,
    shared_data: Path,
    real_model: Path,
    tmp_path: Path,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    is_packed: bool,
) -> None:
    """DeepFilterNet3 through its package, whatever variables say: it cleans as the shared one does."""
    monkeypatch.setenv("SR", "16000")
    place = real_model.parent
    if is_packed:
        place = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", place.parent, place.name))
    made = export_model(package_python, place, config)
    noisy = read_audio(shared_data / "audio" / "speech" / "noisy_snr0.wav").samples.astype(np.float64)
    stream = CleaningStream(Network(real_model), 1)
    cleaned = np.concatenate([stream.feed(noisy), stream.finish()], axis=1)
    assert difference(made, noisy, cleaned) < MOST_DIFFERENCE


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda place: (place / "config.ini").unlink(), "no config.ini"),
        (lambda place: shutil.rmtree(place / "checkpoints"), "no checkpoints"),
        (lambda place: (place / "checkpoints" / "model_120.ckpt.best").write_bytes(b"no pickle"), "export: "),
        (lambda place: _change(place / "config.ini", "nb_df = 96", "nb_df = 64"), "another nb_df"),
    ],
    ids=["no config", "no checkpoint", "damaged", "another network"],
)
def test_a_checkpoint_that_is_none_is_told(
    package_python: Path,
    real_model: Path,
    tmp_path: Path,
    config: Config,
    spoil: Callable[[Path], None],
    word: str,
) -> None:
    """What is wrong with it, and nothing is written."""
    place = shutil.copytree(real_model.parent, tmp_path / "spoiled")
    for path in (place, *place.rglob("*")):
        path.chmod(0o755)
    spoil(place)
    with pytest.raises(EngineError, match=word):
        export_model(package_python, place, config)
    assert not model_path(config).exists()


def _change(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))
