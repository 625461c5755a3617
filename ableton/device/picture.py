"""Draws what a device shows, from its patcher: an SVG that looks about as Live draws it.

Live draws it itself; this is for looking at the layout, the texts and the colours without Live.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from ableton.device.patcher import HEIGHT_PX, LETTER_PX
from ableton.device.theme import LIGHT, Colour

_Box = Mapping[str, Any]
Theme = Mapping[str, Colour]

_LINE_PX: Final = 12
_BASELINE_PX: Final = 3.6
"""From the middle of a line to where its letters stand."""
_TITLE_PX: Final = 18
_INACTIVE: Final = 0.4


class _Pen:
    """What every drawing of a box needs: the theme and what controls hold."""

    def __init__(self, theme: Theme, values: Mapping[str, Any]) -> None:
        self._theme = theme
        self._values = values

    def value(self, box: _Box, default: float = 0) -> float:
        return float(self._values.get(box["id"], default))

    def themed(self, name: str) -> str:
        red, green, blue, opacity = self._theme[name]
        return f"rgba({round(255 * red)},{round(255 * green)},{round(255 * blue)},{opacity:g})"

    def colour(self, box: _Box, attribute: str) -> str:
        expression = box["saved_attribute_attributes"][attribute]["expression"]
        return self.themed(expression.removeprefix("themecolor."))


def draw(document: Mapping[str, Any], theme: Theme = LIGHT, values: Mapping[str, Any] | None = None) -> str:
    """The presentation view of a patcher as an SVG, below a title bar as Live gives it.

    ``document`` is the patcher as Max saves it; ``values`` say what controls hold, by the ids of their boxes.
    It draws the kinds of objects that our device has; KeyError for others.
    """
    patcher = document["patcher"]
    shown = [entry["box"] for entry in patcher["boxes"] if entry["box"].get("presentation")]
    pen = _Pen(theme, values or {})
    drawn = [_DRAWN[box["maxclass"]](box, pen) for box in reversed(shown) if not box.get("hidden")]
    width = int(patcher["devicewidth"])
    name = patcher["parameters"]["parameterbanks"]["0"]["name"]
    return "\n".join([_head(width, name, pen), *drawn, "</g></svg>", ""])


def _head(width: int, name: str, pen: _Pen) -> str:
    height = HEIGHT_PX + _TITLE_PX
    words, surface = pen.themed("live_control_fg"), pen.themed("live_surface_bg")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-size="10" font-family="Ableton Sans, Arial, sans-serif">',
            _area(0, 0, width, height, surface, 4),
            _area(0, 0, width, _TITLE_PX, words, 4, 0.18),
            f'<circle cx="10" cy="9" r="4.5" fill="{pen.themed("live_control_selection")}"/>',
            _words(20, _TITLE_PX / 2, name, words),
            f'<g transform="translate(0 {_TITLE_PX})">',
        ]
    )


def _rect(box: _Box) -> tuple[int, int, int, int]:
    x, y, width, height = (int(number) for number in box["presentation_rect"])
    return x, y, width, height


def _area(
    x: float, y: float, width: float, height: float, fill: str, radius: float = 0, opacity: float = 1
) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" '
        f'fill="{fill}" opacity="{opacity:g}"/>'
    )


def _words(x: float, y: float, text: str, fill: str, anchor: str = "start", opacity: float = 1) -> str:
    where = f'x="{x:g}" y="{y + _BASELINE_PX:g}" text-anchor="{anchor}" xml:space="preserve"'
    return f'<text {where} fill="{fill}" opacity="{opacity:g}">{escape(text)}</text>'


def _fitting(text: str, width: float) -> str:
    """The text, cut where it does not fit, as Live does it."""
    letters = max(int(width / LETTER_PX), 1)
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _panel(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    radius = min(box.get("rounded", 0), width, height) / 2
    return _area(x, y, width, height, pen.colour(box, "bgfillcolor"), radius)


def _comment(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    rows = max((height - 4) // _LINE_PX, 1)
    letters = max(int((width - 4) / LETTER_PX), 1)
    lines = textwrap.wrap(box.get("text", ""), letters, max_lines=rows, placeholder="...")
    colour = pen.colour(box, "textcolor")
    first = y + 9 if rows > 1 else y + height / 2
    return "\n".join(_words(x + 3, first + _LINE_PX * row, line, colour) for row, line in enumerate(lines))


def _button(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    opacity = 1 if box.get("active", 1) else _INACTIVE
    words = _words(
        x + width / 2, y + height / 2, box["text"], pen.themed("live_lcd_control_fg"), "middle", opacity
    )
    return _area(x, y, width, height, pen.themed("live_lcd_bg"), 2) + "\n" + words


def _choices(box: _Box) -> list[str]:
    found: list[str] = box["saved_attribute_attributes"]["valueof"]["parameter_enum"]
    return found


def _menu(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    chosen = _choices(box)[int(pen.value(box))]
    middle, colour = y + height / 2, pen.themed("live_lcd_control_fg")
    triangle = f'<path d="M{x + width - 11:g} {middle - 2:g}h6l-3 4z" fill="{colour}"/>'
    return "\n".join(
        [
            _area(x, y, width, height, pen.themed("live_lcd_bg"), 2),
            _words(x + 5, middle, _fitting(chosen, width - 18), colour),
            triangle,
        ]
    )


def _tabs(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    choices = _choices(box)
    each = width / len(choices)
    drawn = [_area(x, y, width, height, pen.themed("live_lcd_bg"), 2)]
    for at, text in enumerate(choices):
        is_chosen = at == int(pen.value(box))
        if is_chosen:
            drawn.append(_area(x + at * each, y, each, height, pen.themed("live_lcd_control_fg"), 2))
        colour = pen.themed("live_lcd_bg" if is_chosen else "live_lcd_control_fg_zombie")
        drawn.append(_words(x + (at + 0.5) * each, y + height / 2, text, colour, "middle"))
    return "\n".join(drawn)


def _drop(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    colour = pen.themed("live_control_fg")
    border = (
        f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{width - 1:g}" height="{height - 1:g}" rx="3" '
        f'fill="none" stroke="{colour}" stroke-opacity="0.5" stroke-dasharray="3 2"/>'
    )
    return border + "\n" + _words(x + width / 2, y + height / 2, box["legend"], colour, "middle", 0.8)


def _bar(box: _Box, pen: _Pen) -> str:
    x, y, width, height = _rect(box)
    track = _area(x, y, width, height, pen.colour(box, "bgcolor"))
    filled = width * min(max(pen.value(box), 0), 1)
    return track + "\n" + _area(x, y, filled, height, pen.colour(box, "slidercolor"))


_DRAWN: Final[Mapping[str, Callable[[_Box, _Pen], str]]] = {
    "panel": _panel,
    "live.comment": _comment,
    "live.text": _button,
    "live.menu": _menu,
    "live.tab": _tabs,
    "live.drop": _drop,
    "multislider": _bar,
}
