"""What a Max patcher is made of, as values, and the JSON that Max reads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from itertools import pairwise, starmap
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from ableton.device.amxd import MADE_AT_S
from bridge.values import Value

AUDIO_EFFECT: Final = b"aaaa"
"""The kind of a device that lies in an audio track."""
HEIGHT_PX: Final = 169
"""Height of Live's device view."""
LETTER_PX: Final = 5.4
"""Mean width of a letter in it."""


class Rect(Value):
    """A box in whole pixels, from the upper left corner."""

    x: int
    y: int
    width: int = Field(ge=1)
    height: int = Field(ge=1)

    @property
    def numbers(self) -> list[float]:
        """As Max writes it."""
        return [float(self.x), float(self.y), float(self.width), float(self.height)]


class ParameterType(IntEnum):
    """What a parameter of Live holds; the numbers are Max's."""

    ENUM = 2
    BLOB = 3
    FILE = 4


class Visibility(IntEnum):
    """What Live does with a parameter; the numbers are Max's ``parameter_invisible``."""

    AUTOMATED = 0
    STORED = 1
    """Kept with the set, not automated."""
    HIDDEN = 2
    """Neither: it makes no undo steps, and nothing comes back when the set loads."""


class Parameter(Value):
    """What makes an object a parameter of Live."""

    long_name: str
    """Never changed once released: sets find their values by it."""
    short_name: str
    type: ParameterType
    visibility: Visibility = Visibility.HIDDEN
    choices: tuple[str, ...] = ()
    info: str = ""
    """What Live's Info View says when the mouse is over it."""

    @property
    def saved(self) -> dict[str, Any]:
        """The object's ``valueof``, as Max saves it."""
        facts: dict[str, Any] = {
            "parameter_annotation_name": self.long_name,
            "parameter_info": self.info,
            "parameter_invisible": int(self.visibility),
            "parameter_longname": self.long_name,
            "parameter_modmode": 0,
            "parameter_shortname": self.short_name,
            "parameter_type": int(self.type),
        }
        if self.choices:
            facts |= {"parameter_enum": list(self.choices), "parameter_mmax": len(self.choices) - 1}
        if self.choices and self.visibility is Visibility.STORED:
            facts |= {"parameter_initial": [0], "parameter_initial_enable": 1}
        return facts


class Box(Value):
    """One object of a patcher."""

    name: str
    """Ours, unique in the patcher."""
    maxclass: str = "newobj"
    text: str = ""
    """What is typed into it, or what it shows."""
    inlets: int = 1
    outlets: tuple[str, ...] = ()
    """What comes out of each outlet: "" for anything, "bang", "int", "signal"."""
    at: Rect
    """Where it lies in the patching view."""
    shown_at: Rect | None = None
    """Where it lies in the device, if it is shown there."""
    attributes: Mapping[str, Any] = Field(default_factory=dict)
    colours: Mapping[str, str] = Field(default_factory=dict)
    """Colour attributes, each with the name of a colour of Live's theme."""
    parameter: Parameter | None = None


class Cord(Value):
    """A connection."""

    source: str
    outlet: int = 0
    destination: str
    inlet: int = 0


def cord(source: str, destination: str, outlet: int = 0, inlet: int = 0) -> Cord:
    """A cord from one box to another."""
    return Cord(source=source, outlet=outlet, destination=destination, inlet=inlet)


def chain(*names: str) -> tuple[Cord, ...]:
    """Cords from each box to the next."""
    return tuple(starmap(cord, pairwise(names)))


