"""The panel for Open Stage Control: a session (JSON) with the widgets, and a custom module.

The module is the OSC client: it runs in Open Stage Control's server, so that all screens share one. It talks
as the Live device does, with the same sources.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ableton.contract import PREFIX
from ableton.device.script import FOLDER as DEVICE_SOURCES
from ableton.device.script import sent_table
from ableton.remotes.panel import (
    HEIGHT,
    PANEL,
    WIDTH,
    Button,
    Choice,
    Control,
    Display,
    DisplayKind,
    Rect,
    Setup,
    Switch,
    Tone,
    buttons_table,
)
from ableton.routes import is_loopback

OWN_SOURCES: Final = Path(__file__).with_name("stagecontrol_script")
SHARED: Final = ("words", "messages", "follower", "client")
"""Parts of the device's script: how to talk to the service."""
OWN: Final = ("jobs", "panel")
REMOTE_PREFIX: Final = "/remote/"
OLDEST_VERSION: Final = "1.25.0"
"""Of Open Stage Control; it was written against the documents of 1.25 and later."""
_HEAD: Final = """\
/*
 * stembridge's remote control in Open Stage Control. Made by: stembridge remote export
 * Copyright the stembridge authors, GPL-3.0-or-later.
 */
"""

_FILL: Final[Mapping[Tone, str]] = {Tone.MAIN: "#2978d9", Tone.WARNING: "#a33a3a", Tone.PLAIN: "#4a5160"}
_INK: Final[Mapping[Tone, str]] = {
    Tone.PLAIN: "#ededf2",
    Tone.TITLE: "#ffffff",
    Tone.QUIET: "#9ea3b3",
    Tone.WARNING: "#ffc78c",
    Tone.MAIN: "#ffffff",
}
_LAMP: Final = "#4dcc73"


def session_text(setup: Setup) -> str:
    """The session file."""
    session = {
        "createdWith": "Open Stage Control",
        "version": OLDEST_VERSION,
        "type": "session",
        "content": {
            "type": "root",
            "id": "root",
            "colorBg": "#17171c",
            "colorText": _INK[Tone.PLAIN],
            "hideMenu": True,
            "widgets": [_widget(control, setup) for control in PANEL],
            "tabs": [],
        },
    }
    return json.dumps(session, indent=2) + "\n"


def module_text(setup: Setup) -> str:
    """The custom module."""
    table = {
        "sent": sent_table(),
        "buttons": buttons_table(),
        "host": setup.host,
        "port": setup.port,
        "token": "" if is_loopback(setup.host) else setup.token,
    }
    paths = [
        *(DEVICE_SOURCES / f"{name}.js" for name in SHARED),
        *(OWN_SOURCES / f"{name}.js" for name in OWN),
    ]
    sources = [path.read_text(encoding="utf-8") for path in paths]
    return "\n".join([_HEAD, f"var TABLE = {json.dumps(table, indent=4)};\n", *sources])


def _widget(control: Control, setup: Setup) -> dict[str, Any]:
    if isinstance(control, Button):
        return _pressed(control, PREFIX, setup)
    if isinstance(control, Switch):
        return _pressed(control, REMOTE_PREFIX, setup)
    return _choice(control, setup) if isinstance(control, Choice) else _display(control)


def _pressed(control: Button | Switch, prefix: str, setup: Setup) -> dict[str, Any]:
    return {
        **_common("button", control.name, control.rect),
        "address": prefix + control.name,
        **_sent(setup),
        "label": control.label,
        "mode": "momentary",
        "css": "font-size: 150%;" if control.tone is Tone.MAIN else "",
        "colorWidget": _FILL[control.tone],
        "alphaFillOff": 0.7,
    }


def _choice(choice: Choice, setup: Setup) -> dict[str, Any]:
    words = setup.choices[choice.name]
    return {
        **_common("dropdown", choice.name, choice.rect),
        "address": REMOTE_PREFIX + choice.name,
        **_sent(setup),
        "label": f"{choice.label}:  %key",
        "values": {words[0]: "", **{word: word for word in words[1:]}},
        "default": "",
        "colorWidget": _FILL[Tone.PLAIN],
    }


def _display(display: Display) -> dict[str, Any]:
    shown = {"address": REMOTE_PREFIX + display.name, "bypass": True, "interaction": False}
    if display.kind is DisplayKind.BAR:
        look = {"horizontal": True, "design": "compact", "knobSize": 2, "colorWidget": _FILL[Tone.MAIN]}
        share = {"range": {"min": 0, "max": 1}, "decimals": 3, "default": 0}
        return {**_common("fader", display.name, display.rect), **shown, **look, **share}
    return {
        **_common("text", display.name, display.rect),
        **shown,
        "align": "right" if display.is_right else "left",
        "wrap": display.is_long,
        "colorText": _LAMP if display.kind is DisplayKind.LAMP else _INK[display.tone],
        "css": "font-size: 150%;" if display.tone is Tone.TITLE else "",
    }


def _common(kind: str, name: str, rect: Rect) -> dict[str, Any]:
    return {
        "type": kind,
        "id": name,
        "left": _percent(rect.x, WIDTH),
        "top": _percent(rect.y, HEIGHT),
        "width": _percent(rect.width, WIDTH),
        "height": _percent(rect.height, HEIGHT),
    }


def _percent(length: int, whole: int) -> str:
    return f"{100 * length / whole:g}%"


def _sent(setup: Setup) -> dict[str, Any]:
    """To the door alone: default targets of Open Stage Control would have it hear everything twice."""
    return {"target": [f"{setup.host}:{setup.port}"], "ignoreDefaults": True}
