"""Draws what the layouts show, from their files alone: ``python -m tests.ableton.remotes.picture FOLDER``.

The applications draw with fonts and edges of their own; this is for looking at places, texts and colours
without them.
"""

from __future__ import annotations

import json
import sys
import textwrap
import xml.etree.ElementTree as Xml
import zlib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from ableton.remotes import Setup, document_bytes, session_text
from ableton.remotes.panel import HEIGHT, WIDTH
from bridge.config import load_config, shipped_config_path

LETTER_SHARE = 0.52
"""A letter's width of its height, on average."""
AT_WORK: Mapping[str, Any] = {
    "lamp": 2,
    "state": "Connected to stembridge 0.1.0",
    "title": "Night Drive",
    "stage": "Separating",
    "remaining": "1:05 to go",
    "progress": 0.42,
    "before": "Before  -9.1 LUFS  0.4 dBTP",
    "after": "After  -14.0 LUFS  -1.0 dBTP",
    "message": "The stems of the light separator are a preview: they bleed. Demucs would do better: "
    "stembridge engines install demucs",
    "jobs": "> Night Drive  -  Separating 42%\nBlue Hour  -  Waiting 0%\nGlass  -  Done: 16 files",
}
SHOWN = Path(__file__).parents[3] / "docs" / "remotes.svg"
LAMPS = ("#59595f", "#f2b233", "#4dcc73")


class Box(NamedTuple):
    """A control as it is drawn."""

    name: str
    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    ink: str = "#ededf2"
    size: float = 16
    anchor: str = "middle"
    text: str = ""
    share: float | None = None


def draw(boxes: list[Box], background: str = "#17171c") -> str:
    """An SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{background}"/>')
    for box in boxes:
        parts += [*_ground(box), *_letters(box)]
    return "\n".join([*parts, "</svg>", ""])


def touchosc_boxes(document: bytes, values: Mapping[str, Any]) -> list[Box]:
    """What a .tosc file shows while its controls hold ``values``."""
    root = Xml.fromstring(zlib.decompress(document))[0]
    return [_touch_box(node, values) for node in root.findall("children/node")]


def session_boxes(session: str, values: Mapping[str, Any]) -> list[Box]:
    """What a session of Open Stage Control shows while its widgets hold ``values``."""
    return [_session_box(widget, values) for widget in json.loads(session)["content"]["widgets"]]


def _ground(box: Box) -> Iterator[str]:
    place = f'x="{box.x:g}" y="{box.y:g}" height="{box.height:g}" rx="4"'
    if box.fill != "none":
        opacity = 0.25 if box.share is not None else 1
        yield f'<rect {place} width="{box.width:g}" fill="{box.fill}" opacity="{opacity}"/>'
    if box.share is not None:
        yield f'<rect {place} width="{box.width * box.share:g}" fill="{box.fill}"/>'


def _letters(box: Box) -> Iterator[str]:
    x = {"start": box.x, "middle": box.x + box.width / 2, "end": box.x + box.width}[box.anchor]
    letters = int(box.width / (LETTER_SHARE * box.size))
    lines = [line for part in box.text.split("\n") for line in textwrap.wrap(part, letters)]
    top = box.y + box.height / 2 - (len(lines) - 1) * box.size * 0.65
    for number, line in enumerate(lines):
        y = top + number * box.size * 1.3 + box.size * 0.35
        yield (
            f'<text x="{x:g}" y="{y:g}" font-size="{box.size:g}" text-anchor="{box.anchor}" fill="{box.ink}">'
            f"{escape(line)}</text>"
        )


def _touch_box(node: Xml.Element, values: Mapping[str, Any]) -> Box:
    entries = {entry.findtext("key"): entry.find("value") for entry in node.findall("properties/property")}
    frame, name = _numbers(entries["frame"]), _text(entries["name"])
    default = {value.findtext("key"): value.findtext("default") for value in node.findall("values/value")}
    kind, fill = node.get("type"), _colour(entries["color"])
    box = Box(name, frame["x"], frame["y"], frame["w"], frame["h"])
    if kind == "BOX":
        return box._replace(fill=LAMPS[values[name]])
    if kind == "FADER":
        return box._replace(fill=fill, share=float(values[name]))
    if kind == "BUTTON":
        return box._replace(fill=fill)
    return box._replace(
        ink=_colour(entries["textColor"]),
        size=float(_text(entries["textSize"])),
        anchor=("start", "middle", "end")[int(_text(entries["textAlignH"])) - 1],
        text=values.get(name, default["text"] or ""),
    )


def _session_box(widget: Mapping[str, Any], values: Mapping[str, Any]) -> Box:
    x, y, width, height = (
        float(widget[side].rstrip("%")) / 100 for side in ("left", "top", "width", "height")
    )
    box = Box(widget["id"], x * WIDTH, y * HEIGHT, width * WIDTH, height * HEIGHT)
    fill = widget.get("colorWidget", "none")
    if widget["type"] == "fader":
        return box._replace(fill=fill, share=float(values[widget["id"]]))
    size = 24 if "150%" in widget.get("css", "") else 16
    if widget["type"] == "text":
        text = "○◐●"[values["lamp"]] if widget["id"] == "lamp" else values[widget["id"]]
        anchor = {"left": "start", "right": "end", "center": "middle"}[widget["align"]]
        return box._replace(ink=widget["colorText"], size=size, anchor=anchor, text=text)
    label = widget["label"].replace("%key", next(iter(widget.get("values", {"": ""}))))
    return box._replace(fill=fill, size=size, text=label)


def _numbers(element: Xml.Element | None) -> dict[str, float]:
    assert element is not None
    return {part.tag: float(part.text or 0) for part in element}


def _text(element: Xml.Element | None) -> str:
    assert element is not None
    return element.text or ""


def _colour(element: Xml.Element | None) -> str:
    parts = _numbers(element)
    return f"rgba({', '.join(str(round(255 * parts[name])) for name in 'rgb')}, {parts['a']:g})"


def pictures() -> dict[str, str]:
    """Both layouts with the shipped settings, by the application's name."""
    setup = Setup.of(load_config(shipped_config_path()))
    boxes = {
        "touchosc": touchosc_boxes(document_bytes(setup), AT_WORK),
        "stagecontrol": session_boxes(session_text(setup), AT_WORK),
    }
    return {name: draw(found) for name, found in boxes.items()}


def main(folder: Path) -> None:
    """Write both, and the one that the documents show."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures().items():
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
    SHOWN.write_text(pictures()["touchosc"], encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
