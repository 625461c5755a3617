"""Plays a patcher without Max: messages run along its cords, through a model of each object that it uses.

The model knows what those objects do with the messages of INTERFACE.md, and no more. What it cannot say is
what Live makes of them; that stands in ableton/README.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Atom = str | int | float
Message = tuple[Atom, ...]
"""A message's atoms; a bang is ``("bang",)``."""

BANG: Final[Message] = ("bang",)


class Rehearsal:
    """A patcher that is played. The document that it is given stays as it is."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document: dict[str, Any] = copy.deepcopy(dict(document))
        """The patcher as it stands now: texts, menus, what is hidden and what is active."""
        self.values: dict[str, Atom] = {}
        """What controls hold, by the ids of their boxes."""
        self.heard: list[tuple[int, Message]] = []
        """What came to the script: inlet and message."""
        self.sent: list[Message] = []
        """What went to the network."""
        self.ports: list[int] = []
        """The ports at which the receiver was told to listen."""
        self.chosen_file: str | None = None
        """What the user chooses where a file is asked for; None closes the dialogue."""
        patcher = self.document["patcher"]
        self._boxes: dict[str, dict[str, Any]] = {
            entry["box"]["id"]: entry["box"] for entry in patcher["boxes"]
        }
        self._lines = [entry["patchline"] for entry in patcher["lines"]]

    def box(self, words: str) -> dict[str, Any]:
        """The object or control whose name or text begins so; LookupError where there is not one."""
        named = [box for box in self._boxes.values() if box["maxclass"] != "live.comment"]
        found = [box for box in named if _name(box).startswith(words)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} boxes are called {words!r}")
        return found[0]

    def load(self) -> None:
        """The device is loaded."""
        self._send(self.box("live.thisdevice"), 0, BANG)

    def press(self, button: str) -> None:
        """The user presses a button; one that is not active does nothing."""
        box = self.box(button)
        if box.get("active", 1):
            self._send(box, 0, BANG)

    def choose(self, control: str, index: int) -> None:
        """The user chooses in a menu or among tabs."""
        box = self.box(control)
        self.values[box["id"]] = index
        self._send(box, 0, (index,))

    def drop(self, path: str) -> None:
        """The user drops a file."""
        self._send(self.box("Drop target"), 0, (path,))

    def say(self, outlet: int, *atoms: Atom) -> None:
        """The script sends a message."""
        self._send(self.box("js "), outlet, atoms)

    def receive(self, *atoms: Atom) -> None:
        """A message comes from the network."""
        self._send(self.box("udpreceive "), 0, atoms)

    def _send(self, box: Mapping[str, Any], outlet: int, message: Message) -> None:
        for line in self._lines:
            if line["source"] == [box["id"], outlet]:
                number, inlet = line["destination"]
                self._arrive(self._boxes[number], inlet, message)

    def _arrive(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        kind = box["text"].split()[0] if box["maxclass"] == "newobj" else box["maxclass"]
        if kind not in _MODELS:
            raise LookupError(f"a message came to {_name(box)!r}, of which there is no model: {message}")
        _MODELS[kind](self, box, inlet, message)

    def _to_script(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self.heard.append((inlet, message))

    def _by_name(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        name = box["text"].split()[1]
        for receiver in [each for each in self._boxes.values() if each.get("text") == f"r {name}"]:
            self._send(receiver, 0, message)

    def _to_network(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self.sent.append(message)

    def _to_receiver(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        _expect(message[0] == "port" and len(message) == 2, box, message)
        self.ports.append(int(message[1]))

    def _route(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        words = box["text"].split()[1:]
        if message[0] in words:
            self._send(box, words.index(str(message[0])), message[1:] or BANG)
        else:
            raise LookupError(f"the display does not know the message {message}")

    def _prepend(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self._send(box, 0, (*box["text"].split()[1:], *message))

    def _trigger(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        words = box["text"].split()[1:]
        for outlet, word in reversed(list(enumerate(words))):
            self._send(box, outlet, message if word == "l" else (int(word),))

    def _gate(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        if inlet == 0:
            self.values[box["id"]] = message[0]
        elif self.values.get(box["id"], int(box["text"].split()[2])):
            self._send(box, 0, message)

    def _differs(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self._send(box, 0, (int(message[0] != int(box["text"].split()[1])),))

    def _message(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        words = box["text"].split()
        self._send(box, 0, tuple(message[0] if word == "$1" else word for word in words))

    def _dialog(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        _expect(message == BANG, box, message)
        if self.chosen_file is None:
            self._send(box, 1, BANG)
        else:
            self._send(box, 0, (self.chosen_file,))

    def _keep(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self.values[box["id"]] = message[0]
        self._send(box, 0, message)

    def _bar(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        self.values[box["id"]] = float(message[0])

    def _menu(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        if message[0] == "_parameter_range":
            box["saved_attribute_attributes"]["valueof"]["parameter_enum"] = [*map(str, message[1:])]
            self.values[box["id"]] = 0
            self._send(box, 0, (0,))  # the worst that a menu might do
        else:
            _expect(message[0] == "set", box, message)
            self.values[box["id"]] = message[1]

    def _comment(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        _expect(message[0] == "set", box, message)
        box["text"] = " ".join(str(atom) for atom in message[1:])

    def _attribute(self, box: dict[str, Any], inlet: int, message: Message) -> None:
        _expect(message[0] in ("active", "hidden") and len(message) == 2, box, message)
        box[str(message[0])] = message[1]


def _name(box: Mapping[str, Any]) -> str:
    saved = box.get("saved_attribute_attributes", {}).get("valueof", {})
    return str(saved.get("parameter_longname") or box.get("text", ""))


def _expect(is_so: bool, box: Mapping[str, Any], message: Sequence[Atom]) -> None:
    if not is_so:
        raise LookupError(f"{box['maxclass']} {_name(box)!r} does not know the message {message}")


_Model = Callable[[Rehearsal, dict[str, Any], int, Message], None]
_MODELS: Final[Mapping[str, _Model]] = {
    "js": Rehearsal._to_script,
    "s": Rehearsal._by_name,
    "udpsend": Rehearsal._to_network,
    "udpreceive": Rehearsal._to_receiver,
    "route": Rehearsal._route,
    "prepend": Rehearsal._prepend,
    "t": Rehearsal._trigger,
    "gate": Rehearsal._gate,
    "!=": Rehearsal._differs,
    "message": Rehearsal._message,
    "opendialog": Rehearsal._dialog,
    "pattr": Rehearsal._keep,
    "multislider": Rehearsal._bar,
    "live.menu": Rehearsal._menu,
    "live.comment": Rehearsal._comment,
    "live.text": Rehearsal._attribute,
    "panel": Rehearsal._attribute,
}
