"""Weights on this machine: checked to the last byte, brought in, removed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.config import load_config
from bridge.errors import WeightsError
from bridge.weights import (
    Form,
    WeightsFolder,
    catalogue,
    import_own,
    import_weights,
    importing,
    weights_named,
)
from bridge.weights.folder import Verdict
from tests.weights.publisher import CONTENT, weights

TINY = weights("tiny.safetensors", "tiny.th")


@pytest.fixture
def folder(tmp_path: Path) -> WeightsFolder:
    return WeightsFolder(tmp_path / "models")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue holds the tiny network alone."""
    monkeypatch.setattr(importing, "catalogue", lambda: {"tiny": TINY})


def put(folder: WeightsFolder, name: str, content: bytes = CONTENT) -> Path:
    folder.place(TINY).mkdir(parents=True, exist_ok=True)
    path = folder.place(TINY) / name
    path.write_bytes(content)
    return path


def test_every_entry_names_a_source_that_the_settings_have() -> None:
    """Nothing in the catalogue is without an address; names of files are plain."""
    sources = load_config().weights.sources
    forms = [form for each in catalogue().values() for part in each.parts for form in part.forms]
    assert {form.url.partition("}")[0].strip("{") for form in forms} == set(sources)
    assert len({form.sha256 for form in forms}) == len(forms)


def test_hashes_agree_with_the_names_that_their_publisher_gave() -> None:
    """A .th of Demucs carries the first eight digits of its hash in its name."""
    forms = [form for each in catalogue().values() for part in each.parts for form in part.forms]
    published = [form for form in forms if form.file.endswith(".th")]
    assert len(published) == 7
    assert all(form.sha256[:8] == form.file.removesuffix(".th").split("-")[1] for form in published)


@pytest.mark.parametrize("file", ["../evil.th", "/etc/passwd", "", ".hidden", "a/b"])
def test_names_that_lead_elsewhere_are_refused(file: str) -> None:
    """A catalogue cannot write beside its folder."""
    with pytest.raises(ValidationError):
        Form(file=file, size_bytes=1, sha256="0" * 64, url="{here}/x")


def test_an_unknown_name_gets_the_near_one() -> None:
    """As everywhere."""
    with pytest.raises(WeightsError, match="Did you mean 'htdemucs_ft'"):
        weights_named("htdemucs_fd")


@pytest.mark.parametrize("file", ["tiny.safetensors", "tiny.th"])
def test_any_form_serves(file: str, folder: WeightsFolder) -> None:
    """A part is here in whichever form it came."""
    path = put(folder, file)
    assert folder.is_here(TINY)
    assert folder.require(TINY) == {"one": path}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CONTENT[:-1], "found 1023999 bytes, wanted 1024000"),
        (CONTENT[:-1] + b"x", "found SHA-256"),
        (b"", "found 0 bytes"),
    ],
    ids=["truncated", "one byte", "empty"],
)
def test_wrong_bytes_are_found(content: bytes, words: str, folder: WeightsFolder) -> None:
    """Before anything is loaded, with what to do."""
    put(folder, "tiny.th", content)
    with pytest.raises(WeightsError, match=words) as told:
        folder.require(TINY)
    assert "stembridge models pull tiny (1 MB, MIT)" in told.value.message
    assert [check.verdict for check in folder.checks(TINY)] == [Verdict.WRONG]


def test_missing_weights_say_how_they_come(folder: WeightsFolder) -> None:
    """The command, the size, the licence."""
    with pytest.raises(WeightsError, match=r"models pull tiny \(1 MB, MIT\).*models import FOLDER"):
        folder.require(TINY)


@pytest.mark.usefixtures("known")
def test_files_are_known_by_their_bytes(folder: WeightsFolder, tmp_path: Path) -> None:
    """In a cache of another program, under a name of its own; the original stays."""
    cache = tmp_path / "hub" / "blobs"
    cache.mkdir(parents=True)
    blob = cache / sha256(CONTENT).hexdigest()
    blob.write_bytes(CONTENT)
    (cache / "same size").write_bytes(b"\1" * len(CONTENT))
    (found,) = import_weights(tmp_path / "hub", folder)
    assert (found.weights, found.origin, found.was_here) == ("tiny", blob, False)
    assert folder.require(TINY)["one"].read_bytes() == CONTENT
    assert blob.exists()
    assert import_weights(blob, folder)[0].was_here


@pytest.mark.usefixtures("known")
def test_a_swapped_file_is_replaced_by_an_import(folder: WeightsFolder, tmp_path: Path) -> None:
    """What is not as published does not count as here."""
    put(folder, "tiny.safetensors", b"\0" * len(CONTENT))
    (tmp_path / "good").write_bytes(CONTENT)
    import_weights(tmp_path / "good", folder)
    assert folder.require(TINY)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("place", ["nothing", "other"])
def test_nothing_known_is_said(place: str, folder: WeightsFolder, tmp_path: Path) -> None:
    """With the names of what is wanted."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "song.wav").write_bytes(b"RIFF")
    with pytest.raises(WeightsError, match=r"is not there|tiny\.safetensors"):
        import_weights(tmp_path / place, folder)


def test_an_import_leaves_a_half_fetched_file_alone(folder: WeightsFolder, tmp_path: Path) -> None:
    """Both may go on at once."""
    own = weights("tiny.zip", own_file="tiny.onnx")
    part = put(folder, "tiny.onnx.part", b"half")
    (tmp_path / "mine.onnx").write_bytes(b"numbers")
    assert import_own(tmp_path / "mine.onnx", own, folder).read_bytes() == b"numbers"
    assert part.read_bytes() == b"half"
    assert folder.is_here(own)


def test_a_file_that_was_made_here_stands_for_its_parts(folder: WeightsFolder) -> None:
    """A network that was brought ready-made wants no checkpoint; a checkpoint that is here is looked at."""
    own = weights("tiny.zip", own_file="tiny.onnx")
    put(folder, "tiny.onnx", b"numbers")
    assert [(check.part, check.verdict) for check in folder.checks(own)] == [("tiny.onnx", Verdict.FINE)]
    put(folder, "tiny.zip", b"no")
    assert [check.verdict for check in folder.checks(own)] == [Verdict.WRONG, Verdict.FINE]


def test_only_numbers_are_taken_on_somebodys_word(folder: WeightsFolder, tmp_path: Path) -> None:
    """A pickle is a program: it has to be a pinned one."""
    (tmp_path / "mine.th").write_bytes(b"\x80\x04")
    with pytest.raises(WeightsError, match=r"wanted a \.onnx"):
        import_own(tmp_path / "mine.th", weights("tiny.zip", own_file="tiny.onnx"), folder)
    with pytest.raises(WeightsError, match="published files alone"):
        import_own(tmp_path / "mine.th", TINY, folder)


def test_removing_frees_and_keeps_what_is_not_ours(folder: WeightsFolder) -> None:
    """All forms and halves go; a stranger's file stays."""
    put(folder, "tiny.th")
    put(folder, "tiny.safetensors.part", b"half")
    note = put(folder, "note.txt", b"mine")
    assert folder.remove(TINY) == len(CONTENT) + 4
    assert list(folder.place(TINY).iterdir()) == [note]
    note.unlink()
    assert folder.remove(TINY) == 0
