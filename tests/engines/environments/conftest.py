"""What tests of environments share: a tiny engine, and an index that has its packages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bridge.config import Config, load_config
from bridge.engines import environments
from bridge.engines.environments import serving
from tests.engines.environments.index import TINY, Index, serving_packages


@pytest.fixture(autouse=True)
def _tiny_catalogue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is one engine, and it is tiny."""
    module = import_module("bridge.engines.environments.catalogue")
    monkeypatch.setattr(module, "HERE", tmp_path / "shipped")
    (tmp_path / "shipped" / "pins").mkdir(parents=True)
    (tmp_path / "shipped" / "pins" / "tiny.txt").write_text("tiny-engine==1.0\ntiny-help==3.0\n", "utf-8")
    for place in (environments, serving):
        monkeypatch.setattr(place, "engine_named", {"tiny": TINY}.__getitem__)
    monkeypatch.setattr(environments, "catalogue", lambda: {"tiny": TINY})
    serving._known_fault.cache_clear()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """pip's only index: what ``tiny`` needs is there, and newer than wanted, too."""
    with serving_packages(tmp_path / "index") as packages:
        packages.add("tiny-engine", "1.0", "tiny-help")
        packages.add("tiny-help", "3.0")
        packages.add("tiny-help", "4.0")
        packages.add("tiny-bare", "2.0", "there-is-no-such-thing")
        settings = {"CONFIG_FILE": os.devnull, "INDEX_URL": packages.address, "EXTRA_INDEX_URL": ""}
        settings |= {"FIND_LINKS": "", "CACHE_DIR": str(tmp_path / "cache"), "RETRIES": "0"}
        for name, value in settings.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        yield packages


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A data folder with a space and letters beyond ASCII, and no further index."""
    return config_of(tmp_path)


def config_of(tmp_path: Path, **engines: object) -> Config:
    folder = {"work": {"folder": str(tmp_path / "my däta")}}
    return load_config(overrides=folder | {"engines": {"indexes": {"cpu": "", "cuda": ""}} | engines})
