"""Ways in which songs come into a watched folder, as scripts: what is done, with pauses in between.

A script is a generator that yields the seconds until its next step. What it leaves on the disk, and what has
to have become of it, is told to its ``Trial``.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.watching_stage import FAILING, RAW, REFUSED, sha256_of, sha256_of_set, song
from watcher.notes import note_of

Script = Callable[["Trial"], Iterator[float]]


class Trial:
    """One song's fate: where it plays, and what must come of it."""

    def __init__(self, number: int, kind: str, rng: random.Random, root: Path, aside: Path, quiet_s: float):
        self.number, self.kind, self.rng, self.root, self.aside = number, kind, rng, root, aside
        self.quiet_s = quiet_s
        self.whole: set[str] = set()
        """Hashes of contents that were whole at some time: nothing else may become a job."""
        self.songs: dict[Path, str] = {}
        """Sources that have to have succeeded in the end, with the hash of their content."""
        self.notes: set[Path] = set()
        """Sources that must have a note in the end."""
        self.was_late = False
        """The script stopped for longer than it wanted, so that a RAW song may have looked whole."""

    def path(self, folder: str = "", suffix: str = ".wav") -> Path:
        """A place of its own in the watched folder."""
        name = f"song {self.number:05d} {self.rng.randrange(1000):03d}{suffix}"
        return self.root / (folder or self.rng.choice(["", "", "quick", "2026/may"])) / name

    def near(self) -> float:
        """A pause that keeps a file from being quiet."""
        return self.rng.uniform(0, 0.5) * self.quiet_s

    def far(self) -> float:
        """A pause in which a file may become quiet."""
        return self.rng.uniform(0.5, 4) * self.quiet_s

    def any(self) -> float:
        """One of both."""
        return self.rng.choice([self.near, self.far])()

    def put(self, path: Path, content: bytes) -> None:
        """Write a file at once, where nothing was."""
        path.write_bytes(content)
        self.whole.add(sha256_of(content))

    def put_aside(self, content: bytes) -> Path:
        """A file on the same disk that is not watched."""
        path = self.aside / f"{self.number} {self.rng.randrange(10**9)}"
        self.put(path, content)
        return path

    def wants(self, path: Path, content: bytes) -> None:
        """In the end that source has succeeded with that content."""
        self.songs[path] = sha256_of(content)


def at_once(t: Trial) -> Iterator[float]:
    """Written in one go."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.put(path, content)
    t.wants(path, content)


def burst(t: Trial) -> Iterator[float]:
    """Many at the same moment."""
    yield 2 * t.quiet_s
    path, content = t.path(), song(t.rng)
    t.put(path, content)
    t.wants(path, content)


def slowly(t: Trial) -> Iterator[float]:
    """Written in blocks, faster than it could be quiet; its bytes do not say how many they should be."""
    path, content = t.path(), song(t.rng, RAW, size=t.rng.randint(500, 4000))
    yield t.any()
    t.whole.add(sha256_of(content))
    step = max(1, len(content) // t.rng.randint(3, 12))
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            yield t.near()
    t.wants(path, content)


def in_pieces(t: Trial) -> Iterator[float]:
    """Written in pieces with long pauses: what lies there looks finished, and is not."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.whole.add(sha256_of(content))
    cuts = sorted(t.rng.sample(range(1, len(content)), 2))
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        with path.open("ab") as file:
            file.write(content[start:end])
        yield t.far()
    t.wants(path, content)


def preallocated(t: Trial) -> Iterator[float]:
    """Made at its full length first, then filled: its size never changes."""
    path, content = t.path(), song(t.rng, size=3000)
    content = content[:9] + content[9:].replace(b"\0", b"\1")
    yield t.any()
    t.whole.add(sha256_of(content))
    with path.open("wb", buffering=0) as file:
        file.truncate(len(content) + 1)  # one byte more: the length tells until the end that it is not whole
        for start in range(0, len(content), 1000):
            file.write(content[start : start + 1000])
            yield t.any()
        file.truncate(len(content))
    t.wants(path, content)


def renamed_in(t: Trial) -> Iterator[float]:
    """A download that gets its name when it is whole."""
    path, content = t.path(), song(t.rng)
    suffix = t.rng.choice([".part", ".crdownload", ".download", ".tmp", ".partial", ".opdownload"])
    partial = path.with_name(path.name + suffix)
    yield t.any()
    if t.rng.random() < 0.3:
        path.touch()  # Firefox keeps the name free
    for part in (content[:20], content):
        partial.write_bytes(part)
        yield t.any()
    t.whole.add(sha256_of(content))
    partial.replace(path)
    t.wants(path, content)


