"""What the device shows: the lamp, the song and how far it is, its figures and the last error."""

from __future__ import annotations

from typing import Final

from ableton.device import controls
from ableton.device.patcher import Cord, Part, Rect, chain, cord

DISPLAY: Final = (
    "lamp",
    "song",
    "stage",
    "progress",
    "before",
    "after",
    "error",
    "recipes",
    "targets",
    "recipe",
    "target",
    "keep_recipe",
    "keep_target",
    "can_import",
    "can_cancel",
)
"""First words of what the script tells the display, in the order of the outlets that they leave by."""


def display() -> Part:
    """All of it; messages come by the box "display", which ``patch`` holds."""
    return _lines() + _lamp() + _background()


def from_display(word: str, destination: str) -> Cord:
    """The way of messages that begin with ``word``."""
    return cord("display", destination, outlet=DISPLAY.index(word))


def _lines() -> Part:
    """What the device shows of a job, and which buttons can be pressed."""
    on_lcd = "live_lcd_control_fg_zombie"
    lines = {
        "song": ("stembridge", "live_lcd_control_fg", Rect(x=172, y=10, width=238, height=18)),
        "stage": ("Looking for the service", on_lcd, Rect(x=158, y=26, width=252, height=18)),
        "before": ("-", "live_lcd_control_fg", Rect(x=202, y=52, width=208, height=18)),
        "after": ("-", "live_lcd_control_fg", Rect(x=202, y=65, width=208, height=18)),
        "error": ("", "live_active_automation", Rect(x=158, y=80, width=252, height=40)),
    }
    shown = tuple(
        controls.label(f"{word}_line", text, rect, (3 + at, 7), colour)
        for at, (word, (text, colour, rect)) in enumerate(lines.items())
    )
    setters = tuple(
        controls.plain(f"set_{word}", "prepend set", (3 + at, 6)) for at, word in enumerate(lines)
    )
    fixed = (
        controls.label("before_label", "Before", Rect(x=158, y=52, width=44, height=18), (5, 8), on_lcd),
        controls.label("after_label", "After", Rect(x=158, y=65, width=44, height=18), (6, 8), on_lcd),
        controls.progress_bar(
            "progress_bar", Rect(x=161, y=46, width=246, height=4), (8, 6), "How much of the song is done."
        ),
    )
    cords = (
        *(
            way
            for word in lines
            for way in (from_display(word, f"set_{word}"), cord(f"set_{word}", f"{word}_line"))
        ),
        from_display("progress", "progress_bar"),
    )
    return Part(boxes=(*fixed, *shown, *setters), cords=cords)


def _lamp() -> Part:
    """Three panels in one place, of which one is seen: so each colour follows Live's theme."""
    colours = ("live_lcd_control_fg_zombie", "live_control_selection", "live_lcd_control_fg")
    rect = Rect(x=161, y=15, width=8, height=8)
    info = "Grey: stembridge is not running. Amber: asking. Blue: connected."
    lamps = tuple(
        controls.panel(
            f"lamp_{state}", colour, rect, (state, 8), hidden=int(state > 0), rounded=8, annotation=info
        )
        for state, colour in enumerate(colours)
    )
    return Part(boxes=lamps) + sum(map(_lamp_switch, range(len(colours))), Part())


def _lamp_switch(state: int) -> Part:
    """Hides a lamp in every other state than its own."""
    differs, hide = f"not_{state}", f"hide_{state}"
    boxes = (
        controls.plain(differs, f"!= {state}", (state, 6)),
        controls.message(hide, "hidden $1", (state, 7)),
    )
    return Part(boxes=boxes, cords=(from_display("lamp", differs), *chain(differs, hide, f"lamp_{state}")))


def _background() -> Part:
    """The dark area behind the display: the last box lies behind all others."""
    area = controls.panel(
        "lcd", "live_lcd_bg", Rect(x=152, y=6, width=264, height=114), (8, 8), rounded=4, background=1
    )
    return Part(boxes=(area,))
