"""The configuration: shipped defaults, the user's file over them, mistakes told with the near word."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli
from pydantic import ValidationError

from bridge.config import Config, load_config, shipped_config_path, user_config_path
from bridge.errors import ConfigError


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_shipped_file_fills_every_field() -> None:
    """The shipped config.toml alone is a whole configuration: no default hides in code."""
    config = Config.model_validate(tomli.loads(shipped_config_path().read_text(encoding="utf-8")))
    assert config.recipe("full").targets == ("streaming",)


def test_every_shipped_number_has_a_reason() -> None:
    """Each setting outside the recipes stands beside a comment."""
    lines = shipped_config_path().read_text(encoding="utf-8").split("[recipes.full]")[0].splitlines()
    settings = [line for line in lines if "=" in line and not line.startswith("#")]
    assert len(settings) > 25
    assert [line for line in settings if "#" not in line] == []


def test_user_file_wins_key_by_key(user_file: Path) -> None:
    """One changed key leaves its neighbours at their defaults."""
    user_file.write_text("[qa]\nmax_attempts = 2\n")
    changed, shipped = load_config(user_file), load_config(overrides={})
    assert changed.qa.max_attempts == 2
    assert changed.qa.null_dbfs == shipped.qa.null_dbfs


def test_user_recipe_joins_the_shipped_ones(user_file: Path) -> None:
    """A recipe of one's own is data like ours."""
    user_file.write_text('[recipes.mine]\ntitle = "Mine"\nstages = ["ingest", "export", "deliver"]\n')
    config = load_config(user_file)
    assert config.recipe("mine").has("export")
    assert config.recipe("full").has("mix")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[qa]\nmax_atempts = 2\n", "Did you mean 'max_attempts'?", id="near key"),
        pytest.param("[qaa]\n", "Did you mean 'qa'?", id="near section"),
        pytest.param("[recipes.full]\nstagess = []\n", "Did you mean 'stages'?", id="near key of a recipe"),
        pytest.param("[qa]\nmax_attempts = 99\n", "less than or equal to 10", id="out of range"),
        pytest.param("[qa]\nmax_attempts = 'x'\n", "'qa.max_attempts' is 'x'", id="wrong type"),
        pytest.param("[qa\n", "is not valid TOML", id="no TOML"),
        pytest.param('[recipes.a]\ntitle="A"\nstages=["dance"]\n', "recipes.a.stages.0", id="unknown stage"),
    ],
)
def test_mistakes_are_told_with_their_place(user_file: Path, text: str, says: str) -> None:
    """The message names the file, the key and what would be right."""
    user_file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(user_file)
    assert says in caught.value.message
    assert str(user_file) in caught.value.message


def test_named_file_must_exist(tmp_path: Path) -> None:
    """A file given by name is not silently left out."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.toml")


def test_unknown_recipe_suggests_the_near_one() -> None:
    """As with keys."""
    with pytest.raises(ConfigError, match="Did you mean 'full'"):
        load_config(overrides={}).recipe("ful")


def test_config_is_frozen() -> None:
    """Nobody changes settings under a running job."""
    with pytest.raises(ValidationError):
        load_config(overrides={}).qa.max_attempts = 5  # type: ignore[misc]


def test_places_can_be_moved_by_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """STEMBRIDGE_CONFIG and STEMBRIDGE_DATA name other places; work.folder wins over the latter."""
    monkeypatch.setenv("STEMBRIDGE_CONFIG", str(tmp_path / "c.toml"))
    monkeypatch.setenv("STEMBRIDGE_DATA", str(tmp_path / "data"))
    assert user_config_path() == tmp_path / "c.toml"
    assert load_config().data_folder == tmp_path / "data"
    assert load_config(overrides={"work": {"folder": str(tmp_path / "w")}}).data_folder == tmp_path / "w"
