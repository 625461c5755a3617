"""The panel as a TouchOSC document (.tosc): zlib-compressed XML of nodes, with a Lua script at its root.

The format is not published; this writes what the application itself does: version 4 of ``lexml``, nodes with
properties that carry a type letter. The script is the OSC client: without it nothing could count commands.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as Xml

from ableton.addresses import COMMANDS
from ableton.device.script import sent_table
from ableton.remotes.panel import (
    CHOICES,
    DISPLAYS,
    HEIGHT,
    OWN_WAY,
    PANEL,
    WIDTH,
    Choice,
    Control,
    Display,
    DisplayKind,
    Rect,
    Setup,
    Tone,
    buttons_table,
)

SCRIPTS: Final = Path(__file__).with_name("touchosc_script")
SOURCES: Final = ("messages", "client", "panel")
_IDS: Final = uuid.UUID("6f1d7a52-8f0c-4b70-9d57-2f3a5c1e9b40")
"""Names become the same ids on each export."""

Colour = tuple[float, float, float, float]
Property = tuple[str, str, Any]
"""Type letter, name, value."""

_BACK: Final[Colour] = (0.09, 0.09, 0.11, 1)
_CLEAR: Final[Colour] = (0, 0, 0, 0)
_FILL: Final[Mapping[Tone, Colour]] = {
    Tone.PLAIN: (0.22, 0.24, 0.29, 1),
    Tone.MAIN: (0.16, 0.47, 0.85, 1),
    Tone.WARNING: (0.52, 0.2, 0.2, 1),
}
_INK: Final[Mapping[Tone, Colour]] = {
    Tone.PLAIN: (0.93, 0.93, 0.95, 1),
    Tone.MAIN: (1, 1, 1, 1),
    Tone.TITLE: (1, 1, 1, 1),
    Tone.QUIET: (0.62, 0.64, 0.7, 1),
    Tone.WARNING: (1, 0.78, 0.55, 1),
}
_TEXT_SIZE: Final[Mapping[Tone, int]] = {Tone.TITLE: 26, Tone.MAIN: 24}
_PLAIN_SIZE: Final = 16
_LEFT, _CENTRE, _RIGHT = 1, 2, 3
_MOMENTARY: Final = 0
_EAST: Final = 1
_PRESS_SCRIPT: Final = """\
function onValueChanged(key)
  if key == 'x' and self.values.x == 1 then
    self.parent:notify('pressed', self.name)
  end
end
"""


def document_bytes(setup: Setup) -> bytes:
    """The whole document, the same for the same setup."""
    root = Xml.Element("lexml", version="4")
    children = Xml.SubElement(_node(root, "GROUP", _panel_properties(setup)), "children")
    for control in PANEL:
        _add(children, control)
    text = b"<?xml version='1.0' encoding='UTF-8'?>" + Xml.tostring(root)
    return zlib.compress(text, 9)


def script_text(setup: Setup) -> str:
    """The root's script: the table that it works from, then its sources."""
    table = {
        "sent": {name: _names_only(entry) for name, entry in sent_table().items()},
        "commands": {c.name: [field.type.value for field in c.fields] for c in COMMANDS.values()},
        "displays": {display.name: display.kind.value for display in DISPLAYS},
        "labels": {choice.name: choice.label for choice in CHOICES},
        "choices": {name: list(words) for name, words in setup.choices.items()},
        "buttons": buttons_table(),
        "reply_port": setup.reply_port,
        "token": setup.token,
    }
    sources = [(SCRIPTS / f"{name}.lua").read_text(encoding="utf-8") for name in SOURCES]
    return "\n".join([f"local TABLE = {lua(table)}\n", *sources])


