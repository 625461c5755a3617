"""The deliver stage: whole or not at all, never over what is there."""

from __future__ import annotations

import datetime
import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import DeliveryError, DiskFullError, StembridgeError
from bridge.stages import deliver
from bridge.stages.base import Made
from bridge.stages.deliver import Placed
from bridge.stages.manifest import Manifest, Provenance
from bridge.values import Tags
from tests.stages.conftest import RunStage

MANIFEST = Manifest(
    stembridge="0.1.0",
    created=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    title="Song",
    take=0,
    tags=Tags(),
    source={},
    recipe="full",
    request={},
    provenance=Provenance(generator="", generator_id="", is_ai_made=False, processed_by="", stages=()),
    separation=None,
    analysis={},
    certificate=None,
    restoration=None,
    chains=(),
    masters=None,
    qa=(),
    figures={},
    stages=(),
    notes=(),
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {"report": tmp_path / "report", "preset/a": tmp_path / "a"}
    for role, path in paths.items():
        path.write_text(role)
    return paths


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project" / "StemBridge"


def params(project: Path, job_id: str = "job1") -> deliver.Params:
    placed = (Placed(role="report", path="Report.html"), Placed(role="preset/a", path="Presets/a.txt"))
    return deliver.Params(job_id=job_id, destination=project, title="Song", placed=placed, manifest=MANIFEST)


def deliver_to(run_stage: RunStage, project: Path, files: dict[str, Path], job_id: str = "job1") -> Made:
    return run_stage(deliver.STAGE, params(project, job_id), files)


def test_manifest_lists_every_file_with_its_hash(
    run_stage: RunStage, project: Path, files: dict[str, Path]
) -> None:
    """And nothing else lies in the folder."""
    folder = Path(deliver_to(run_stage, project, files).facts["folder"])
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*listed, "manifest.json"}
    for path, digest in listed.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest


def test_the_manifest_is_written_for_reading() -> None:
    """Rows of numbers on one line, no digits that mean nothing, no minus zero; texts as they are."""
    manifest = MANIFEST.evolve(
        figures={
            "row": [-1.0, 2.5e-05, 3],
            "level_db": -0.0,
            "lufs": -13.502183122640867,
            "text": "[\n 1\n]",
        },
        source={"deepest": float("-inf"), "mixed": [1, "a"], "text": "[\n 1\n]"},
    )
    text = manifest.to_text()
    assert '"row": [-1.0, 2.5e-05, 3]' in text
    assert '"level_db": 0.0' in text
    assert '"lufs": -13.502183,' in text
    read = Manifest.model_validate_json(text)
    assert read.source == {"deepest": None, "mixed": [1, "a"], "text": "[\n 1\n]"}


def test_a_second_job_is_a_second_version(run_stage: RunStage, project: Path, files: dict[str, Path]) -> None:
    """What is there is not touched."""
    first = Path(deliver_to(run_stage, project, files).facts["folder"])
    (first / "Report.html").write_text("edited by the user")
    second = deliver_to(run_stage, project, files, "job2").facts["folder"]
    assert (first.name, Path(second).name) == ("Song", "Song v2")
    assert (first / "Report.html").read_text() == "edited by the user"


def test_the_same_job_delivers_once(run_stage: RunStage, project: Path, files: dict[str, Path]) -> None:
    """Killed behind the rename, it finds what it delivered."""
    first = deliver_to(run_stage, project, files).facts["folder"]
    assert deliver_to(run_stage, project, files).facts["folder"] == first
    assert [path.name for path in project.iterdir()] == ["Song"]


@pytest.mark.parametrize(
    ("touch", "is_taken_back"),
    [
        pytest.param(lambda _folder: None, True, id="untouched"),
        pytest.param(lambda folder: (folder / "Presets" / "a.txt.asd").touch(), False, id="played in Live"),
        pytest.param(lambda folder: (folder / "Report.html").write_text("mine"), False, id="edited"),
        pytest.param(lambda folder: (folder / "Report.html").unlink(), False, id="taken from"),
    ],
)
def test_a_delivery_that_nobody_knows_of_is_taken_back(
    run_stage: RunStage,
    project: Path,
    files: dict[str, Path],
    touch: Callable[[Path], object],
    is_taken_back: bool,
) -> None:
    """But never from under somebody who found it."""
    folder = Path(deliver_to(run_stage, project, files).facts["folder"])
    for path in folder.rglob("*"):
        os.utime(path, (1_000_000, 1_000_000))
    touch(folder)
    deliver.take_back("job1", project)
    assert folder.exists() is not is_taken_back
    assert [path.name for path in project.iterdir()] == ([] if is_taken_back else ["Song"])


def test_what_a_killed_try_left_is_removed(
    run_stage: RunStage, project: Path, files: dict[str, Path]
) -> None:
    """The job's own partial folder, nobody else's."""
    (project / ".job1.partial" / "Stems").mkdir(parents=True)
    (project / ".job2.partial").mkdir()
    deliver_to(run_stage, project, files)
    assert sorted(path.name for path in project.iterdir()) == [".job2.partial", "Song"]


def test_what_killed_jobs_left_long_ago_is_removed(
    run_stage: RunStage, project: Path, files: dict[str, Path]
) -> None:
    """Not what is being written now, nor hidden folders of other programs."""
    old_job, new_job, other = f".{'0' * 16}.partial", f".{'1' * 16}.partial", ".sync.partial"
    for name in (old_job, new_job, other):
        (project / name).mkdir(parents=True)
        (project / name / "a.wav").touch()
    for name in (old_job, other):
        os.utime(project / name, (0, 0))
    deliver_to(run_stage, project, files)
    assert sorted(path.name for path in project.iterdir()) == [new_job, other, "Song"]


@pytest.mark.parametrize(
    ("number", "kind", "says"),
    [(errno.ENOSPC, DiskFullError, "the disk is full"), (errno.EROFS, DeliveryError, "not permitted")],
)
def test_a_failing_disk_leaves_nothing(
    run_stage: RunStage,
    project: Path,
    files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[StembridgeError],
    says: str,
) -> None:
    """Neither half a delivery nor a hidden one, and the words fit."""

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(deliver, "sync_file", fail)
    with pytest.raises(kind, match=says):
        deliver_to(run_stage, project, files)
    assert not project.exists() or list(project.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync folders")
def test_a_delivery_stays_with_the_folders_around_it_when_the_power_goes(
    run_stage: RunStage, files: dict[str, Path], project: Path, synced: set[int]
) -> None:
    """The first delivery makes the project's folders: those are synced, too, before the job is done."""
    run_stage(deliver.STAGE, params(project), files)
    for place in (project.parent.parent, project.parent, project, *(project / "Song").rglob("*")):
        assert place.stat().st_ino in synced, place
