"""Environments are made, go on where they stopped, are made anew, and are deleted."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from bridge.config import Config
from bridge.engines.environments import State, install, installing, look, python_of, remove, state_of
from bridge.engines.environments.pip import HowFar
from bridge.engines.environments.place import Place
from bridge.errors import DiskFullError, EngineError
from tests.engines.environments.conftest import config_of
from tests.engines.environments.index import TINY, Index

CPU_WORDS = "brings NVIDIA's packages with it"


def test_a_life_of_an_environment(config: Config, index: Index) -> None:
    """Absent, made with the pinned versions, found ready, used, outdated, deleted."""
    assert state_of(TINY, config) is State.ABSENT
    steps: list[HowFar] = []
    made = install(TINY, config, told=steps.append)
    assert not made.was_there
    assert made.python == python_of("tiny", config)
    assert next(step.words for step in steps if step.words) == "making the environment"
    assert any(step.words.startswith("unpacking") for step in steps)
    found = look(TINY, config)
    assert (found.state, found.words) == (State.READY, "")
    assert found.versions == {"tiny-engine": "1.0", "tiny-help": "3.0"}
    index.asked.clear()
    assert install(TINY, config).was_there
    assert not index.asked
    newer = TINY.evolve(requirements=("tiny-engine==1.0", "tiny-help"))
    assert state_of(newer, config) is State.OUTDATED
    assert python_of("tiny", config) == made.python
    assert remove(TINY, config) > 1e6
    assert state_of(TINY, config) is State.ABSENT
    assert remove(TINY, config) == 0


def test_what_was_killed_goes_on(config: Config, index: Index) -> None:
    """The environment that was begun is kept; of what pip had brought, all but what is half unpacked."""

    def die_while_unpacking(how_far: HowFar) -> None:
        if how_far.words.startswith("unpacking"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(TINY, config, told=die_while_unpacking)
    place = Place(TINY, config)
    assert state_of(TINY, config) is State.UNFINISHED
    assert not list(place.folder.parent.glob(".tiny-temp*"))
    mark = place.folder / "kept"
    mark.touch()
    half = place.packages / "tiny_help-3.0.dist-info"
    half.mkdir(exist_ok=True)
    (half / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-help\nVersion: 3.0\n", "utf-8")
    (half / "INSTALLER").unlink(missing_ok=True)
    (place.packages / "tiny_help.py").unlink(missing_ok=True)
    install(TINY, config)
    assert (place.packages / "tiny_help.py").is_file()
    assert mark.exists()
    assert look(TINY, config).state is State.READY


def test_what_was_begun_otherwise_is_made_anew(config: Config, index: Index) -> None:
    """Half an environment for other packages, or without its Python, is no start."""
    place = Place(TINY, config)
    place.folder.mkdir(parents=True)
    (place.folder / "rubbish").write_text("half", "utf-8")
    install(TINY, config)
    assert not (place.folder / "rubbish").exists()
    (place.folder / "pyvenv.cfg").write_text("home = /no/such/folder\n", "utf-8")
    assert state_of(TINY, config) is State.BROKEN
    assert "has lost the Python" in look(TINY, config).words
    install(TINY, config)
    assert look(TINY, config).state is State.READY


def test_what_does_not_import_is_not_finished(config: Config, index: Index) -> None:
    """The packages' own last words are told; the next try starts from nothing."""
    index.add("tiny-bare", "2.0", code="import there_is_no_such_module")
    with pytest.raises(EngineError, match="do not import: ModuleNotFoundError: No module named 'there_is"):
        install(TINY, config)
    assert state_of(TINY, config) is State.UNFINISHED
    with pytest.raises(EngineError, match="engines install tiny"):
        python_of("tiny", config)
    index.add("tiny-bare", "2.0")
    shutil.rmtree(os.environ["PIP_CACHE_DIR"], ignore_errors=True)
    install(TINY, config)
    assert state_of(TINY, config) is State.READY


