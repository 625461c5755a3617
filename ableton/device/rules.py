"""What Live's guidelines ask of a device that can be seen in its file.

From Ableton's "Max for Live Production Guidelines" (github.com/Ableton/maxdevtools): each rule is a function
from a device to what it finds wrong, in words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Final

from ableton.device.patcher import HEIGHT_PX, LETTER_PX, Visibility
from ableton.device.reader import Device
from ableton.device.sheet import Box, Edges, Sheet, edges_of, kind_of, name_of, parameter_of, rect_of

Rule = Callable[[Device], Iterator[str]]

_NAMED: Final = frozenset({
    "s", "send", "r", "receive", "s~", "send~", "r~", "receive~", "v", "value", "pv",
    "buffer~", "coll", "dict", "table", "pattrstorage",
})  # fmt: skip
"""Objects whose name is shared by all devices of a set."""
_ON_LOAD: Final = frozenset({"loadbang", "loadmess", "onecopy"})
_GENERIC_CHOICE: Final = re.compile(r"val\d+")
_GENERIC: Final = re.compile(r"live\.\w+|.*\[\d+\]$")
_LCD: Final = {"live.text": 2, "live.tab": 1, "live.menu": 1, "live.numbox": 1}
_FROM_SCRIPT: Final = frozenset({"js", "v8", "node.script", "udpreceive"})
_COLOURED: Final = {"panel": "bgfillcolor", "live.comment": "textcolor", "multislider": "slidercolor"}
_PRINT_IN_SCRIPT: Final = re.compile(r"(?<![\w.])(post|cpost|error)\s*\(")


def _sheets(device: Device) -> Iterator[Sheet]:
    return Sheet(device.patcher).inside()


def _boxes(device: Device) -> Iterator[Box]:
    return (box for sheet in _sheets(device) for box in sheet.boxes)


def _is_not_hidden(box: Box) -> bool:
    """Whether it is a parameter of which Live knows."""
    parameter = parameter_of(box)
    return parameter is not None and parameter.get("parameter_invisible", 0) != Visibility.HIDDEN


def _is_covering(one: Edges, other: Edges) -> bool:
    """Whether two boxes share some room."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def is_frozen(device: Device) -> Iterator[str]:
    """All files that the device loads are inside of it."""
    if not device.is_frozen:
        yield "the device is not frozen"
        return
    # Max finds "TestScript.js" for "js TestScript", too
    inside = {name for file in device.files for name in (file.name, file.name.rsplit(".", 1)[0])}
    listed = {entry["name"] for entry in device.patcher.get("dependency_cache", ())}
    loaded = {
        str(box["saved_object_attributes"]["filename"])
        for box in _boxes(device)
        if "filename" in box.get("saved_object_attributes", {})
    }
    for name in sorted((listed | loaded) - inside):
        yield f"{name} is loaded and not frozen into the device"


def opens_in_presentation(device: Device) -> Iterator[str]:
    """The device shows its presentation, in a width of its own."""
    if not device.patcher.get("openinpresentation"):
        yield "the patcher does not open in presentation"
    if not device.patcher.get("devicewidth"):
        yield "the device has no width"


def lies_inside(device: Device) -> Iterator[str]:
    """What is shown lies inside of the device, on whole pixels, with equal margins left and right."""
    sheet = Sheet(device.patcher)
    width = device.patcher.get("devicewidth") or max((rect_of(box)[2] for box in sheet.shown), default=0)
    for box in sheet.shown:
        left, top, right, bottom = rect_of(box)
        if any(number != int(number) for number in rect_of(box)):
            yield f"{name_of(box)} does not lie on whole pixels"
        if left < 0 or top < 0 or right > width or bottom > HEIGHT_PX:
            yield f"{name_of(box)} lies outside of the device's {width:g} x {HEIGHT_PX} pixels"
    edges = [rect_of(box) for box in sheet.shown]
    if edges and min(edge[0] for edge in edges) != width - max(edge[2] for edge in edges):
        yield "the left margin is not as wide as the right one"


def overlaps_nothing(device: Device) -> Iterator[str]:
    """No control lies on another one; panels lie behind."""
    shown = Sheet(device.patcher).shown
    controls = [box for box in shown if box["maxclass"] not in ("panel", "live.comment")]
    for one, other in combinations(controls, 2):
        if _is_covering(rect_of(one), rect_of(other)):
            yield f"{name_of(one)} and {name_of(other)} lie on one another"