class Part(Value):
    """Objects with the cords between them; parts of a patcher are added up."""

    boxes: tuple[Box, ...] = ()
    cords: tuple[Cord, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(boxes=self.boxes + other.boxes, cords=self.cords + other.cords)


class Patcher(Value):
    """The whole of a device that is an audio effect."""

    name: str
    description: str
    width_px: int
    content: Part
    files: tuple[str, ...] = ()
    """Names of the files that its objects load; they are frozen into the device."""


def document(patcher: Patcher, theme: Mapping[str, tuple[float, ...]]) -> dict[str, Any]:
    """The patcher as Max saves it.

    ``theme`` gives the colours that are saved beside the names of the theme's; they are seen before Live's
    theme is known. KeyError for a cord to no object and for a colour that the theme does not have.
    """
    ids = {box.name: f"obj-{number}" for number, box in enumerate(patcher.content.boxes, 1)}
    return {
        "patcher": {
            **_HEAD,
            "rect": [80.0, 100.0, 1180.0, 760.0],
            "openrect": [0.0, 0.0, float(patcher.width_px), float(HEIGHT_PX)],
            "devicewidth": float(patcher.width_px),
            "description": patcher.description,
            "boxes": [{"box": _box(box, ids[box.name], theme)} for box in patcher.content.boxes],
            "lines": [{"patchline": _line(cord, ids)} for cord in patcher.content.cords],
            "parameters": _parameters(patcher, ids),
            "dependency_cache": [
                {"name": name, "bootpath": ".", "type": "TEXT", "implicit": 1} for name in patcher.files
            ],
            "latency": 0,
            "project": dict(_PROJECT),
            "autosave": 0,
        }
    }


def _box(box: Box, number: str, theme: Mapping[str, tuple[float, ...]]) -> dict[str, Any]:
    saved: dict[str, Any] = {
        attribute: {"expression": f"themecolor.{colour}"} for attribute, colour in box.colours.items()
    }
    facts: dict[str, Any] = {
        "id": number,
        "maxclass": box.maxclass,
        "numinlets": box.inlets,
        "numoutlets": len(box.outlets),
        "patching_rect": box.at.numbers,
        **(_parameter_facts(box.parameter) if box.parameter else {}),
        **box.attributes,
        **{attribute: list(theme[colour]) for attribute, colour in box.colours.items()},
    }
    if box.outlets:
        facts["outlettype"] = list(box.outlets)
    if box.text or box.maxclass == "live.comment":  # one without a text would show its class
        facts["text"] = box.text
    if box.shown_at:
        facts |= {"presentation": 1, "presentation_rect": box.shown_at.numbers}
    if box.parameter:
        saved["valueof"] = box.parameter.saved
    if saved:
        facts["saved_attribute_attributes"] = saved
    return dict(sorted(facts.items()))


def _parameter_facts(parameter: Parameter) -> dict[str, Any]:
    facts: dict[str, Any] = {"parameter_enable": 1, "varname": parameter.long_name}
    if parameter.info:
        facts |= {"annotation": parameter.info, "annotation_name": parameter.long_name}
    return facts


def _line(cord: Cord, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "source": [ids[cord.source], cord.outlet],
        "destination": [ids[cord.destination], cord.inlet],
    }


def _parameters(patcher: Patcher, ids: Mapping[str, str]) -> dict[str, Any]:
    named: dict[str, Any] = {
        ids[box.name]: [box.parameter.long_name, box.parameter.short_name, 0]
        for box in patcher.content.boxes
        if box.parameter
    }
    bank = {"index": 0, "name": patcher.name, "parameters": ["-"] * 8}
    return named | {"parameterbanks": {"0": bank}, "inherited_shortname": 1}


_HEAD: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "fileversion": 1,
        # no older Max than that of Live 11, so that none says that the device is newer than itself
        "appversion": {"major": 8, "minor": 1, "revision": 0, "architecture": "x64", "modernui": 1},
        "classnamespace": "box",
        "bglocked": 0,
        "openinpresentation": 1,
        "default_fontsize": 10.0,
        "default_fontface": 0,
        "default_fontname": "Arial Bold",
        "gridonopen": 1,
        "gridsize": [8.0, 8.0],
        "gridsnaponopen": 1,
        "objectsnaponopen": 1,
        "statusbarvisible": 2,
        "toolbarvisible": 1,
        "boxanimatetime": 500,
        "enablehscroll": 1,
        "enablevscroll": 1,
    }
)
_PROJECT: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "version": 1,
        "creationdate": MADE_AT_S,
        "modificationdate": MADE_AT_S,
        "viewrect": [0.0, 0.0, 300.0, 500.0],
        "autoorganize": 1,
        "hideprojectwindow": 1,
        "showdependencies": 1,
        "autolocalize": 0,
        "contents": {"patchers": {}, "code": {}},
        "layout": {},
        "searchpath": {},
        "detailsvisible": 0,
        "amxdtype": int.from_bytes(AUDIO_EFFECT, "big"),
        "readonly": 0,
        "devpathtype": 0,
        "devpath": ".",
        "sortmode": 0,
        "viewmode": 0,
        "includepackages": 0,
    }
)
