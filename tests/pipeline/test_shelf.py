"""The shelf: a finished stage is found again, and only if it is whole and unchanged."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import AudioWriter
from bridge.errors import AudioError, StageError, StorageError
from bridge.pipeline.shelf import Shelf, content_key
from bridge.stages.base import Made
from bridge.values import Asset, StageResult, Value


class Params(Value):
    number: int = 1


def asset(path: Path, sha256: str = "a" * 64, role: str = "source") -> Asset:
    return Asset(path=path, sha256=sha256, role=role)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "stages")


def put(shelf: Shelf, key: str, content: bytes = b"music", **made: object) -> StageResult:
    folder = shelf.room(key)
    (folder / "out.wav").write_bytes(content)
    return shelf.put(key, "mix", folder, Made(files={"mix": folder / "out.wav"}, facts={"lufs": -14.0}), 2.5)


def test_what_was_put_is_found(shelf: Shelf) -> None:
    """With its files, hashes and findings."""
    result = put(shelf, "mix-1")
    assert shelf.find("mix-1") == result
    assert result.asset("mix").path.read_bytes() == b"music"
    assert result.facts == {"lufs": -14.0}


def test_nothing_is_found_under_another_key(shelf: Shelf) -> None:
    """Keys are exact."""
    put(shelf, "mix-1")
    assert shelf.find("mix-2") is None


@pytest.mark.parametrize("harm", ["removed", "changed", "cut", "no result", "half result"])
def test_a_harmed_result_is_not_found(shelf: Shelf, harm: str) -> None:
    """A file that is gone, edited or shorter makes the stage run again; so does a broken result.json."""
    path = put(shelf, "mix-1").asset("mix").path
    marker = shelf.root / "mix-1" / "result.json"
    if harm == "removed":
        path.unlink()
    elif harm == "changed":
        path.write_bytes(b"muSic")
        os.utime(path, ns=(1, 1))
    elif harm == "cut":
        path.write_bytes(b"mus")
    elif harm == "no result":
        marker.unlink()
    else:
        marker.write_bytes(marker.read_bytes()[:20])
    assert shelf.find("mix-1") is None
    assert put(shelf, "mix-1").asset("mix").path.read_bytes() == b"music"
    assert shelf.find("mix-1") is not None


def test_a_result_that_was_made_twice_stays_one(shelf: Shelf) -> None:
    """Two workers with the same key: the second takes the first one's result, and no room is left behind."""
    first = put(shelf, "mix-1")
    second = put(shelf, "mix-1")
    assert first.assets == second.assets
    assert [path.name for path in shelf.root.iterdir()] == ["mix-1"]


def test_assets_pass_on_without_a_copy(shelf: Shelf) -> None:
    """What a stage leaves as it is keeps its one file; when that goes, both results are gone."""
    source = put(shelf, "mix-1").asset("mix")
    folder = shelf.room("master-1")
    shelf.put("master-1", "master", folder, Made(passed_on=(source.evolve(role="premaster"),)), 0.1)
    found = shelf.find("master-1")
    assert found is not None
    assert found.asset("premaster").path == source.path
    source.path.unlink()
    assert shelf.find("master-1") is None


def test_prune_keeps_the_latest_and_the_spared(shelf: Shelf) -> None:
    """The results unused for longest go first; a running job's own stay."""
    for number in range(4):
        put(shelf, f"mix-{number}", b"x" * 1000)
        os.utime(shelf.root / f"mix-{number}" / "result.json", (1000 + number, 1000 + number))
    shelf.prune(keep_bytes=3500, spare=["mix-0"])
    assert {path.name for path in shelf.root.iterdir()} == {"mix-0", "mix-3", "mix-2"}


def test_prune_removes_what_was_not_used_for_long(shelf: Shelf) -> None:
    for number, age_s in enumerate((50.0, 150.0)):
        put(shelf, f"mix-{number}")
        marker = shelf.root / f"mix-{number}" / "result.json"
        used_s = marker.stat().st_mtime - age_s
        os.utime(marker, (used_s, used_s))
    shelf.prune(keep_bytes=10**9, older_than_s=100.0)
    assert shelf.find("mix-0") is not None
    assert shelf.find("mix-1") is None


def test_prune_spares_what_another_job_works_with(shelf: Shelf, tmp_path: Path) -> None:
    """From the moment that it asks for it, until it lets go; so does a result that it is still making."""
    put(shelf, "mix-1")
    other = Shelf(shelf.root, owner="1a1f85af9dfa4d6b")
    assert other.find("mix-1") is not None
    assert other.find("mix-2") is None
    put(other, "mix-2")
    shelf.prune(0)
    assert shelf.find("mix-1") is not None
    assert shelf.find("mix-2") is not None
    other.clear_rooms()
    shelf.prune(0)
    assert list(shelf.root.iterdir()) == []


