"""Paths, disks, permissions and settings that are not as they should be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.badinput.cases import RATE_HZ, music, plain, write
from tests.badinput.command import Place, deliveries, faults_of, left_in
from tests.badinput.table import can_mount

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, links and devices of POSIX")
Make = Callable[[Path], object]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=tmp_path)


@pytest.fixture
def song(place: Place) -> Path:
    path = place.songs / "Night Drive.wav"
    plain(path)
    return path


def expect_refused(place: Place, song: Path | str, *words: str, code: int = 2, **more: object) -> None:
    """The command ends by itself, with these words and nothing in the project."""
    ran = place.process(song, recipe="master-only", timeout_s=30, **more)
    assert ran.code == code, ran.words
    assert "Traceback" not in ran.words
    for word in words:
        assert word in ran.err
    assert ran.out == ""
    assert deliveries(place.project_folder) == []


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _folder_of_text(path: Path) -> None:
    path.mkdir()
    (path / "lyrics.txt").write_text("la la la")


def _folder_of_one_song(path: Path) -> None:
    path.mkdir()
    plain(path / "song.wav")


NO_SONGS = {
    "nothing there": (lambda path: None, "is not there", "Check the path"),
    "pipe": (os.mkfifo, "neither a file nor a folder", "Name a file") if os.name == "posix" else (),
    "broken link": (lambda path: path.symlink_to("/nowhere/x.wav"), "link to /nowhere/x.wav", "not there"),
    "link to itself": (_loop, "link to", "not there"),
    "empty folder": (Path.mkdir, "without a set of stems", "Name the song"),
    "folder of text": (_folder_of_text, "without a set of stems", "Name the song"),
    "folder of one song": (_folder_of_one_song, "without a set of stems", "Name the song"),
}


@posix
@pytest.mark.parametrize(("make", "words"), [(m, w) for m, *w in NO_SONGS.values()], ids=list(NO_SONGS))
def test_what_is_no_song_is_refused_at_once(place: Place, make: Make, words: list[str]) -> None:
    """Exit code 2, before there is a job; a pipe does not hold the command up."""
    path = place.songs / "song.wav"
    make(path)
    expect_refused(place, path, *words)
    assert not place.project_folder.exists()


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_refused_at_once(place: Place, device: str) -> None:
    """It may never end."""
    if not Path(device).exists():
        pytest.skip(f"no {device} on this system")
    expect_refused(place, device, "neither a file nor a folder")


def test_a_mistyped_name_is_guessed(place: Place, song: Path) -> None:
    expect_refused(place, song.with_name("Night Drvie.wav"), "did you mean 'Night Drive.wav'?")


@posix
def test_a_linked_song_is_a_song(place: Place, song: Path) -> None:
    """It is called as the link is."""
    link = song.with_name("Other Name.wav")
    link.symlink_to(song)
    assert place.process(link, recipe="master-only").code == 0
    assert [folder.name for folder in deliveries(place.project_folder)] == ["Other Name"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are a thing of Linux")
def test_a_name_that_is_no_text_is_refused(place: Place, song: Path) -> None:
    """Its bytes could not stand in a report or on another system."""
    broken = os.fsdecode(os.fsencode(song.parent) + b"/bad\xff\xfename.wav")
    shutil.copy(song, broken)
    expect_refused(place, broken, "no valid text", "Rename it")


def test_output_that_cannot_hold_a_name(place: Place) -> None:
    """A pipe in an old encoding gets escapes, no traceback."""
    path = place.songs / "🎵 שיר.wav"
    plain(path)
    old = Place(root=place.root, extra={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    ran = old.process(path, recipe="master-only")
    assert ran.code == 0, ran.words
    assert "\\U0001f3b5" in ran.out


PLACES = {
    "project is a file": ("project", "project is a file", 1),
    "StemBridge is a file": ("project/StemBridge", "StemBridge is a file", 1),
    "data folder is a file": ("data", "cannot hold the job database", 1),
    "shelf is a file": ("data/stages", "stages cannot be made", 1),
    "database is something else": ("data/jobs.sqlite3", "is no job database", 1),
}


@pytest.mark.parametrize(("taken", "words", "code"), PLACES.values(), ids=list(PLACES))
def test_a_file_in_the_way_is_told(place: Place, song: Path, taken: str, words: str, code: int) -> None:
    """And left as it is."""
    path = place.root / taken
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("not ours")
    expect_refused(place, song, words, code=code)
    assert path.read_text() == "not ours"


SETTINGS = {
    "no toml": ("[work\n", "is not valid TOML", "line 1"),
    "unknown key": ("[work]\nthreds = 3\n", "'work.threds' is not a setting", "Did you mean 'threads'"),
    "wrong type": ('[work]\nthreads = "x"\n', "'work.threads' is 'x'", "integer"),
    "out of range": ("[qa]\nmax_attempts = 0\n", "'qa.max_attempts' is 0", "greater than or equal to 1"),
    "table as number": ("work = 3\n", "'work' is 3", ""),
    "unknown stage": ('[recipes.full]\nstages = ["sing"]\n', "'recipes.full.stages.0' is 'sing'", ""),
    "delivery outside": ('[delivery]\nfolder = ".."\n', "'delivery.folder' is '..'", ""),
    "delivery in a path": ('[delivery]\nfolder = "a/b"\n', "'delivery.folder' is 'a/b'", ""),
    "unknown style": ('[mix]\nstyle = "polka"\n', "no style 'polka'", "known are"),
    "unknown target": ('[recipes.master-only]\ntargets = ["moon"]\n', "no target 'moon'", "did you mean"),
    "unknown field": ('[delivery]\nname = "{title} {mood}"\n', "unknown field {mood}", "Known are"),
    "open bracket": ('[delivery]\nname = "{title"\n', "cannot be read", "{title}"),
    "bytes": ("\0\x01", "is not valid TOML", ""),
}


@pytest.mark.parametrize(("text", "found", "wanted"), SETTINGS.values(), ids=list(SETTINGS))
def test_broken_settings_are_told(tmp_path: Path, text: str, found: str, wanted: str) -> None:
    """Exit code 2, with the key, before any work."""
    place = Place(root=tmp_path, settings=text)
    plain(place.songs / "a.wav")
    expect_refused(place, place.songs / "a.wav", found, wanted)
    assert not place.project_folder.exists()


def test_the_same_command_twice_delivers_twice(place: Place, song: Path) -> None:
    """The second is "v2", made of what was finished; the first is not touched."""
    place.process(song, recipe="master-only")
    first = {path: path.stat().st_mtime_ns for path in place.project_folder.rglob("*") if path.is_file()}
    ran = place.process(song, recipe="master-only")
    assert ran.err.count("finished earlier") == 4
    found = deliveries(place.project_folder)
    assert [folder.name for folder in found] == ["Night Drive", "Night Drive v2"]
    assert [fault for folder in found for fault in faults_of(folder)] == []
    assert first == {path: path.stat().st_mtime_ns for path in first}


def test_a_song_in_the_project_folder_stays_beside_its_delivery(place: Place) -> None:
    """Without --project the song's own folder is the project."""
    song = place.root / "project" / "Night Drive.wav"
    song.parent.mkdir()
    plain(song)
    assert place.process(song, recipe="master-only").code == 0
    assert sorted(path.name for path in song.parent.iterdir()) == ["Night Drive.wav", "StemBridge"]


