"""AUTOMATE.sh: what is missing is told with the command that helps, and what is there is not done again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("bash", "cat", "cksum", "tr", "awk", "sed", "dirname", "env", "printf")

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("bash"), reason="needs bash (Git Bash on Windows)"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script and what it reads, and a path with only the plainest tools."""
    folder = tmp_path / "checkout"
    (folder / ".ci").mkdir(parents=True)
    for name in ("AUTOMATE.sh", "pyproject.toml", ".ci/constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (tmp_path / "bin" / tool).symlink_to(found)
    program(tmp_path, "df", 'echo header; echo "disk 1 1 90000 1% /"')
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent)}
    return subprocess.run(
        ["bash", str(checkout / "AUTOMATE.sh"), *arguments],
        capture_output=True, text=True, env=environment, cwd=checkout.parent, timeout=60, check=False,
    )  # fmt: skip


def python(folder: Path, *, is_new: bool = True, has_venv: bool = True) -> None:
    """A python3 that answers the questions that the script asks."""
    program(
        folder,
        "python3",
        f"""case "$*" in
*--version*) echo "Python 3.{12 if is_new else 8}.1" ;;
*"import venv"*) exit {0 if has_venv else 1} ;;
*version_info\\ *"<"*) exit {0 if is_new else 1} ;;
*print*) echo 3.12 ;;
*) exit 9 ;;
esac""",
    )


def test_too_old_a_python_is_told_with_the_remedy(checkout: Path) -> None:
    """What was found, and how to get a newer one on each system."""
    python(checkout.parent, is_new=False)
    done = run(checkout, "song.mp3")
    assert done.returncode == 1
    assert "Python 3.8.1" in done.stderr
    assert "sudo apt install python3" in done.stderr
    assert "brew install" in done.stderr


def test_a_missing_venv_module_is_told_with_the_package(checkout: Path) -> None:
    """Debian's Python comes without it."""
    python(checkout.parent, has_venv=False)
    done = run(checkout, "song.mp3")
    assert done.returncode == 1
    assert "sudo apt install python3.12-venv" in done.stderr


def test_a_full_disk_is_told_before_anything_is_made(checkout: Path) -> None:
    """With what is free and what is needed."""
    python(checkout.parent)
    program(checkout.parent, "df", 'echo header; echo "disk 1 1 700 99% /"')
    done = run(checkout, "song.mp3")
    assert done.returncode == 1
    assert "700 MB free" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.fixture
def installed(checkout: Path) -> Path:
    """A checkout whose environment is there: stand-ins write down how they were called."""
    stamp = subprocess.run(
        "cat pyproject.toml .ci/constraints.txt | cksum | tr ' ' '-'",
        shell=True, capture_output=True, text=True, cwd=checkout, check=True,
    ).stdout.strip()  # fmt: skip
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / ".stembridge-stamp").write_text(f"{stamp}[dev]\n")
    for name in ("stembridge", "python", "ruff", "mypy", "lint-imports"):
        path = checkout / ".venv" / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{checkout.parent}/calls"\n')
        path.chmod(0o755)
    return checkout


def calls(checkout: Path) -> list[str]:
    return (checkout.parent / "calls").read_text().splitlines()


def test_a_song_is_processed_without_setting_up_again(installed: Path) -> None:
    """With the options as given, a file called test included."""
    assert run(installed, "./test", "--recipe", "quick").returncode == 0
    assert calls(installed) == ["stembridge process ./test --recipe quick"]


def test_without_a_song_the_demo_is_made_and_processed(installed: Path) -> None:
    """Options go to process."""
    assert run(installed, "--recipe", "quick").returncode == 0
    composed, processed = calls(installed)
    assert composed.startswith("stembridge compose --demo")
    assert processed.endswith("Night Drive.wav --recipe quick")


@pytest.mark.parametrize(
    ("words", "selected"), [(["test"], "-m pytest -m not slow"), (["test", "all"], "-m pytest")]
)
def test_test_runs_every_check(installed: Path, words: list[str], selected: str) -> None:
    """Lint, format, types, import contracts, tests; the slow ones with "all"."""
    assert run(installed, *words).returncode == 0
    called = calls(installed)
    assert [call.split()[0] for call in called] == ["ruff", "ruff", "mypy", "lint-imports", "python"]
    assert called[-1] == f"python {selected}"


def test_a_changed_requirement_sets_up_again(installed: Path) -> None:
    """The stamp no longer fits, so pip is asked."""
    (installed / "pyproject.toml").write_text("changed")
    run(installed, "./song.mp3")
    assert any("pip install" in call for call in calls(installed))
