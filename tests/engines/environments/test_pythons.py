"""Which Python an engine gets, and how to get one, on systems that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.engines.environments.catalogue import Engine, Platform
from bridge.engines.environments.pythons import Command, Machine, Python, find_python, probe
from bridge.errors import EngineError

OLD = Engine(
    name="old",
    title="Old Engine, made for 3.11",
    licence="MIT",
    modules=("old",),
    oldest_python="3.10",
    newest_python={"usual": "3.11", "macos-x86_64": "3.10"},
)


class MadeUp:
    """A machine on which certain commands start certain Pythons."""

    def __init__(self, folder: Path, system: str = "linux", machine: str = "x86_64") -> None:
        self.folder, self.system, self.kind = folder, system, machine
        self.pythons: dict[str, Python] = {}
        self.path: dict[str, str] = {}

    def add(
        self, command: str, version: str, *, machine: str = "", bits: int = 64, missing: tuple[str, ...] = ()
    ) -> None:
        platform = Platform(system=self.system, machine=machine or self.kind)
        self.pythons[command] = Python(
            path=Path(command), version=version, bits=bits, platform=platform, missing=missing
        )

    def keep(self, place: str, version: str) -> Path:
        """A Python that some program keeps in the home folder."""
        path = self.folder / place
        path.parent.mkdir(parents=True)
        path.touch()
        self.add(str(path), version)
        return path

    def probe(self, command: Command) -> Python | None:
        return self.pythons.get(" ".join(command))

    def find(self, engine: Engine = OLD) -> Python:
        machine = Machine(
            own=Path("own"), system=self.system, home=self.folder, environment={}, which=self.path.get
        )
        return find_python(engine, machine=machine, probe=self.probe)


def test_stembridges_own_python_comes_first(tmp_path: Path) -> None:
    made_up = MadeUp(tmp_path)
    made_up.add("own", "3.10.4")
    made_up.path["python3.11"] = "/usr/bin/python3.11"
    made_up.add("/usr/bin/python3.11", "3.11.9")
    assert made_up.find().path == Path("own")


def test_a_newer_one_of_the_path_comes_before_an_older_one(tmp_path: Path) -> None:
    """A shim of pyenv's that stands for nothing (it does not run) is passed over."""
    made_up = MadeUp(tmp_path)
    made_up.add("own", "3.13.1")
    made_up.path |= {"python3.11": "/shims/python3.11", "python3.10": "/usr/bin/python3.10"}
    made_up.add("/usr/bin/python3.10", "3.10.13")
    assert made_up.find().version == "3.10.13"
    made_up.add("/shims/python3.11", "3.11.0")
    assert made_up.find().version == "3.11.0"


@pytest.mark.parametrize(
    ("system", "place"),
    [
        ("linux", ".pyenv/versions/3.11.7/bin/python3.11"),
        ("darwin", ".pyenv/versions/3.11.7/bin/python3.11"),
        ("linux", ".local/share/uv/python/cpython-3.11.7-linux-x86_64-gnu/bin/python3.11"),
        ("win32", ".pyenv/pyenv-win/versions/3.11.7/python.exe"),
        ("win32", "AppData/Roaming/uv/python/cpython-3.11.7-windows-x86_64-none/python.exe"),
    ],
)
def test_those_that_programs_keep_are_found(tmp_path: Path, system: str, place: str) -> None:
    made_up = MadeUp(tmp_path, system, "arm64" if system == "darwin" else "x86_64")
    made_up.add("own", "3.14.0")
    path = made_up.keep(place, "3.11.7")
    assert made_up.find().path == path


def test_the_newest_patch_is_taken(tmp_path: Path) -> None:
    """3.11.10 is newer than 3.11.9, though not by the alphabet."""
    made_up = MadeUp(tmp_path)
    made_up.add("own", "3.14.0")
    for patch in ("3.11.9", "3.11.10"):
        made_up.keep(f".pyenv/versions/{patch}/bin/python3.11", patch)
    assert made_up.find().version == "3.11.10"


def test_windows_launcher_is_asked(tmp_path: Path) -> None:
    made_up = MadeUp(tmp_path, "win32", "AMD64")
    made_up.add("own", "3.14.0")
    made_up.path["py"] = r"C:\Windows\py.exe"
    made_up.add(r"C:\Windows\py.exe -3.11", "3.11.9")
    assert made_up.find().version == "3.11.9"


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("linux", r"sudo apt install python3\.11 python3\.11-venv"),
        ("darwin", r"brew install python@3\.11"),
        ("win32", r"winget install Python\.Python\.3\.11"),
    ],
)
def test_the_way_to_get_one_is_told(tmp_path: Path, system: str, words: str) -> None:
    """With what was found, what is wanted, and uv's command, which works everywhere."""
    made_up = MadeUp(tmp_path, system, "arm64" if system == "darwin" else "x86_64")
    made_up.add("own", "3.13.0")
    with pytest.raises(EngineError, match=words) as error:
        made_up.find()
    for part in ("needs Python 3.10 to 3.11", "Found: Python 3.13.0.", "uv python install 3.11", "--python"):
        assert part in error.value.message


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ({"bits": 32}, "is a 32-bit Python"),
        ({"machine": "ARM64"}, "is made for windows-arm64, for which there are no packages of Old Engine"),
        ({"missing": ("ensurepip",)}, r"without the module that makes environments \(ensurepip\)"),
    ],
    ids=["32 bits", "Windows on ARM", "Debian without python3-venv"],
)
def test_one_that_will_not_do_is_told(tmp_path: Path, flaw: dict[str, object], words: str) -> None:
    made_up = MadeUp(tmp_path, "win32", "AMD64")
    made_up.add("own", "3.11.2", **flaw)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match=words):
        made_up.find()


def test_platforms_have_their_own_newest(tmp_path: Path) -> None:
    """The last torch for Intel Macs ends earlier; a Python under Rosetta counts as one of those."""
    made_up = MadeUp(tmp_path, "darwin", "x86_64")
    made_up.add("own", "3.11.2")
    with pytest.raises(EngineError, match=r"needs Python 3\.10, and"):
        made_up.find()


def test_this_python_tells_about_itself() -> None:
    found = probe([sys.executable])
    assert found is not None
    assert found.version == sys.version.split()[0]
    assert found.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize("command", [["/no/such/python"], [__file__], ["/bin/echo"]])
def test_what_is_no_python_is_none(command: Command) -> None:
    assert probe(command) is None