def is_wired(device: Device) -> Iterator[str]:
    """Every cord runs from an outlet that is there to an inlet that is there."""
    for sheet in _sheets(device):
        for line in sheet.lines:
            source, destination = sheet.by_id.get(line.source), sheet.by_id.get(line.destination)
            if source is None or destination is None:
                yield f"a cord runs from {line.source} to {line.destination}, which are not both there"
                continue
            if not 0 <= line.outlet < source.get("numoutlets", 0):
                yield f"a cord leaves outlet {line.outlet} of {name_of(source)}, which it does not have"
            if not 0 <= line.inlet < destination.get("numinlets", 0):
                yield f"a cord runs to inlet {line.inlet} of {name_of(destination)}, which it does not have"


def passes_audio(device: Device) -> Iterator[str]:
    """An audio effect passes both channels from plugin~ to plugout~."""
    sheet = Sheet(device.patcher)
    if device.kind != "aaaa":
        return
    kinds = {number: kind_of(box) for number, box in sheet.by_id.items()}
    ways = {
        (line.outlet, line.inlet)
        for line in sheet.lines
        if (kinds.get(line.source), kinds.get(line.destination)) == ("plugin~", "plugout~")
    }
    for channel in (0, 1):
        if (channel, channel) not in ways:
            yield f"channel {channel} does not run from plugin~ to plugout~"


def hides_buttons(device: Device) -> Iterator[str]:
    """Buttons are hidden from Live: each press would be an undo step, and nothing of it need be kept."""
    for box in _boxes(device):
        is_button = box["maxclass"] in ("live.button", "live.drop") or (
            box["maxclass"] == "live.text" and not box.get("mode", 1)
        )
        if is_button and _is_not_hidden(box):
            yield f"{name_of(box)} is a button that is not hidden"


def hides_driven_controls(device: Device) -> Iterator[str]:
    """Controls that a script or the network moves are hidden from Live: they would flood the undo steps."""
    for sheet in _sheets(device):
        drivers = [box for box in sheet.boxes if kind_of(box) in _FROM_SCRIPT]
        driven = {box["id"]: box for driver in drivers for box in sheet.reached_from(driver)}
        for box in filter(_is_not_hidden, driven.values()):
            if box.get("presentation"):
                yield f"{name_of(box)} is moved from inside of the device and not hidden"


def names_parameters(device: Device) -> Iterator[str]:
    """Parameters have names of their own, each once, and are registered by them."""
    parameters = [(box, parameter) for box in _boxes(device) if (parameter := parameter_of(box))]
    for key in ("parameter_longname", "varname"):
        names = [parameter.get(key, box.get(key, "")) for box, parameter in parameters]
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{count} parameters share the {key} {name!r}"
    for box, parameter in parameters:
        for key in ("parameter_longname", "parameter_shortname"):
            if not parameter.get(key) or _GENERIC.match(parameter[key]):
                yield f"{name_of(box)} ({box['id']}) has the {key} {parameter.get(key, '')!r}"
        for choice in filter(_GENERIC_CHOICE.fullmatch, parameter.get("parameter_enum", ())):
            yield f"{name_of(box)} has a choice called {choice!r}"


def registers_parameters(device: Device) -> Iterator[str]:
    """The patcher's list of parameters is what its boxes are."""
    sheet = Sheet(device.patcher)
    parameters = device.patcher.get("parameters", {})
    listed = {key: names for key, names in parameters.items() if key.startswith("obj-") and "::" not in key}
    for box in sheet.boxes:
        parameter = parameter_of(box)
        if parameter and listed.get(box["id"], [""])[0] != parameter.get("parameter_longname"):
            yield f"{name_of(box)} is not listed among the patcher's parameters"
    for number in sorted(listed.keys() - {box["id"] for box in sheet.boxes if parameter_of(box)}):
        yield f"the patcher lists the parameter {number}, which is none"


def has_info_text(device: Device) -> Iterator[str]:
    """Every control says in the Info View what it does."""
    for box in Sheet(device.patcher).shown:
        if parameter_of(box) and not (box.get("annotation") and box.get("annotation_name")):
            yield f"{name_of(box)} has no info text"


