"""How Live's guidelines ask a device to look: each rule finds what is not so, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from ableton.device.patcher import HEIGHT_PX, LETTER_PX
from ableton.device.reader import Device
from ableton.device.sheet import Box, Edges, Sheet, edges_of, name_of, parameter_of, rect_of

_LCD: Final = {"live.text": 2, "live.tab": 1, "live.menu": 1, "live.numbox": 1}
_COLOURED: Final = {"panel": "bgfillcolor", "live.comment": "textcolor", "multislider": "slidercolor"}


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


def _is_covering(one: Edges, other: Edges) -> bool:
    """Whether two boxes share some room."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


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


def is_legible(device: Device) -> Iterator[str]:
    """Opened in Max, no object covers another one."""
    for one, other in combinations(Sheet(device.patcher).boxes, 2):
        if _is_covering(edges_of(one["patching_rect"]), edges_of(other["patching_rect"])):
            yield f"{name_of(one)} and {name_of(other)} lie on one another in the patching view"


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