@pytest.fixture
def cuda(index: Index) -> Index:
    """An index whose package brings CUDA, as torch's on Linux does."""
    index.add("tiny-engine", "1.0", "tiny-help", "nvidia-tiny")
    index.add("nvidia-tiny", "13.0")
    return index


def test_cuda_comes_on_demand_alone(tmp_path: Path, cuda: Index) -> None:
    """Nothing is fetched; the words name the packages, the size, the index and the way to want it."""
    config = config_of(tmp_path, indexes={"cpu": "http://127.0.0.1:9/cpu", "cuda": ""})
    with pytest.raises(EngineError, match=CPU_WORDS) as error:
        install(TINY, config)
    assert "nvidia-tiny" in error.value.message
    assert "(http://127.0.0.1:9/cpu), which has torch without them, did not answer" in error.value.message
    assert "stembridge engines install tiny --cuda" in error.value.message
    assert state_of(TINY, config) is State.ABSENT
    install(TINY, config, device="cuda")
    assert (Place(TINY, config).packages / "nvidia_tiny.py").is_file()
    assert Place(TINY, config).is_current()


def test_another_index_has_what_comes_without_cuda(tmp_path: Path, cuda: Index) -> None:
    """A build for the CPU is newer by its name, so it wins where its index answers."""
    more = Index(cuda.folder / "more")
    more.add("tiny-engine", "1.0+cpu", "tiny-help")
    (more.folder / "torch").mkdir()
    install(TINY, config_of(tmp_path, indexes={"cpu": f"{cuda.address}/more", "cuda": ""}))
    assert look(TINY, config_of(tmp_path)).versions["tiny-engine"] == "1.0+cpu"


def test_who_wants_cuda_does_not_go_without(config: Config, index: Index) -> None:
    with pytest.raises(EngineError, match="is one without CUDA"):
        install(TINY, config, device="cuda")


def test_offline_fetches_nothing(tmp_path: Path, index: Index) -> None:
    config = config_of(tmp_path)
    offline = config.evolve(weights=config.weights.evolve(offline=True))
    with pytest.raises(EngineError, match=r"weights\.offline keeps everything"):
        install(TINY, offline)
    assert not index.asked
    assert not Place(TINY, config).folder.exists()


def test_no_room_is_told_before_anything_is_done(config: Config, index: Index) -> None:
    with pytest.raises(DiskFullError, match=r"MB free; Tiny needs 1000000\d\d\d MB"):
        install(TINY.evolve(disk_mb={"cpu": 1_000_000_000}), config)
    assert not Place(TINY, config).folder.exists()


def test_what_is_nowhere_is_told_in_pips_words(config: Config, index: Index) -> None:
    with pytest.raises(EngineError, match=r"Could not find a version .*tiny-lost==1\.0"):
        install(TINY.evolve(requirements=("tiny-lost==1.0",)), config)


def test_two_at_once_do_not_meet(config: Config, index: Index) -> None:
    with installing._alone(Place(TINY, config)), pytest.raises(EngineError, match="Another stembridge"):
        install(TINY, config)


def test_a_python_that_cannot_is_refused(config: Config, index: Index, tmp_path: Path) -> None:
    """Whatever is named is asked who it is before anything is made with it."""
    narrow = TINY.evolve(oldest_python="3.8", newest_python={"usual": "3.8"})
    with pytest.raises(EngineError, match=r"is Python 3\.1\d\.\d+; wanted Python 3\.8"):
        install(narrow, config, named=Path(sys.executable))
    with pytest.raises(EngineError, match="is no Python that runs here"):
        install(TINY, config, named=tmp_path / "nothing")


def test_a_disk_that_fills_up_is_told(config: Config, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was room by the look of it; what came is kept."""

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Place, "begin", no_space)
    with pytest.raises(DiskFullError, match="go on with the same command"):
        install(TINY, config)
