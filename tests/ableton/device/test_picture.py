"""The picture of the device: well formed, in the theme's colours, and nothing runs over its edge."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ableton.device.patch import WIDTH_PX
from ableton.device.pictures import STATES, picture
from ableton.device.theme import DARK, LIGHT
from tests.report.browser import Browser, find_chromium

TEXT = "{http://www.w3.org/2000/svg}text"
OVERFLOWING = """
[...document.querySelectorAll("text")]
  .map((each) => ({text: each.textContent, box: each.getBoundingClientRect()}))
  .filter(({box}) => box.left < 0 || box.right > %d)
  .map(({text}) => text)
"""


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(TEXT)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_state_is_drawn_with_every_control(state: str, theme: dict[str, tuple[float, ...]]) -> None:
    seen = texts(picture(state, theme))
    for control in (
        "Process newest",
        "Process this clip",
        "Process file...",
        "Import stems",
        "Cancel",
        "Session",
    ):
        assert control in seen


def test_a_picture_shows_what_the_script_said() -> None:
    seen = texts(picture("done"))
    assert {"Night Drive", "Done. 4 stems to import", "-14.0 LUFS  -1.0 dBTP"} <= set(seen)


def test_themes_look_different() -> None:
    assert picture("resting", LIGHT) != picture("resting", DARK)


def test_states_look_different() -> None:
    assert len({picture(state) for state in STATES}) == len(STATES)


def test_no_text_runs_over_the_edge(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium is installed")
    page = tmp_path / "device.html"
    page.write_text("<body style='margin:0'>" + "<br>".join(map(picture, STATES)), encoding="utf-8")
    with Browser(chromium, tmp_path / "profile") as browser:
        browser.open(page)
        assert browser.evaluate("document.querySelectorAll('svg').length") == len(STATES)
        assert browser.evaluate(OVERFLOWING % WIDTH_PX) == []