def lua(value: Any, indent: str = "") -> str:
    """A value of dicts, lists, texts and numbers as Lua writes it.

    >>> lua({"a": ["x", 1]})
    "{\\n  ['a'] = { 'x', 1 }\\n}"
    """
    if isinstance(value, Mapping):
        inner = indent + "  "
        rows = [f"{inner}[{lua(key)}] = {lua(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list):
        return "{ " + ", ".join(lua(item, indent) for item in value) + " }" if value else "{}"
    if isinstance(value, str):
        return "'" + "".join(_LUA_ESCAPES.get(letter, letter) for letter in value) + "'"
    return str(value)


_LUA_ESCAPES: Final = {"'": "\\'", "\\": "\\\\", "\n": "\\n"}


def _names_only(entry: Mapping[str, Any]) -> dict[str, Any]:
    named = {part: [name for name, _type in entry[part]] for part in ("fields", "row")}
    return {"kind": entry["kind"], **named}


def _panel_properties(setup: Setup) -> list[Property]:
    whole = Rect(x=0, y=0, width=WIDTH, height=HEIGHT)
    return [*_common("stembridge", whole, _BACK), ("s", "script", script_text(setup))]


def _add(children: Xml.Element, control: Control) -> None:
    if isinstance(control, Display):
        _add_display(children, control)
    elif isinstance(control, Choice):
        _add_pressed(children, control.name, control.rect, Tone.PLAIN)
        first = f"{control.label}:  {OWN_WAY}"
        _letters(children, f"{control.name}_text", control.rect, Tone.PLAIN, _CENTRE, first)
    else:
        _add_pressed(children, control.name, control.rect, control.tone)
        _letters(children, f"{control.name}_text", control.rect, control.tone, _CENTRE, control.label)


def _add_display(children: Xml.Element, display: Display) -> None:
    if display.kind is DisplayKind.LAMP:
        _node(children, "BOX", _common(display.name, display.rect, (0.35, 0.35, 0.38, 1)))
    elif display.kind is DisplayKind.BAR:
        look = _common(display.name, display.rect, _FILL[Tone.MAIN], orientation=_EAST)
        bar: list[Property] = [("b", "bar", 1), ("b", "cursor", 0), ("b", "grid", 0), ("i", "response", 0)]
        _node(children, "FADER", [*look, *bar], {"x": "0"})
    else:
        side = _RIGHT if display.is_right else _LEFT
        _letters(children, display.name, display.rect, display.tone, side, is_long=display.is_long)


def _add_pressed(children: Xml.Element, name: str, rect: Rect, tone: Tone) -> None:
    """What is pressed; its text lies above it, since buttons have none."""
    properties: list[Property] = [
        *_common(name, rect, _FILL[tone], is_interactive=True),
        ("i", "buttonType", _MOMENTARY),
        ("b", "press", 1),
        ("b", "release", 1),
        ("b", "valuePosition", 0),
        ("s", "script", _PRESS_SCRIPT),
    ]
    _node(children, "BUTTON", properties, {"x": "0"})


def _letters(
    children: Xml.Element,
    name: str,
    rect: Rect,
    tone: Tone,
    side: int,
    text: str = "",
    *,
    is_long: bool = False,
) -> None:
    """A text: a LABEL has one line, a TEXT wraps."""
    ink = _INK[Tone.PLAIN] if side == _CENTRE else _INK[tone]
    properties: list[Property] = [
        *_common(name, rect, _CLEAR, has_background=False),
        ("i", "font", 0),
        ("i", "textSize", _TEXT_SIZE.get(tone, _PLAIN_SIZE)),
        ("c", "textColor", ink),
        ("i", "textAlignH", side),
        ("i", "textAlignV", _CENTRE),
        ("b", "textClip", 1),
        ("b", "textWrap", 1) if is_long else ("i", "textLength", 0),
    ]
    _node(children, "TEXT" if is_long else "LABEL", properties, {"text": text})


def _common(
    name: str,
    rect: Rect,
    colour: Colour,
    *,
    is_interactive: bool = False,
    has_background: bool = True,
    orientation: int = 0,
) -> list[Property]:
    """What every node has."""
    return [
        ("s", "name", name),
        ("r", "frame", rect),
        ("c", "color", colour),
        ("b", "background", int(has_background)),
        ("b", "outline", 0),
        ("i", "outlineStyle", 0),
        ("f", "cornerRadius", 4),
        ("i", "shape", 1),
        ("i", "orientation", orientation),
        ("b", "visible", 1),
        ("b", "interactive", int(is_interactive)),
        ("b", "grabFocus", int(is_interactive)),
        ("b", "locked", 0),
        ("i", "pointerPriority", 0),
    ]


def _node(
    parent: Xml.Element, kind: str, properties: Iterable[Property], values: Mapping[str, str] | None = None
) -> Xml.Element:
    listed = list(properties)
    name = next(value for _letter, key, value in listed if key == "name")
    node = Xml.SubElement(parent, "node", ID=str(uuid.uuid5(_IDS, name)), type=kind)
    kept = Xml.SubElement(node, "properties")
    for letter, key, value in listed:
        _property(kept, letter, key, value)
    states = Xml.SubElement(node, "values")
    for key, value in {**(values or {}), "touch": "false"}.items():
        _value(states, key, value)
    return node


def _property(parent: Xml.Element, letter: str, key: str, value: Any) -> None:
    entry = Xml.SubElement(parent, "property", type=letter)
    Xml.SubElement(entry, "key").text = key
    written = Xml.SubElement(entry, "value")
    if isinstance(value, Rect):
        _parts(written, {"x": value.x, "y": value.y, "w": value.width, "h": value.height})
    elif isinstance(value, tuple):
        _parts(written, dict(zip("rgba", value, strict=True)))
    else:
        written.text = str(value)


def _value(parent: Xml.Element, key: str, default: str) -> None:
    entry = Xml.SubElement(parent, "value")
    told = {"key": key, "locked": "0", "lockedDefaultCurrent": "0", "default": default, "defaultPull": "0"}
    for tag, text in told.items():
        Xml.SubElement(entry, tag).text = text


def _parts(parent: Xml.Element, numbers: Mapping[str, float]) -> None:
    for tag, number in numbers.items():
        Xml.SubElement(parent, tag).text = f"{number:g}"