def moved_in(t: Trial) -> Iterator[float]:
    """From elsewhere on the disk, with an old time."""
    path, content = t.path(), song(t.rng)
    aside = t.put_aside(content)
    os.utime(aside, (1e9, 1e9))
    yield t.any()
    aside.rename(path)
    t.wants(path, content)


def replaced(t: Trial) -> Iterator[float]:
    """A better version takes its place, by name, once or several times."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.put(path, content)
    for _ in range(t.rng.randint(1, 3)):
        yield t.any()
        content = song(t.rng)
        t.put_aside(content).replace(path)
    t.wants(path, content)


def replaced_alike(t: Trial) -> Iterator[float]:
    """The new version has the old one's size and time."""
    path, content = t.path(), song(t.rng, size=1000)
    yield t.any()
    t.put(path, content)
    found = path.stat()
    yield t.any()
    content = song(t.rng, size=1000)
    aside = t.put_aside(content)
    os.utime(aside, ns=(found.st_atime_ns, found.st_mtime_ns))
    aside.replace(path)
    t.wants(path, content)


def rewritten(t: Trial) -> Iterator[float]:
    """Saved again in place: truncated, then written, perhaps slowly."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.put(path, content)
    for _ in range(t.rng.randint(1, 2)):
        yield t.any()
        content = song(t.rng)
        t.whole.add(sha256_of(content))
        half = t.rng.randrange(len(content))
        with path.open("wb", buffering=0) as file:
            yield t.rng.choice([0.0, t.any()])
            file.write(content[:half])
            yield t.any()
            file.write(content[half:])
    t.wants(path, content)


def touched(t: Trial) -> Iterator[float]:
    """Only its time changes: no second delivery."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.put(path, content)
    for _ in range(t.rng.randint(1, 2)):
        yield t.any()
        path.touch()
    t.wants(path, content)


def deleted(t: Trial) -> Iterator[float]:
    """Gone again: nothing has to come of it."""
    path = t.path()
    yield t.any()
    t.put(path, song(t.rng))
    yield t.any()
    path.unlink()
    if t.rng.random() < 0.5:
        yield t.any()
        content = song(t.rng)
        t.put(path, content)
        t.wants(path, content)


def linked(t: Trial) -> Iterator[float]:
    """A link to a file elsewhere, which may come after the link, or change."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    aside = t.put_aside(content)
    if t.rng.random() < 0.5:
        path.symlink_to(aside)
    else:
        path.hardlink_to(aside)
    if t.rng.random() < 0.3:
        yield t.any()
        content = song(t.rng)
        t.whole.add(sha256_of(content))
        aside.write_bytes(content)
    t.wants(path, content)


def looped(t: Trial) -> Iterator[float]:
    """Links that lead in circles or nowhere."""
    yield t.any()
    folder = t.root / f"loop {t.number}"
    folder.mkdir()
    (folder / "again").symlink_to(t.root, target_is_directory=True)
    (folder / "nowhere.wav").symlink_to(t.aside / "not there")
    (folder / "self.wav").symlink_to(folder / "self.wav")
    path, content = folder / f"song {t.number}.wav", song(t.rng)
    t.put(path, content)
    t.wants(path, content)


def moved(t: Trial) -> Iterator[float]:
    """From one sub-folder to another, which may mean another recipe."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    t.put(path, content)
    for folder in t.rng.sample(["quick", "2026/may", "stems-only", "2026"], t.rng.randint(1, 3)):
        yield t.any()
        path = path.rename(t.root / folder / path.name)
    t.wants(path, content)


def folder_moved(t: Trial) -> Iterator[float]:
    """A whole folder is put in, and perhaps renamed."""
    aside = t.aside / f"album {t.number}"
    aside.mkdir()
    contents = {f"track {t.number} {name}.wav": song(t.rng) for name in "abc"}
    for name, content in contents.items():
        t.put(aside / name, content)
    yield t.any()
    place = aside.rename(t.root / aside.name)
    if t.rng.random() < 0.5:
        yield t.any()
        place = place.rename(t.root / f"renamed {t.number}")
    for name, content in contents.items():
        t.wants(place / name, content)