@posix
@pytest.mark.parametrize("recipes", [("full", "full"), ("full", "stems-only")], ids=["same", "other recipe"])
def test_two_commands_at_once(place: Place, song: Path, recipes: tuple[str, str]) -> None:
    """Each delivers whole, or waits for the other one, which is at it, and tells of the same delivery."""
    commands = [place.start(song, recipe=recipe) for recipe in recipes]
    said = [command.communicate(timeout=100) for command in commands]
    codes = [command.returncode for command in commands]
    found = deliveries(place.project_folder)
    assert codes == [0, 0], said
    assert len(found) == len(set(recipes))
    assert [fault for folder in found for fault in faults_of(folder)] == []
    assert sorted(path.name for path in (place.project_folder / "StemBridge").iterdir()) == [
        folder.name for folder in found
    ]
    waited = [err for _, err in said if "another stembridge is at work on it" in err]
    assert len(waited) == (recipes[0] == recipes[1])


@posix
def test_a_job_that_ends_takes_nothing_from_one_at_work(tmp_path: Path) -> None:
    """With no room for finished stages at all, the short job's end removes none that the long one needs."""
    place = Place(root=tmp_path, settings="[work]\nkeep_gb = 0\n")
    write(place.songs / "long.wav", music(12.0))
    plain(place.songs / "short.wav")
    long = place.start(place.songs / "long.wav", recipe="full")
    short = [place.process(place.songs / "short.wav", recipe="master-only").code for _ in range(2)]
    said = long.communicate(timeout=100)
    assert (short, long.returncode) == ([0, 0], 0), said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_output_that_cannot_be_written_is_told(place: Place, song: Path) -> None:
    """No traceback; the delivery is there."""
    with Path("/dev/full").open("w") as full:
        command = [*place.arguments(song, recipe="master-only")]
        done = subprocess.run(
            command, env=place.environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(deliveries(place.project_folder)) == 1


needs_mount = pytest.mark.skipif(not can_mount(), reason="small disks are mounted by root on Linux")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk in memory of a size such as "1m"; mounting it again changes the size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        again = "remount," if folder.is_mount() else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}{options}", "tmpfs", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            pytest.skip("this system does not let root mount a tmpfs")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


