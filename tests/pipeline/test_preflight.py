"""Before the work: a disk that is full may have room later, one that is too small never has."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from bridge.config import Config, load_config
from bridge.errors import DeliveryError, DiskFullError, StorageError
from bridge.pipeline import preflight
from bridge.pipeline.preflight import DiskUsage, check_request
from bridge.values import JobRequest
from tests.badinput.cases import music, write

GB = 10**9


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(overrides={"work": {"folder": str(tmp_path / "data"), "reserve_gb": 1.0}})


@pytest.fixture
def request_(tmp_path: Path) -> JobRequest:
    song = tmp_path / "Night Drive.wav"
    write(song, music(1.5))
    return JobRequest(source=song, recipe="master-only", destination=tmp_path / "project")


def check(request: JobRequest, config: Config, monkeypatch: pytest.MonkeyPatch, disk: DiskUsage) -> None:
    monkeypatch.setattr(preflight, "_disk_of", lambda _folder: disk)
    check_request(request, config)


def test_a_full_disk_may_have_room_later(
    request_: JobRequest, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a service waits; both figures are told."""
    with pytest.raises(DiskFullError, match=r"has 0\.5 GB free; this song needs 1\.0 GB .*Free some"):
        check(request_, config, monkeypatch, DiskUsage(total=100 * GB, free=GB // 2))


def test_a_disk_that_is_too_small_never_has(
    request_: JobRequest, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To wait for it would be to wait for ever."""
    with pytest.raises(StorageError, match=r"more than the whole disk holds \(0\.9 GB\)") as told:
        check(request_, config, monkeypatch, DiskUsage(total=9 * GB // 10, free=GB // 2))
    assert not isinstance(told.value, DiskFullError)


def test_a_disk_with_room_is_no_fault(
    request_: JobRequest, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is left where it was tried."""
    check(request_, config, monkeypatch, DiskUsage(total=100 * GB, free=50 * GB))
    assert not request_.destination.exists()


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskFullError), (errno.EROFS, DeliveryError)],
    ids=["full", "read-only"],
)
def test_a_project_that_takes_nothing_is_told(
    request_: JobRequest,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[Exception],
) -> None:
    """A full one apart from one that is not ours to write."""

    def refuse(_path: Path) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(kind, match=r"project folder .*--project"):
        check(request_, config, monkeypatch, DiskUsage(total=100 * GB, free=50 * GB))
