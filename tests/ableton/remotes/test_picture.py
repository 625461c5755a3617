"""The picture in the documents is that of the layout, and nothing in either layout runs over its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ableton.remotes.picture import SHOWN, pictures
from tests.report.browser import Browser, find_chromium

OVERFLOWING = """
[...document.querySelectorAll("text")]
  .map((each) => [each.textContent, each.getBoundingClientRect(), each.parentNode.getBoundingClientRect()])
  .filter(([, box, all]) => box.left < all.left || box.right > all.right || box.bottom > all.bottom)
  .map(([text]) => text)
"""


def test_the_committed_picture_is_what_the_layout_gives() -> None:
    """Else: python -m tests.ableton.remotes.picture FOLDER."""
    assert SHOWN.read_text(encoding="utf-8") == pictures()["touchosc"]


def test_both_layouts_say_the_same_in_the_same_places() -> None:
    """But for the lamp, which is a sign in a browser."""
    touch, stage = (set(re.findall(r'<text x="([^"]+)" .*>(.+)</text>', svg)) for svg in pictures().values())
    assert {text for _x, text in stage - touch} == {"●"}
    assert touch <= stage


def test_no_text_runs_over_the_edge(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium is installed")
    page = tmp_path / "panels.html"
    page.write_text(f"<body style='width:800px'>{'<br>'.join(pictures().values())}", encoding="utf-8")
    with Browser(chromium, tmp_path / "profile") as browser:
        browser.open(page)
        assert browser.evaluate("document.querySelectorAll('svg').length") == 2
        assert browser.evaluate(OVERFLOWING) == []
