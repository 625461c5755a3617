"""Exporters that are plugged in: each alone with its folder, its failure its own."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import registry
from bridge.errors import ConfigError, JobCancelled, JobHalted, RegistryError
from bridge.music import BeatGrid, Music
from bridge.protocols import Exporter, Progress, SongToExport, no_progress
from bridge.stages.exporting import run_exporters
from bridge.values import Track

SONG = SongToExport(
    track=Track(title="Night Drive"),
    title="Night Drive",
    rate_hz=48_000,
    frames=48_000,
    music=Music(duration_s=1.0, grid=BeatGrid(tempo_bpm=120, confidence=1)),
    delivery=Path("/project/StemBridge/Night Drive"),
)

Export = Callable[[SongToExport, Path, Progress], tuple[Path, ...]]


def exporter(export: Export) -> type[Exporter]:
    """The class of an exporter that does this."""
    members = {"name": "x", "version": "1", "export": staticmethod(export)}
    return type("Made", (), members)


def writes(*names: str) -> type[Exporter]:
    def export(_song: SongToExport, folder: Path, progress: Progress) -> tuple[Path, ...]:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        progress(1.0)
        return tuple(folder / name for name in names)

    return exporter(export)


def raises(failure: BaseException) -> type[Exporter]:
    def export(_song: SongToExport, folder: Path, _progress: Progress) -> tuple[Path, ...]:
        (folder / "half").write_text("half")
        raise failure

    return exporter(export)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, type[Exporter]]:
    """Exporters instead of the installed ones."""
    found: dict[str, type[Exporter]] = {}

    def load(group: str, name: str) -> type[Exporter]:
        assert group == "bridge.exporters"
        if name not in found:
            raise RegistryError(f"No '{name}' is registered.")
        return found[name]

    monkeypatch.setattr(registry, "load", load)
    return found


def test_files_keep_their_place(known: dict[str, type[Exporter]], tmp_path: Path) -> None:
    """Below the folder that the exporter was given, which nobody else has."""
    known |= {"one": writes("MIDI/a.mid"), "two": writes("b.txt", "Session/c.als")}
    done = run_exporters(["one", "two"], SONG, tmp_path / "x", (), no_progress)
    assert [sorted(exported.files) for exported in done] == [["MIDI/a.mid"], ["Session/c.als", "b.txt"]]
    for exported in done:
        for place, path in exported.files.items():
            assert path.read_text() == place


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param(
            raises(ConfigError("export.live_template: gone.")), "export.live_template: gone.", id="ours"
        ),
        pytest.param(raises(ZeroDivisionError("by zero")), "ZeroDivisionError: by zero", id="a bug"),
        pytest.param(
            raises(OSError(errno.EACCES, "no")), "PermissionError: [Errno 13] no", id="a file system"
        ),
        pytest.param(None, "No 'broken' is registered.", id="not installed"),
        pytest.param(
            writes("../escaped"), "no file in the folder that it was given", id="outside its folder"
        ),
        pytest.param(writes("Stems/VOCALS.wav"), "which the delivery holds already", id="a stem's place"),
        pytest.param(writes("a.txt"), "which the delivery holds already", id="another exporter's place"),
        pytest.param(writes("stems"), "which the delivery holds already", id="a folder's place"),
        pytest.param(writes("A.txt/b"), "which the delivery holds already", id="inside of a file"),
        pytest.param(raises(SystemExit(3)), "SystemExit: 3", id="a library that ends the program"),
        pytest.param(
            exporter(lambda *_: (Path("nowhere"),)), "no file in the folder", id="a file that is not there"
        ),
        pytest.param(exporter(lambda *_: None), "TypeError", id="no paths"),  # type: ignore[arg-type,return-value]
    ],
)
def test_a_failure_hurts_only_itself(
    known: dict[str, type[Exporter]], tmp_path: Path, broken: type[Exporter] | None, says: str
) -> None:
    """Those before and after it write, and what it wrote is gone."""
    known |= {"first": writes("a.txt"), "last": writes("c.txt")} | ({"broken": broken} if broken else {})
    taken = ["Stems/Vocals.wav"]
    first, failed, last = run_exporters(["first", "broken", "last"], SONG, tmp_path / "x", taken, no_progress)
    assert says in failed.failure
    assert failed.files == {}
    assert not (tmp_path / "x" / "1").exists()
    assert [list(first.files), list(last.files)] == [["a.txt"], ["c.txt"]]
    assert first.failure == last.failure == ""


def insists(progress: Progress) -> tuple[Path, ...]:
    progress(0.5)
    return ()


def explains(progress: Progress) -> tuple[Path, ...]:
    try:
        progress(0.5)
    except Exception as error:
        raise ValueError("mine") from error
    return ()


def ignores(progress: Progress) -> tuple[Path, ...]:
    with contextlib.suppress(Exception):
        progress(0.5)
    return ()


@pytest.mark.parametrize("interruption", [JobCancelled, JobHalted])
@pytest.mark.parametrize("answer", [insists, explains, ignores])
def test_a_job_that_is_stopped_stops(
    known: dict[str, type[Exporter]],
    tmp_path: Path,
    interruption: type[Exception],
    answer: Callable[[Progress], tuple[Path, ...]],
) -> None:
    """Whatever the exporter makes of it."""

    def stop(_share: float) -> None:
        raise interruption

    known["one"] = exporter(lambda _song, _folder, progress: answer(progress))
    with pytest.raises(interruption):
        run_exporters(["one"], SONG, tmp_path / "x", (), stop)


def test_memory_that_is_full_is_the_jobs_trouble(known: dict[str, type[Exporter]], tmp_path: Path) -> None:
    """As everywhere else."""
    known["one"] = raises(MemoryError())
    with pytest.raises(MemoryError):
        run_exporters(["one"], SONG, tmp_path / "x", (), no_progress)


def test_a_full_disk_is_the_jobs_trouble(known: dict[str, type[Exporter]], tmp_path: Path) -> None:
    """Other jobs wait for room as well."""
    known["one"] = raises(OSError(errno.ENOSPC, "full"))
    with pytest.raises(OSError, match="full"):
        run_exporters(["one"], SONG, tmp_path / "x", (), no_progress)


def test_progress_goes_from_exporter_to_exporter(known: dict[str, type[Exporter]], tmp_path: Path) -> None:
    """Never back."""
    known |= {"one": writes("a"), "two": writes("b")}
    shares: list[float] = []
    run_exporters(["one", "two"], SONG, tmp_path / "x", (), shares.append)
    assert shares == [0.5, 1.0]
