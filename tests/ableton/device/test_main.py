"""``python -m ableton.device``: looking at devices."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from ableton.device.__main__ import app
from ableton.device.pictures import STATES
from tests.ableton.device.samples import real_device


def test_ours_is_shown_and_held_to_the_guidelines() -> None:
    shown = CliRunner().invoke(app, ["show"], catch_exceptions=False)
    assert "audio effect, frozen" in shown.output
    assert "TEXT stembridge.js" in shown.output
    linted = CliRunner().invoke(app, ["lint"], catch_exceptions=False)
    assert (linted.exit_code, linted.output) == (0, "Nothing found.\n")


def test_any_device_can_be_held_to_the_guidelines() -> None:
    path = real_device("ableton_FrozenTest.amxd")
    linted = CliRunner().invoke(app, ["lint", str(path)], catch_exceptions=False)
    assert linted.exit_code == 1
    assert "prints_nothing: print (obj-31) prints" in linted.output


def test_every_state_is_drawn_in_both_themes(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["pictures", str(tmp_path / "new")], catch_exceptions=False)
    assert len(list((tmp_path / "new").glob("*.svg"))) == 2 * len(STATES)
