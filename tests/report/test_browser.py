"""The page in a real browser: no complaint, no overflow, and A/B switches what is heard in place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.report import render_report
from tests.report import examples
from tests.report.browser import Browser, find_chromium

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

# Notes what the page plays: gains and started sources, in the order in which the page makes them.
LISTEN_IN = """
window.heard = {gains: [], starts: []};
const createGain = AudioContext.prototype.createGain;
AudioContext.prototype.createGain = function () {
  const node = createGain.call(this);
  heard.gains.push(node);
  return node;
};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when, offset) {
  heard.starts.push({when, offset, seconds: this.buffer.duration});
  return start.call(this, when, offset);
};
"""
UNTIL = """
(async () => {
  for (let turn = 0; turn < 600; turn++) {
    if (%s) return true;
    await new Promise((done) => requestAnimationFrame(done));
  }
  return false;
})()
"""
OVERFLOW = """
[...document.querySelectorAll("main *")]
  .filter((each) => !each.closest("nav, .hidden, svg") && each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => each.tagName + "." + each.className)
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser with a fresh profile."""
    assert CHROMIUM is not None
    with Browser(CHROMIUM, tmp_path / "profile") as found:
        yield found


def page(folder: Path, name: str, text: str) -> Path:
    """A page as a file."""
    path = folder / f"{name}.html"
    path.write_text(text, encoding="utf-8")
    return path


def waits(browser: Browser, condition: str) -> bool:
    """Whether a condition comes true within some seconds of frames."""
    return bool(browser.evaluate(UNTIL % condition))


def gains(browser: Browser) -> list[float]:
    """The present gains of all sources, rounded."""
    found: list[float] = browser.evaluate("heard.gains.map((node) => Math.round(node.gain.value * 10) / 10)")
    return found


def test_play_and_a_b_switch_in_place(browser: Browser, tmp_path: Path) -> None:
    """Both versions start together and loop; switching by key or button moves the gain alone."""
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=LISTEN_IN)
    browser.open(page(tmp_path, "full", render_report(examples.full(tmp_path))))
    assert browser.evaluate("getComputedStyle(document.querySelector('audio')).display") == "none"
    browser.evaluate("document.querySelector('#listen [data-play]').click()")
    assert waits(
        browser, "document.querySelector('#listen .deck.playing') && heard.gains[0]?.gain.value > 0.99"
    )
    assert gains(browser) == [1, 0]
    starts = browser.evaluate("heard.starts")
    assert len(starts) == 2
    assert starts[0]["when"] == starts[1]["when"]
    assert all(abs(each["seconds"] - examples.EXCERPT_S) < 0.06 for each in starts)

    browser.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'b', bubbles: true}))")
    assert waits(browser, "heard.gains[1].gain.value > 0.99 && heard.gains[0].gain.value < 0.01")
    pressed = "[...document.querySelectorAll('[data-pick]')].map((each) => each.getAttribute('aria-pressed'))"
    assert browser.evaluate(pressed) == ["false", "true"]
    browser.evaluate("document.querySelector('[data-pick=\"0\"]').click()")
    assert waits(browser, "heard.gains[0].gain.value > 0.99 && heard.gains[1].gain.value < 0.01")
    browser.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'x', bubbles: true}))")
    assert waits(browser, "heard.gains[1].gain.value > 0.99")
    assert len(browser.evaluate("heard.starts")) == 2, "switching must not start anything anew"
    browser.evaluate(
        "const at = document.querySelector('#listen [data-seek]'); at.value = 1.5;"
        "at.dispatchEvent(new Event('input'))"
    )
    assert waits(
        browser, "parseFloat(getComputedStyle(document.querySelector('#listen .playhead')).left) > 300"
    )
    assert browser.evaluate("heard.starts.map((each) => each.offset)")[-2:] == [1.5, 1.5]
    assert browser.complaints() == []


def test_stems_play_together_or_alone(browser: Browser, tmp_path: Path) -> None:
    """All dry stems sound; solo leaves one; mixed swaps the set; the other deck stops."""
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=LISTEN_IN)
    browser.open(page(tmp_path, "full", render_report(examples.full(tmp_path))))
    browser.evaluate("document.querySelector('#stems [data-play]').click()")
    assert waits(browser, "heard.gains.length === 8 && heard.gains[0].gain.value > 0.99")
    assert gains(browser) == [1, 0] * 4
    browser.evaluate("document.querySelectorAll('#stems [data-solo]')[2].click()")
    assert waits(browser, "heard.gains[0].gain.value < 0.01 && heard.gains[4].gain.value > 0.99")
    assert gains(browser) == [0, 0, 0, 0, 1, 0, 0, 0]
    browser.evaluate("document.querySelector('#stems [data-set=mixed]').click()")
    assert waits(browser, "heard.gains[5].gain.value > 0.99 && heard.gains[4].gain.value < 0.01")
    browser.evaluate("document.querySelectorAll('#stems [data-solo]')[2].click()")
    browser.evaluate("document.querySelectorAll('#stems [data-mute]')[0].click()")
    assert waits(browser, "heard.gains[3].gain.value > 0.99 && heard.gains[1].gain.value < 0.01")
    browser.evaluate("document.querySelector('#listen [data-play]').click()")
    assert waits(
        browser, "!document.querySelector('#stems .playing') && document.querySelector('#listen .playing')"
    )
    assert browser.complaints() == []


def test_nothing_overflows_and_nothing_runs_that_should_not(browser: Browser, tmp_path: Path) -> None:
    """Every state, at the width of a phone and of a desk, without a complaint of the browser."""
    for width in (390, 1280):
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        for name, made in examples.STATES.items():
            browser.events.clear()
            browser.open(page(tmp_path, name, render_report(made())))
            assert browser.evaluate(OVERFLOW) == [], (name, width)
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
            assert browser.complaints() == [], (name, width)


def test_without_script_the_players_are_there(browser: Browser, tmp_path: Path) -> None:
    """The browser's own controls show, the shared transport does not."""
    path = page(tmp_path, "full", render_report(examples.full(tmp_path)))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(path)
    shown = "getComputedStyle(document.querySelector('%s')).display !== 'none'"
    assert browser.evaluate(shown % "#listen audio")
    assert browser.evaluate(shown % "#stems audio")
    assert not browser.evaluate(shown % ".transport")