@needs_mount
@pytest.mark.parametrize("which", ["data", "project"])
def test_a_disk_that_is_too_small_is_told_before_work(
    tmp_path: Path, small_disk: Callable[[str], Path], which: str
) -> None:
    """With what there is and what is needed."""
    place = Place(root=tmp_path, **{which: small_disk("size=2m")})
    plain(place.songs / "a.wav")
    expect_refused(place, place.songs / "a.wav", "MB free; this song needs", "on another disk", code=1)


@needs_mount
def test_finished_stages_make_room_for_a_song(tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    """They are kept for quick retries; a song that needs the room is worth more."""
    data = small_disk("size=28m")
    place = Place(root=tmp_path, settings="[work]\nreserve_gb = 0\n", data=data)
    for name in ("first.wav", "second.wav"):
        write(place.songs / name, music(2.5 if name == "first.wav" else 2.6))
        ran = place.process(place.songs / name, recipe="full")
        assert ran.code == 0, ran.err
    assert [folder.name for folder in deliveries(place.project_folder)] == ["first", "second"]


@needs_mount
def test_a_project_that_fills_up_gets_nothing_and_the_next_run_goes_on(
    tmp_path: Path, small_disk: Callable[[str], Path]
) -> None:
    """The disk is full in the middle of the delivery."""
    place = Place(root=tmp_path, settings="[work]\nreserve_gb = 0\n", project=small_disk("size=1000k"))
    plain(place.songs / "a.wav")
    expect_refused(place, place.songs / "a.wav", "the disk is full", "Free some space", code=1)
    assert left_in(place.project_folder) == []
    small_disk("size=50m")
    ran = place.process(place.songs / "a.wav", recipe="master-only")
    assert ran.code == 0
    assert ran.err.count("finished earlier") == 4
    assert faults_of(deliveries(place.project_folder)[0]) == []


def _flat_zip(path: Path) -> None:
    """Stems that are 7 MB as audio and a few kB as a zip: no estimate sees them coming."""
    wave = np.tile(np.float32([0.25, 0.25, -0.25, -0.25]), 10 * RATE_HZ // 4)
    for name in ("0 Lead Vocals.wav", "1 Drums.wav"):
        write(path.with_name(name), np.stack([wave, wave]))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("0 Lead Vocals.wav", "1 Drums.wav"):
            archive.write(path.with_name(name), name)


@needs_mount
def test_a_working_disk_that_fills_up_is_told(tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    """In the middle of a stage; what it had written is gone."""
    data = small_disk("size=6m")
    place = Place(root=tmp_path, settings="[work]\nreserve_gb = 0\n", data=data)
    _flat_zip(place.songs / "a.zip")
    expect_refused(place, place.songs / "a.zip", "full", "ree some space", code=1)
    assert list((data / "stages").iterdir()) == []


@needs_mount
def test_no_room_for_the_database_is_told(tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    data = small_disk("size=64k")
    (data / "filler").write_bytes(bytes(60 * 1024))
    place = Place(root=tmp_path, data=data)
    plain(place.songs / "a.wav")
    expect_refused(place, place.songs / "a.wav", "full", "Free some space", code=1)


@needs_mount
def test_a_read_only_project_is_told_before_work(tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    small_disk("size=20m")
    place = Place(root=tmp_path, project=small_disk("ro") / "Set")
    plain(place.songs / "a.wav")
    expect_refused(place, place.songs / "a.wav", "cannot be written to (Read-only", "--project", code=1)


PLAIN_ROOT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--")
"""Runs a command as root without root's way past permissions."""


def _permission_prefix() -> tuple[str, ...] | None:
    """What makes permissions count: nothing for a user, ``setpriv`` for root; None where neither works."""
    if os.name != "posix" or os.geteuid() != 0:
        return () if os.name == "posix" else None
    if shutil.which("setpriv") is None:
        return None
    check = subprocess.run([*PLAIN_ROOT, "cat", "/proc/self/status"], check=False, capture_output=True)
    return PLAIN_ROOT if check.returncode == 0 else None


@pytest.mark.parametrize("which", ["song", "songs", "project", "data"])
def test_a_missing_permission_is_told(place: Place, song: Path, which: str) -> None:
    """To read the song or its folder, to write to the project or the data folder."""
    prefix = _permission_prefix()
    if prefix is None:
        pytest.skip("root passes all permissions here, and there is no setpriv to stop it")
    place.project_folder.mkdir()
    place.data_folder.mkdir()
    path = song if which == "song" else place.root / which
    path.chmod(0o000 if "song" in which else 0o555)
    words = {
        "song": "ermission",
        "songs": "ermission",
        "project": "cannot be written to",
        "data": "ermission",
    }
    try:
        expect_refused(
            place, song, words[which], code=1 if which in ("project", "data") else 2, prefix=prefix
        )
    finally:
        path.chmod(0o755)