def test_rooms_of_a_killed_attempt_are_cleared(shelf: Shelf) -> None:
    """Those of the same job; another job's stay."""
    mine, other = Shelf(shelf.root, owner="a"), Shelf(shelf.root, owner="b")
    left, kept = mine.room("mix-1"), other.room("mix-1")
    mine.clear_rooms()
    assert not left.exists()
    assert kept.exists()


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file where the folder should be: the message says what to do."""
    (tmp_path / "stages").write_text("in the way")
    with pytest.raises(StorageError, match=r"work\.folder"):
        Shelf(tmp_path / "stages")


def test_key_depends_on_everything_and_on_no_path(tmp_path: Path) -> None:
    """Stage, version, parameters, roles and hashes count; where a file lies does not."""
    here = asset(tmp_path / "a")
    key = content_key("mix", 1, Params(), [here])
    assert key == content_key("mix", 1, Params(), [asset(tmp_path / "elsewhere")])
    others = {
        content_key("mix", 2, Params(), [here]),
        content_key("master", 1, Params(), [here]),
        content_key("mix", 1, Params(number=2), [here]),
        content_key("mix", 1, Params(), [asset(tmp_path / "a", sha256="b" * 64)]),
        content_key("mix", 1, Params(), [asset(tmp_path / "a", role="dry")]),
        content_key("mix", 1, Params(), []),
    }
    assert len(others | {key}) == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync folders")
def test_every_byte_of_a_result_is_on_the_disk_before_it_has_its_place(
    shelf: Shelf, synced: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size and time of a file may outlive a power cut that its bytes do not: such a file looks unchanged."""
    folder = shelf.room("mix-1")
    (folder / "views").mkdir()
    files = {name: folder / name for name in ("out.wav", "views/survey.json", "cover.jpg")}
    for path in files.values():
        path.write_bytes(b"content")
    synced_before: set[int] = set()
    rename = Path.rename

    def _rename(path: Path, place: Path) -> Path:
        synced_before.update(synced)
        return rename(path, place)

    monkeypatch.setattr(Path, "rename", _rename)
    shelf.put("mix-1", "mix", folder, Made(files=files), 1.0)
    place = shelf.root / "mix-1"
    assert {path.stat().st_ino for path in (place, *place.rglob("*"))} <= synced_before
    assert shelf.root.stat().st_ino in synced - synced_before


def refusal(number: int, path: Path | None) -> OSError:
    return OSError(number, os.strerror(number), str(path)) if path else OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "name", "is_told"),
    [
        pytest.param(errno.EPERM, "stages/.job-mix/out.wav", True, id="forbidden on the shelf"),
        pytest.param(errno.EIO, "stages/.job-mix/out.wav", True, id="a failing disk"),
        pytest.param(errno.ENOENT, "stages/.job-mix", True, id="the shelf is gone"),
        pytest.param(errno.EROFS, "", True, id="read-only, of an open file"),
        pytest.param(errno.EACCES, "songs/Song.wav", False, id="a song that may not be read"),
        pytest.param(errno.ENOSPC, "stages/.job-mix/out.wav", False, id="a full disk is told as such"),
        pytest.param(errno.EPIPE, "stages/.job-mix/out.wav", False, id="what no disk says"),
    ],
)
@pytest.mark.parametrize("wrapped", [None, AudioError, StageError], ids=["bare", "audio", "stage"])
def test_what_the_disk_of_the_shelf_refuses_may_pass(
    shelf: Shelf, number: int, name: str, is_told: bool, wrapped: type[Exception] | None
) -> None:
    """It is a StorageError, whoever met it first; anything else stays what it was."""
    cause = refusal(number, shelf.root.parent / name if name else None)

    def _fail() -> None:
        if wrapped is None:
            raise cause
        raise wrapped("told in other words") from cause

    with pytest.raises(StorageError if is_told else wrapped or OSError) as told, shelf.faults_told():
        _fail()
    assert is_told == (str(shelf.root) in str(told.value) and "work.folder" in str(told.value))


def test_a_writer_says_which_file_of_the_shelf_was_refused(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write to an open file fails without a name; the audio writer knows it."""
    folder = shelf.room("mix-1")
    writer = AudioWriter(folder / "out.wav", rate_hz=44_100, channels=2)

    def _sync(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("bridge.audio.writer.sync_file", _sync)
    with pytest.raises(StorageError, match="Input/output error"), shelf.faults_told(), writer as out:
        out.write(np.zeros((2, 100), np.float32))


def test_tidying_passes_over_what_goes_meanwhile_and_over_strangers(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two jobs tidy at once: a room that the other removes between look and use, a file that is no result."""
    put(shelf, "mix-1")
    (shelf.root / "Thumbs.db").touch()
    room = shelf.room("mix-2")
    real = Path.stat

    def _stat(path: Path, **options: bool) -> os.stat_result:
        if path == room:
            raise FileNotFoundError(errno.ENOENT, "gone", str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", _stat)
    shelf.prune(0)
    assert shelf.find("mix-1") is None


def test_a_released_result_is_gone_unless_another_job_asked_for_it(tmp_path: Path) -> None:
    """The job that releases it does not count itself."""
    mine, theirs = (Shelf(tmp_path / "stages", owner=name) for name in ("mine", "theirs"))
    for key in ("mix-1", "mix-2"):
        put(mine, key)
        assert mine.find(key) is not None
    assert theirs.find("mix-1") is not None
    mine.release("mix-1")
    mine.release("mix-2")
    assert theirs.find("mix-1") is not None
    assert theirs.find("mix-2") is None
