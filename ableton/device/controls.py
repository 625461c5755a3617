"""The kinds of objects in the device, each with the settings that Live's guidelines ask for.

The guidelines are Ableton's "Max for Live Production Guidelines" (github.com/Ableton/maxdevtools).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ableton.device.patcher import Box, Parameter, ParameterType, Rect, Visibility

TO_SCRIPT: Final = "to_script"
"""The box by which everything is told to the script."""
TO_SCRIPT_NAME: Final = "---to_script"
"""The name that it is told by; the dashes keep it within one device."""

_BUTTON, _LCD_BUTTON, _LCD, _ON_MOUSE_UP = 0, 2, 1, 1
_RELEASED, _PRESSED = "released", "pressed"
_ROW_PX: Final = 22
_TYPED_LETTER_PX: Final = 7
_NO_OUTLETS: Final[tuple[str, ...]] = ()
_STANDARD: Final[Mapping[str, tuple[int, tuple[str, ...]]]] = MappingProxyType(
    {
        "plugin~": (2, ("signal", "signal")),
        "plugout~": (2, ("signal", "signal")),
        "live.thisdevice": (1, ("bang", "int", "int")),
        "udpreceive": (1, ("",)),
        "udpsend": (1, _NO_OUTLETS),
        "opendialog": (1, ("", "bang")),
        "prepend": (1, ("",)),
        "!=": (2, ("int",)),
        "t": (1, ("int", "", "int")),
        "gate": (2, ("",)),
        "s": (1, _NO_OUTLETS),
        "r": (0, ("",)),
    }
)
"""Inlets and outlets of the objects that are only typed in."""


def place(column: int, row: int, width: int = 100) -> Rect:
    """A place in the patching view, by a grid that keeps it legible."""
    return Rect(x=32 + 160 * column, y=40 + 40 * row, width=width, height=_ROW_PX)


def _typed_at(at: tuple[int, int], text: str) -> Rect:
    return place(*at, width=24 + _TYPED_LETTER_PX * len(text))


def plain(name: str, text: str, at: tuple[int, int]) -> Box:
    """A standard object that is only typed in; KeyError for one that is not in the table."""
    inlets, outlets = _STANDARD[text.split(maxsplit=1)[0]]
    return Box(name=name, text=text, inlets=inlets, outlets=outlets, at=_typed_at(at, text))


def route(name: str, words: Sequence[str], at: tuple[int, int]) -> Box:
    """Sends messages out by their first word; what begins with none of them leaves by the last outlet."""
    count = len(words) + 1
    text = " ".join(["route", *words])
    return Box(name=name, text=text, inlets=count, outlets=("",) * count, at=_typed_at(at, text))


def message(name: str, text: str, at: tuple[int, int]) -> Box:
    """A message that is sent on when anything comes in."""
    return Box(name=name, maxclass="message", text=text, inlets=2, outlets=("",), at=_typed_at(at, text))


def script(name: str, file_name: str, inlets: int, outlets: int, at: tuple[int, int]) -> Box:
    """The object that runs a JavaScript."""
    return Box(
        name=name,
        text=f"js {file_name}",
        inlets=inlets,
        outlets=("",) * outlets,
        at=_typed_at(at, f"js {file_name}"),
        attributes={"saved_object_attributes": {"filename": file_name, "parameter_enable": 0}},
    )


def keeper(name: str, long_name: str, at: tuple[int, int]) -> Box:
    """Keeps a text with the set, and gives it out when the set loads."""
    parameter = Parameter(
        long_name=long_name, short_name="Kept", type=ParameterType.BLOB, visibility=Visibility.STORED
    )
    return Box(
        name=name,
        text=f"pattr {name}",
        outlets=("", "", ""),
        at=_typed_at(at, f"pattr {name}"),
        attributes={
            "saved_object_attributes": {"parameter_enable": 1, "parameter_mappable": 0},
            "varname": name,  # a pattr is called by the name that is typed into it
        },
        parameter=parameter,
    )


def note(name: str, text: str, at: tuple[int, int]) -> Box:
    """A comment for whoever opens the patcher."""
    return Box(name=name, maxclass="comment", text=text, at=_typed_at(at, text))


def button(
    name: str,
    text: str,
    short_name: str,
    info: str,
    shown_at: Rect,
    at: tuple[int, int],
    *,
    is_active: bool = True,
) -> Box:
    """A button; it bangs when the mouse is released."""
    return Box(
        name=name,
        maxclass="live.text",
        text=text,
        outlets=("", ""),
        at=place(*at),
        shown_at=shown_at,
        attributes={
            "active": int(is_active),
            "appearance": _LCD_BUTTON,
            "automation": _RELEASED,
            "automationon": _PRESSED,
            "mode": _BUTTON,
            "outputmode": _ON_MOUSE_UP,
            "texton": text,
        },
        parameter=Parameter(
            long_name=text.rstrip("."),
            short_name=short_name,
            type=ParameterType.ENUM,
            choices=(_RELEASED, _PRESSED),
            info=info,
        ),
    )


def menu(
    name: str, long_name: str, choices: Sequence[str], info: str, shown_at: Rect, at: tuple[int, int]
) -> Box:
    """A menu whose names the script gives; Live keeps nothing of it."""
    return Box(
        name=name,
        maxclass="live.menu",
        outlets=("", "", "float"),
        at=place(*at),
        shown_at=shown_at,
        attributes={"appearance": _LCD},
        parameter=Parameter(
            long_name=long_name,
            short_name=long_name,
            type=ParameterType.ENUM,
            choices=tuple(choices),
            info=info,
        ),
    )


def tabs(
    name: str, long_name: str, choices: Sequence[str], info: str, shown_at: Rect, at: tuple[int, int]
) -> Box:
    """A choice that is seen at once and kept with the set."""
    return Box(
        name=name,
        maxclass="live.tab",
        outlets=("", "", "float"),
        at=place(*at),
        shown_at=shown_at,
        attributes={"appearance": _LCD, "num_lines_patching": 1, "num_lines_presentation": 1},
        parameter=Parameter(
            long_name=long_name,
            short_name=long_name,
            type=ParameterType.ENUM,
            visibility=Visibility.STORED,
            choices=tuple(choices),
            info=info,
        ),
    )


def drop_target(name: str, legend: str, info: str, shown_at: Rect, at: tuple[int, int]) -> Box:
    """Where a file can be dropped.

    It gives the file itself, not the copy that Live decodes, which goes away again. It is hidden: a stored
    one would give out its file when the set loads.
    """
    return Box(
        name=name,
        maxclass="live.drop",
        outlets=("", ""),
        at=place(*at),
        shown_at=shown_at,
        attributes={"decodemode": 0, "legend": legend},
        parameter=Parameter(long_name="Drop target", short_name="Drop", type=ParameterType.FILE, info=info),
    )


def label(
    name: str, text: str, shown_at: Rect, at: tuple[int, int], colour: str = "live_control_fg", **more: Any
) -> Box:
    """A line of text; a message ``set TEXT`` changes it."""
    return Box(
        name=name,
        maxclass="live.comment",
        text=text,
        at=place(*at),
        shown_at=shown_at,
        attributes={"textjustification": 0, **more},
        colours={"textcolor": colour},
    )


def panel(name: str, colour: str, shown_at: Rect, at: tuple[int, int], **more: Any) -> Box:
    """A coloured area."""
    return Box(
        name=name,
        maxclass="panel",
        at=place(*at),
        shown_at=shown_at,
        attributes={"mode": 0, **more},
        colours={"bgfillcolor": colour},
    )


def progress_bar(name: str, shown_at: Rect, at: tuple[int, int], info: str) -> Box:
    """A bar for 0 to 1, which the mouse cannot move."""
    return Box(
        name=name,
        maxclass="multislider",
        outlets=("", ""),
        at=place(*at),
        shown_at=shown_at,
        attributes={
            "annotation": info,
            "ignoreclick": 1,
            "orientation": 0,
            "parameter_enable": 0,
            "setminmax": [0.0, 1.0],
            "setstyle": 1,
            "settype": 1,
            "size": 1,
        },
        colours={"slidercolor": "live_control_selection", "bgcolor": "live_display_scale_text"},
    )
