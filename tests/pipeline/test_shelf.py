"""The shelf: a finished stage is found again, and only if it is whole and unchanged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import StorageError
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
