"""Which interpreter runs an engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.config import Config
from bridge.engines.environments import python_of, serving
from bridge.engines.environments.place import Place, Stamp
from bridge.errors import EngineError
from tests.engines.environments.conftest import config_of
from tests.engines.environments.index import TINY


def make_place(config: Config, home: Path) -> Place:
    place = Place(TINY, config)
    place.python.parent.mkdir(parents=True)
    place.python.symlink_to(sys.executable)
    (place.folder / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.11.7\n", "utf-8")
    return place


def stamp(place: Place) -> None:
    words = Stamp(engine="tiny", requirements="0" * 64, python="3.11.7", device="cpu")
    place.stamp_it(words)


def test_what_is_not_installed_is_told_with_its_command(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"Tiny is not installed\. Get it: stembridge engines install tiny"):
        python_of("tiny", config_of(tmp_path))


def test_an_environment_serves_when_it_is_finished(tmp_path: Path) -> None:
    """Without its stamp, written last, it is unfinished, and told so."""
    config = config_of(tmp_path)
    place = make_place(config, Path(sys.executable).parent)
    with pytest.raises(EngineError, match=r"was not finished.*engines install tiny"):
        python_of("tiny", config)
    stamp(place)
    assert python_of("tiny", config) == place.python


def test_half_a_stamp_is_none(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    place = make_place(config, Path(sys.executable).parent)
    (place.folder / "stembridge.json").write_text('{"engine": "ti', "utf-8")
    with pytest.raises(EngineError, match="was not finished"):
        python_of("tiny", config)


def test_an_environment_whose_python_is_gone_is_told(tmp_path: Path) -> None:
    """A system upgrade takes the interpreter that environments lean on."""
    config = config_of(tmp_path)
    stamp(make_place(config, tmp_path / "gone"))
    with pytest.raises(EngineError, match="has lost the Python"):
        python_of("tiny", config)


def test_the_base_serves_where_the_packages_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child process tries; this one imports nothing."""
    monkeypatch.setattr(serving, "engine_named", lambda _: TINY.evolve(modules=("wave",)))
    sys.modules.pop("wave", None)
    assert python_of("tiny", config_of(tmp_path)) == Path(sys.executable)
    assert "wave" not in sys.modules


def test_a_named_interpreter_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "engine_named", lambda _: TINY.evolve(modules=("wave",)))
    own = tmp_path / "my own python"
    own.symlink_to(sys.executable)
    assert python_of("tiny", config_of(tmp_path, pythons={"tiny": str(own)})) == own


@pytest.mark.parametrize(
    ("python", "words"),
    [
        (sys.executable, "cannot run it: ModuleNotFoundError: No module named 'tiny_engine'"),
        ("/no/such/python", "which is not there"),
        (__file__, "cannot run it: it does not run"),
    ],
    ids=["without the packages", "gone", "no program"],
)
def test_a_named_interpreter_that_cannot_is_told(tmp_path: Path, python: str, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        python_of("tiny", config_of(tmp_path, pythons={"tiny": python}))
