"""A patcher as the lint looks at it: boxes, the patchers inside of it, and what is reached along cords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

Box = Mapping[str, Any]
Edges = tuple[float, float, float, float]

_PASSING_ON: Final = frozenset({"newobj", "message"})
"""What sends on what comes in; controls are moved by ``set`` and ``active``, and say nothing."""


_SENDING: Final = frozenset({"s", "send"})
_RECEIVING: Final = frozenset({"r", "receive"})


class Line(NamedTuple):
    """A cord, by the ids of its boxes."""

    source: str
    outlet: int
    destination: str
    inlet: int


class Sheet:
    """One patcher of a device: the outermost, or one inside of it."""

    def __init__(self, patcher: Mapping[str, Any]) -> None:
        self.patcher = patcher
        self.boxes: list[Box] = [entry["box"] for entry in patcher.get("boxes", ())]
        self.by_id: dict[str, Box] = {box["id"]: box for box in self.boxes}
        lines = [entry["patchline"] for entry in patcher.get("lines", ())]
        self.lines = [Line(*line["source"][:2], *line["destination"][:2]) for line in lines]

    def inside(self) -> Iterator[Sheet]:
        """This sheet, and all that lie inside of it."""
        yield self
        for box in self.boxes:
            if "patcher" in box:
                yield from Sheet(box["patcher"]).inside()

    @property
    def shown(self) -> list[Box]:
        """What is seen in the device."""
        return [box for box in self.boxes if box.get("presentation")]

    def reached_from(self, start: Box) -> list[Box]:
        """Every box to which a message from ``start`` may come, through whatever lies between."""
        found: dict[str, Box] = {}
        waiting = [start["id"]]
        while waiting:
            here = waiting.pop()
            following = {line.destination for line in self.lines if line.source == here} | self._received(
                here
            )
            fresh = sorted(number for number in following - found.keys() if number in self.by_id)
            found |= {number: self.by_id[number] for number in fresh}
            waiting += [number for number in fresh if self.by_id[number]["maxclass"] in _PASSING_ON]
        return list(found.values())

    def _received(self, number: str) -> set[str]:
        """Where a message comes out again that is sent by name."""
        words = str(self.by_id[number].get("text", "")).split()
        if kind_of(self.by_id[number]) not in _SENDING or len(words) < 2:
            return set()
        receiving = [box for box in self.boxes if kind_of(box) in _RECEIVING]
        return {box["id"] for box in receiving if box.get("text", "").split()[1:2] == words[1:2]}


def kind_of(box: Box) -> str:
    """What an object is: the first word typed into it, or its class."""
    if box["maxclass"] == "newobj":
        return str(box.get("text", "").split(maxsplit=1)[0]) if box.get("text", "").strip() else "newobj"
    return str(box["maxclass"])


def parameter_of(box: Box) -> Mapping[str, Any] | None:
    """The settings of a box that is a parameter of Live; None for others."""
    saved = box.get("saved_attribute_attributes", {}).get("valueof")
    is_enabled = box.get("parameter_enable") or box.get("saved_object_attributes", {}).get("parameter_enable")
    return saved if saved and is_enabled else None


def name_of(box: Box) -> str:
    """How a finding calls a box."""
    parameter = parameter_of(box)
    if parameter:
        return str(parameter.get("parameter_longname", box["id"]))
    text = str(box.get("text", "")).strip()
    return f"{text or box['maxclass']} ({box['id']})"


def rect_of(box: Box) -> Edges:
    """Left, top, right and bottom in the device."""
    return edges_of(box.get("presentation_rect", box["patching_rect"]))


def edges_of(rect: Sequence[float]) -> Edges:
    """Left, top, right and bottom of a box as Max writes it: left, top, width and height."""
    x, y, width, height = rect
    return x, y, x + width, y + height
