"""What Live's guidelines ask of a device, as far as its file shows it.

From Ableton's "Max for Live Production Guidelines" (github.com/Ableton/maxdevtools): each rule is a function
from a device to what it finds wrong, in words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from ableton.device import looks
from ableton.device.patcher import Visibility
from ableton.device.reader import Device
from ableton.device.sheet import Box, Sheet, kind_of, name_of, parameter_of

Rule = Callable[[Device], Iterator[str]]

_NAMED: Final = frozenset({
    "s", "send", "r", "receive", "s~", "send~", "r~", "receive~", "v", "value", "pv",
    "buffer~", "coll", "dict", "table", "pattrstorage",
})  # fmt: skip
"""Objects whose name is shared by all devices of a set."""
_ON_LOAD: Final = frozenset({"loadbang", "loadmess", "onecopy"})
_SHORT_LETTERS: Final = 10
"""Beyond about so many, short names are cut where Live and Push show them."""
_GENERIC_CHOICE: Final = re.compile(r"val\d+")
_GENERIC: Final = re.compile(r"live\.\w+|.*\[\d+\]$")
_FROM_SCRIPT: Final = frozenset({"js", "v8", "node.script", "udpreceive"})
_PRINT_IN_SCRIPT: Final = re.compile(r"(?<![\w.])(post|cpost|error)\s*\(")


def _sheets(device: Device) -> Iterator[Sheet]:
    return Sheet(device.patcher).inside()


def _boxes(device: Device) -> Iterator[Box]:
    return (box for sheet in _sheets(device) for box in sheet.boxes)


def _is_not_hidden(box: Box) -> bool:
    """Whether it is a parameter of which Live knows."""
    parameter = parameter_of(box)
    return parameter is not None and parameter.get("parameter_invisible", 0) != Visibility.HIDDEN


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
        if len(parameter.get("parameter_shortname", "")) > _SHORT_LETTERS:
            yield f"{name_of(box)} has a short name of more than {_SHORT_LETTERS} letters"
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


RULES: Final[tuple[Rule, ...]] = (
    is_frozen,
    looks.opens_in_presentation,
    looks.lies_inside,
    looks.overlaps_nothing,
    looks.fits_its_texts,
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
    looks.follows_the_theme,
    looks.looks_like_live,
    looks.is_legible,
)
"""All rules, in the order in which they are looked at."""