def doubled(t: Trial) -> Iterator[float]:
    """Two files of the same content in one folder are one song, until one of them changes or goes."""
    first, content = t.path("quick"), song(t.rng)
    second = first.with_name("copy of " + first.name)
    yield t.any()
    t.put(first, content)
    yield t.any()
    shutil.copyfile(first, second)
    fate = t.rng.choice(["stay", "change", "go"])
    yield t.any()
    t.wants(second, content)
    if fate == "stay":
        t.wants(first, content)
    elif fate == "go":
        first.unlink()
    else:
        other = song(t.rng)
        t.put_aside(other).replace(first)
        t.wants(first, other)


def refused(t: Trial) -> Iterator[float]:
    """No song at all: a note, until it is saved again and better, or deleted."""
    path = t.path()
    yield t.any()
    t.put(path, song(t.rng, t.rng.choice([REFUSED, FAILING])))
    yield t.any() + t.any()
    match t.rng.choice(["stay", "mend", "delete", "rename"]):
        case "stay":
            t.notes.add(path)
        case "mend":
            content = song(t.rng)
            t.put(path, content)
            t.wants(path, content)
        case "delete":
            path.unlink()
        case "rename":
            path = path.rename(path.with_name("again " + path.name))
            t.notes.add(path)


def never_whole(t: Trial) -> Iterator[float]:
    """An export that broke off: a note after a while, unless the rest comes."""
    path, content = t.path(), song(t.rng)
    yield t.any()
    path.write_bytes(content[:-3])
    t.notes.add(path)
    if t.rng.random() < 0.5:
        yield t.far() + t.far()
        t.notes.clear()
        t.put(path, content)
        t.wants(path, content)


def strangers(t: Trial) -> Iterator[float]:
    """Nothing of that is a song to be taken."""
    yield t.any()
    names = [
        ".hidden.wav",
        "._song.wav",
        "song.wav.part",
        "song.asd",
        "notes.txt",
        "song.temp.mp3",
        "x.icloud",
    ]
    folder = t.root / f"stuff {t.number}"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(song(t.rng))
    mine = note_of(folder / "song.mp3")
    mine.write_text("My own words.", encoding="utf-8")
    t.songs.clear()


def own_output(t: Trial) -> Iterator[float]:
    """A delivery, gathered hidden and renamed, here and where a user moved it."""
    yield t.any()
    home = t.root / "StemBridge"
    home.mkdir(exist_ok=True)
    partial = home / f".{t.number}.partial"
    (partial / "Stems").mkdir(parents=True)
    for name in ("Song - Vocals.wav", "Song - Drums.wav"):
        (partial / "Stems" / name).write_bytes(song(t.rng))
        yield t.near()
    (partial / "manifest.json").write_text('{"format": "stembridge/manifest/1"}', encoding="utf-8")
    place = partial.rename(home / f"Song {t.number}")
    if t.rng.random() < 0.5:
        yield t.any()
        place.rename(t.root / f"moved out {t.number}")


def stems(t: Trial) -> Iterator[float]:
    """A folder of stems is one song, in one go or one stem after the other."""
    folder = t.root / f"Song {t.number} Stems"
    names = t.rng.sample(["0 Vocals.wav", "1 Drums.wav", "2 Bass.wav", "3 Guitar.wav"], t.rng.randint(2, 4))
    contents = {name: song(t.rng) for name in names}
    yield t.any()
    place = t.aside / folder.name if t.rng.random() < 0.5 else folder
    place.mkdir()
    for name, content in contents.items():
        (place / name).write_bytes(content)
        if place == folder:
            yield t.near()
    if place != folder:
        place.rename(folder)
    if t.rng.random() < 0.3:
        yield t.any()
        t.whole.add(sha256_of_set(contents))
        contents[names[0]] = song(t.rng)
        t.put_aside(contents[names[0]]).replace(folder / names[0])
    t.songs[folder] = sha256_of_set(contents)
    t.whole |= {sha256_of_set(contents), *map(sha256_of, contents.values())}


KINDS: tuple[Script, ...] = (
    at_once, slowly, in_pieces, preallocated, renamed_in, moved_in, replaced, replaced_alike, rewritten,
    touched, deleted, linked, looped, moved, folder_moved, doubled, refused, never_whole, strangers,
    own_output, stems,
)  # fmt: skip
