"""A stranger's file, looked at: what it is, whether it is whole, and whether somebody still writes to it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge import hashes
from bridge.errors import InputError, SourceChangedError
from bridge.events import Event
from bridge.hashes import files_of, hash_source
from bridge.jobs import WorkerProcess, inspection
from bridge.jobs.inspection import Inspected, inspect
from tests.encoded_media import wav

SONG = wav(b"\1\2" * 5_000)
NOBODY = 65_534
STEMS = ("0 Lead Vocals.wav", "1 Drums.wav", "2 Bass.wav")
needs_posix = pytest.mark.skipif(os.name == "nt", reason="no such files on Windows")


def tell_nothing(event: Event) -> None:
    raise AssertionError(f"an inspection reports nothing, but told {event}")


def look(path: Path) -> Inspected:
    return inspect(path, tell_nothing)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "Song.wav"
    path.write_bytes(SONG)
    return path


@pytest.fixture
def stems(tmp_path: Path) -> Path:
    folder = tmp_path / "Song Stems"
    folder.mkdir()
    for name in STEMS:
        (folder / name).write_bytes(SONG)
    return folder


class TestFile:
    def test_a_whole_file_is_told_as_it_stands_on_disk(self, song: Path) -> None:
        """With all that tells later whether it is still the same."""
        status = song.stat()
        assert look(song) == Inspected(
            path=song,
            size_bytes=len(SONG),
            modified_ns=status.st_mtime_ns,
            inode=status.st_ino,
            sha256=hash_source(song),
            is_whole=True,
        )

    def test_a_cut_file_is_told_with_what_is_missing_and_not_hashed(self, song: Path) -> None:
        """Its hash would be that of nothing that anybody wants."""
        song.write_bytes(SONG[:4_000])
        found = look(song)
        assert (found.is_whole, found.sha256, found.size_bytes) == (False, "", 4_000)
        assert "the header promises 10,044 bytes, the file has 4,000" in found.missing

    def test_an_empty_file_is_not_whole(self, song: Path) -> None:
        song.write_bytes(b"")
        assert "the file has 0 bytes" in look(song).missing

    @pytest.mark.parametrize(
        "change",
        [
            lambda path: path.write_bytes(SONG + b"more"),
            lambda path: os.utime(path, ns=(1, 1)),
            lambda path: (path.with_suffix(".new").write_bytes(SONG), path.with_suffix(".new").replace(path)),
        ],
        ids=["appended", "touched", "replaced"],
    )
    def test_a_file_that_changes_meanwhile_is_told_as_such(
        self, song: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
    ) -> None:
        def hash_slowly(path: Path) -> str:
            found = hash_source(path)
            change(path)
            return found

        monkeypatch.setattr(inspection, "hash_source", hash_slowly)
        with pytest.raises(SourceChangedError, match="still being written"):
            look(song)

    def test_what_no_format_knows_is_whole(self, tmp_path: Path) -> None:
        """Whether it is a song is for others to say."""
        (tmp_path / "notes.mp3").write_bytes(b"not a song, but all of it\n" * 10)
        assert look(tmp_path / "notes.mp3").is_whole


class TestStems:
    def test_a_folder_of_stems_is_one_song(self, stems: Path) -> None:
        found = look(stems)
        assert (found.is_whole, found.missing) == (True, "")
        assert found.size_bytes == len(STEMS) * len(SONG)
        assert found.sha256 == hash_source(stems)

    def test_one_cut_stem_makes_the_set_incomplete_and_is_named(self, stems: Path) -> None:
        (stems / STEMS[2]).write_bytes(SONG[:300])
        found = look(stems)
        assert (found.is_whole, found.sha256) == (False, "")
        assert found.missing.startswith("2 Bass.wav: the header promises")

    def test_the_newest_file_dates_the_folder(self, stems: Path) -> None:
        later_ns = stems.stat().st_mtime_ns + 5_000_000_000
        os.utime(stems / STEMS[1], ns=(later_ns, later_ns))
        assert look(stems).modified_ns == (stems / STEMS[1]).stat().st_mtime_ns

    def test_a_stem_that_arrives_meanwhile_is_noticed(
        self, stems: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hash_slowly(path: Path) -> str:
            found = hash_source(path)
            (stems / "3 Synth.wav").write_bytes(SONG)
            return found

        monkeypatch.setattr(inspection, "hash_source", hash_slowly)
        with pytest.raises(SourceChangedError, match="still being written"):
            look(stems)

    def test_a_systems_file_that_arrives_meanwhile_changes_nothing(
        self, stems: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Finder leaves a .DS_Store wherever somebody looks."""

        def hash_slowly(path: Path) -> str:
            (stems / ".DS_Store").write_bytes(b"icons")
            return hash_source(path)

        before = look(stems)
        monkeypatch.setattr(inspection, "hash_source", hash_slowly)
        assert look(stems) == before

    @pytest.mark.parametrize("name", [STEMS[1], "lyrics.txt"])
    def test_a_file_that_vanishes_between_listing_and_reading_is_no_refusal(
        self, stems: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        (stems / name).write_bytes(SONG)

        def list_for_a_moment(folder: Path) -> list[Path]:
            listed = files_of(folder)
            (stems / name).unlink()
            return listed

        monkeypatch.setattr(hashes, "files_of", list_for_a_moment)
        with pytest.raises(SourceChangedError, match="still being written"):
            look(stems)

    def test_a_folder_that_fills_while_its_stems_are_told_apart_is_no_refusal(
        self, stems: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def find_late(source: Path) -> None:
            (source / "9 Choir.wav").write_bytes(SONG)
            raise InputError("These are stems of two songs.")

        monkeypatch.setattr(inspection, "find_stem_set", find_late)
        with pytest.raises(SourceChangedError):
            look(stems)

    def test_a_zip_of_stems_is_one_song(self, stems: Path, tmp_path: Path) -> None:
        path = zipped(tmp_path / "Song Stems.zip", stems)
        found = look(path)
        assert (found.is_whole, found.sha256) == (True, hash_source(path))

    def test_half_a_zip_is_not_whole_rather_than_refused(self, stems: Path, tmp_path: Path) -> None:
        """More of it may come."""
        path = zipped(tmp_path / "Song Stems.zip", stems)
        path.write_bytes(path.read_bytes()[:9_000])
        found = look(path)
        assert not found.is_whole
        assert "its directory at the end is missing" in found.missing


def zipped(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


class TestRefused:
    def test_an_unrelated_folder(self, tmp_path: Path) -> None:
        (tmp_path / "holiday.jpg").write_bytes(b"x")
        with pytest.raises(InputError, match=r"without a set of stems.*Name the song"):
            look(tmp_path)

    def test_a_zip_of_something_else(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            archive.writestr("holiday.jpg", b"x" * 100)
        with pytest.raises(InputError, match=r"photos\.zip holds no set of stems"):
            look(tmp_path / "photos.zip")

    def test_a_file_that_is_gone(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"gone\.mp3 is not there.*Check the path"):
            look(tmp_path / "gone.mp3")

    def test_a_file_that_vanishes_meanwhile(self, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inspection, "missing", lambda path: path.unlink() or "")
        with pytest.raises(InputError, match=r"Song\.wav is not there"):
            look(song)

    @needs_posix
    def test_a_link_to_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "Song.wav").symlink_to(tmp_path / "gone.wav")
        with pytest.raises(InputError, match=r"is a link to .* which is not there"):
            look(tmp_path / "Song.wav")

    @needs_posix
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "Song.wav")
        with pytest.raises(InputError, match="neither a file nor a folder"):
            look(tmp_path / "Song.wav")

    @needs_posix
    def test_a_device_is_not_read(self) -> None:
        with pytest.raises(InputError, match="neither a file nor a folder"):
            look(Path("/dev/zero"))

    @needs_posix
    def test_a_file_that_may_not_be_read(self, song: Path) -> None:
        song.chmod(0)
        with as_nobody(song), pytest.raises(InputError, match=r"Song\.wav.*permission"):
            look(song)

    def test_a_disk_that_fails(self, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(path: Path) -> str:
            raise OSError(5, "Input/output error", str(path))

        monkeypatch.setattr(inspection, "missing", fail)
        with pytest.raises(
            InputError, match=r"cannot be read \(Input/output error\).*Check the path, the disk"
        ):
            look(song)

    @needs_posix
    def test_names_that_are_no_text_are_looked_at(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"caf\xe9.wav")
        path.write_bytes(SONG)
        assert look(path).is_whole


@contextlib.contextmanager
def as_nobody(path: Path) -> Iterator[None]:
    """As a user without rights of root, who would read everything; the folders above may be entered."""
    if os.geteuid() != 0:
        yield
        return
    private = [folder for folder in path.parents if folder.stat().st_mode & 0o005 != 0o005]
    for folder in private:
        folder.chmod(folder.stat().st_mode | 0o005)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        for folder in private:
            folder.chmod(folder.stat().st_mode & ~0o005)


def test_it_runs_in_a_worker(song: Path, stems: Path) -> None:
    """What it returns, and what it refuses, cross the process's border."""
    with WorkerProcess() as worker:
        whole = worker.run("bridge.jobs.inspection:inspect", song)
        assert whole.value == look(song)
        assert worker.run("bridge.jobs.inspection:inspect", stems).value == look(stems)
        assert isinstance(worker.run("bridge.jobs.inspection:inspect", song / "x").error, InputError)


def test_nothing_heavy_is_loaded_even_for_stems(stems: Path) -> None:
    """Names and bytes tell all; the look at a file begins in a fraction of a second."""
    script = (
        "import sys, pathlib\n"
        "from bridge.jobs.inspection import inspect\n"
        "assert inspect(pathlib.Path(sys.argv[1]), print).is_whole\n"
        "print([name for name in ('numpy', 'scipy', 'av', 'sqlalchemy', 'mutagen') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(stems)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
