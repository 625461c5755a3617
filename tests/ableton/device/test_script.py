"""The device's script: it is ES5, and it passes its own tests in Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ableton.device.script import script_text

HERE = Path(__file__).parent
NODE_TESTS = sorted(HERE.glob("*.test.js"))

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed (Debian: npm)")
needs_mujs = pytest.mark.skipif(shutil.which("mujs") is None, reason="mujs is not installed (Debian: mujs)")


@needs_mujs
def test_an_engine_that_knows_nothing_but_es5_loads_it(script: Path) -> None:
    done = subprocess.run(["mujs", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_mujs
def test_that_engine_refuses_what_is_newer(tmp_path: Path) -> None:
    newer = tmp_path / "newer.js"
    newer.write_text(script_text() + "\nvar late = () => 1;\n", encoding="utf-8")
    assert subprocess.run(["mujs", newer], capture_output=True, check=False).returncode != 0


@needs_node
@pytest.mark.parametrize("path", NODE_TESTS, ids=lambda path: path.name.removesuffix(".test.js"))
def test_in_node(path: Path) -> None:
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", path],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout
    assert "# tests 0" not in done.stdout
