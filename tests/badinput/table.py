"""``python -m tests.badinput.table [FILE]``: every bad or odd input through the real command, as a table."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.badinput.cases import CASES, plain
from tests.badinput.command import Place, Ran, deliveries, faults_of, left_in

SHOWN_LETTERS = 260


@dataclass(frozen=True, kw_only=True)
class Row:
    """An input, how the command ended, what it said, what was in the project afterwards."""

    what: str
    ran: Ran
    left: str

    def __str__(self) -> str:
        figures = [line for line in self.ran.out.splitlines() if line.startswith(("  Master", "  Stems"))]
        words = _shortened(_without_progress(self.ran.err) if self.ran.code else "; ".join(figures))
        return f"| {self.what} | {self.ran.code} | {self.ran.seconds:.1f} | {words} | {self.left} |"


def rows() -> Iterator[Row]:
    """A row for each song of the tests, and for each place that is not as it should be."""
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="stembridge-table-") as folder:
            place = Place(root=Path(folder))
            yield _row(place, case.id, case.made(place.songs), case.recipe)
    for what, make in PLACES.items():
        with tempfile.TemporaryDirectory(prefix="stembridge-table-") as folder:
            place = Place(root=Path(folder), settings=SETTINGS.get(what, ""))
            plain(place.songs / "song.wav")
            yield _row(place, what, make(place), "master-only")

    if can_mount():
        yield from _disk_rows()


def can_mount() -> bool:
    """Whether small disks can be made here to fill up."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


def _disk_rows() -> Iterator[Row]:
    """Disks that are full or read-only, as the project's and as the working one."""
    for what, (which, settings, options) in DISKS.items():
        with tempfile.TemporaryDirectory(prefix="stembridge-table-") as folder:
            disk = Path(folder) / which
            disk.mkdir()
            place = Place(root=Path(folder), settings=settings)
            plain(place.songs / "song.wav")
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
            try:
                yield _row(place, what, _song(place), "master-only")
            finally:
                subprocess.run(["umount", str(disk)], check=True)


def _row(place: Place, what: str, song: Path | str, recipe: str) -> Row:
    before = left_in(place.project_folder)
    ran = place.process(song, recipe=recipe)
    found = deliveries(place.project_folder)
    faults = [fault for folder in found for fault in faults_of(folder)]
    after = left_in(place.project_folder)
    return Row(what=what, ran=ran, left=_left(before, after, len(found), faults, "Traceback" in ran.words))


def _left(before: list[str], after: list[str], number: int, faults: list[str], has_traceback: bool) -> str:
    if has_traceback:
        return "TRACEBACK"
    if faults:
        return "; ".join(faults)
    if number:
        return f"{number} whole delivery" if number == 1 else f"{number} whole deliveries"
    return "nothing" if after == before else f"LEFT: {after}"


def _without_progress(text: str) -> str:
    return "\n".join(
        line for line in text.splitlines() if not re.search(r" - ([\d.]+ s|finished \w+)$", line)
    )


def _shortened(text: str) -> str:
    """On one line, without the folder that the table is made in."""
    one_line = re.sub(r"[^\s(]*/stembridge-table-[^/\s]+/", "", " ".join(text.split()))
    one_line = one_line.replace("|", "\\|").replace("<", "&lt;").strip()
    return one_line if len(one_line) <= SHOWN_LETTERS else one_line[: SHOWN_LETTERS - 1] + "…"


def _song(place: Place) -> Path:
    return place.songs / "song.wav"


def _pipe(place: Place) -> Path:
    path = place.songs / "pipe.wav"
    os.mkfifo(path)
    return path


def _link(place: Place) -> Path:
    path = place.songs / "link.wav"
    path.symlink_to(place.songs / "gone.wav")
    return path


def _folder(place: Place) -> Path:
    path = place.songs / "folder"
    path.mkdir()
    plain(path / "one.wav")
    return path


def _taken(name: str) -> Callable[[Place], Path]:
    def make(place: Place) -> Path:
        path = place.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not ours")
        return _song(place)

    return make


def _twice(place: Place) -> Path:
    place.process(_song(place), recipe="master-only")
    return _song(place)


def _inside(place: Place) -> Path:
    path = place.project_folder / "inside.wav"
    path.parent.mkdir()
    plain(path)
    return path


PLACES: dict[str, Callable[[Place], Path | str]] = {
    "no such file": lambda place: place.songs / "sonk.wav",
    "named pipe": _pipe,
    "/dev/zero": lambda _: "/dev/zero",
    "broken link": _link,
    "folder with one song": _folder,
    "project is a file": _taken("project"),
    "StemBridge is a file": _taken("project/StemBridge"),
    "data folder is a file": _taken("data"),
    "database is something else": _taken("data/jobs.sqlite3"),
    "same command twice": _twice,
    "song inside the project": _inside,
    "settings: unknown key": _song,
    "settings: no TOML": _song,
    "settings: unknown style": _song,
    "settings: template": _song,
    "settings: delivery outside": _song,
}
SETTINGS = {
    "settings: unknown key": "[work]\nthreds = 3\n",
    "settings: no TOML": "[work\n",
    "settings: unknown style": '[mix]\nstyle = "polka"\n',
    "settings: template": '[delivery]\nname = "{mood}"\n',
    "settings: delivery outside": '[delivery]\nfolder = ".."\n',
}


NO_RESERVE = "[work]\nreserve_gb = 0\n"
DISKS = {
    "project disk too small": ("project", "", "size=2m"),
    "project disk full during the delivery": ("project", NO_RESERVE, "size=1000k"),
    "project disk read-only": ("project", "", "ro,size=2m"),
    "working disk too small": ("data", "", "size=2m"),
    "working disk without any room": ("data", NO_RESERVE, "size=16k"),
    "working disk read-only": ("data", "", "ro,size=2m"),
}


def main() -> None:
    """Print the table, or write it to the file that is named."""
    lines = ["| input | exit code | s | what was said | in the project |", "|---|---|---|---|---|"]
    lines += [str(row) for row in rows()]
    text = "\n".join(lines) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