def keeps_names_local(device: Device) -> Iterator[str]:
    """Names that all devices of a set share begin with three dashes."""
    for box in _boxes(device):
        words = str(box.get("text", "")).split()
        named = [word for word in words[1:2] if not word.startswith(("@", "---"))]
        if box["maxclass"] == "newobj" and kind_of(box) in _NAMED and named:
            yield f"{name_of(box)} is named for all devices; wanted ---{named[0]}"


def prints_nothing(device: Device) -> Iterator[str]:
    """Nothing is written to Max's console."""
    for box in _boxes(device):
        if kind_of(box) == "print":
            yield f"{name_of(box)} prints"
    for file in device.files:
        if file.name.endswith(".js"):
            for found in _PRINT_IN_SCRIPT.finditer(file.data.decode("utf-8", "replace")):
                yield f"{file.name} calls {found[1]}"


def changes_nothing_on_load(device: Device) -> Iterator[str]:
    """Nothing runs before Live is ready, and loading makes no undo step."""
    for box in _boxes(device):
        if kind_of(box) in _ON_LOAD:
            yield f"{name_of(box)} runs before Live is ready; use live.thisdevice"


def follows_the_theme(device: Device) -> Iterator[str]:
    """Colours are named after Live's theme."""
    for box in Sheet(device.patcher).shown:
        saved = box.get("saved_attribute_attributes", {})
        fixed = {key for key in box if key.endswith("color")} | {_COLOURED.get(box["maxclass"], "")} - {""}
        for attribute in sorted(fixed):
            if not saved.get(attribute, {}).get("expression", "").startswith("themecolor.live_"):
                yield f"{name_of(box)} has a {attribute} that does not follow Live's theme"


def looks_like_live(device: Device) -> Iterator[str]:
    """Controls have the LCD style, buttons act when the mouse is released, fonts are as Max gives them."""
    for box in Sheet(device.patcher).shown:
        wanted = _LCD.get(box["maxclass"])
        if wanted is not None and box.get("appearance", 0) != wanted:
            yield f"{name_of(box)} does not have the LCD style"
        if box["maxclass"] == "live.text" and not box.get("outputmode"):
            yield f"{name_of(box)} acts before the mouse is released"
        if "fontname" in box or "fontsize" in box:
            yield f"{name_of(box)} has a font of its own"
        if "\t" in str(box.get("text", "")):
            yield f"{name_of(box)} holds a tab stop"


def is_legible(device: Device) -> Iterator[str]:
    """Opened in Max, no object covers another one."""
    for one, other in combinations(Sheet(device.patcher).boxes, 2):
        if _is_covering(edges_of(one["patching_rect"]), edges_of(other["patching_rect"])):
            yield f"{name_of(one)} and {name_of(other)} lie on one another in the patching view"


def fits_its_texts(device: Device) -> Iterator[str]:
    """What is written on buttons and tabs is not cut off."""
    for box in Sheet(device.patcher).shown:
        left, _, right, _ = rect_of(box)
        texts, sharing = _texts_on(box)
        for text in texts:
            if len(text) * LETTER_PX > (right - left) / sharing:
                yield f"{name_of(box)} has no room for {text!r}"


def _texts_on(box: Box) -> tuple[list[str], int]:
    """What may be written on a box, and how many of it share its width."""
    if box["maxclass"] == "live.text":
        return [box.get("text", ""), box.get("texton", "")], 1
    if box["maxclass"] == "live.tab":
        choices = list((parameter_of(box) or {}).get("parameter_enum", ()))
        return choices, len(choices)
    return [], 1


RULES: Final[tuple[Rule, ...]] = (
    is_frozen,
    opens_in_presentation,
    lies_inside,
    overlaps_nothing,
    fits_its_texts,
    is_wired,
    passes_audio,
    hides_buttons,
    hides_driven_controls,
    names_parameters,
    registers_parameters,
    has_info_text,
    keeps_names_local,
    prints_nothing,
    changes_nothing_on_load,
    follows_the_theme,
    looks_like_live,
    is_legible,
)
"""All rules, in the order in which they are looked at."""
