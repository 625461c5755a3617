"""Settings that change under a running service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.service.settings import Settings


def write(path: Path, text: str) -> None:
    """Write with a time of its own, as coarse clocks of file systems need it."""
    stamp = path.stat().st_mtime_ns + 10**9 if path.exists() else 10**18
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))


def test_a_file_as_it_was_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    write(file, "[qa]\nmax_attempts = 2\n")
    settings = Settings(file)
    assert settings.look() is None
    assert settings.now.qa.max_attempts == 2
    write(file, "[qa]\nmax_attempts = 2\n# a remark\n")
    assert settings.look() == frozenset()


def test_what_changed_is_named_and_taken(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    write(file, "[qa]\nmax_attempts = 2\n")
    settings = Settings(file)
    write(file, '[qa]\nmax_attempts = 4\n[[watch.folders]]\npath = "songs"\n')
    assert settings.look() == {"qa.max_attempts", "watch.folders"}
    assert settings.now.watch.folders[0].path == "songs"
    assert settings.look() is None


def test_a_broken_file_is_refused_once_and_the_old_settings_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    write(file, "[qa]\nmax_attempts = 2\n")
    settings = Settings(file)
    write(file, "[qa]\nmax_attempt = 9\n")
    with pytest.raises(ConfigError, match="max_attempts"):
        settings.look()
    assert settings.now.qa.max_attempts == 2
    assert settings.look() is None
    write(file, "[qa]\nmax_attempts = 4\n")
    assert settings.look() == {"qa.max_attempts"}


def test_what_is_fixed_stays_until_the_next_start_and_is_told_as_long_as_it_differs(tmp_path: Path) -> None:
    """A folder that moved under a running service would tear jobs from their stages."""
    file = tmp_path / "config.toml"
    write(file, f'[work]\nfolder = "{tmp_path / "old"}"\n[service]\njobs = 1\n')
    settings = Settings(file)
    write(file, f'[work]\nfolder = "{tmp_path / "new"}"\n[service]\njobs = 2\nkeep_days = 7\n')
    assert settings.look() == {"service.keep_days"}
    assert settings.now.data_folder == tmp_path / "old"
    assert settings.now.service.jobs == 1
    assert settings.later == ("service.jobs", "work.folder")
    write(file, f'[work]\nfolder = "{tmp_path / "old"}"\n[service]\njobs = 2\nkeep_days = 8\n')
    assert settings.look() == {"service.keep_days"}
    assert settings.later == ("service.jobs",)
    write(file, f'[work]\nfolder = "{tmp_path / "old"}"\n')
    settings.look()
    assert settings.later == ()


def test_a_file_that_appears_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("STEMBRIDGE_CONFIG", str(file))
    settings = Settings()
    write(file, "[service]\nkeep_days = 7\n")
    assert settings.look() == {"service.keep_days"}
