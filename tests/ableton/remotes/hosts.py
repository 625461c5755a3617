"""The applications in which the remotes run, as far as a layout sees them, with a real socket to the door."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as Xml
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from ableton.addresses import COMMANDS
from ableton.messages import Message, decode, encode
from ableton.remotes import Setup, document_bytes, module_text, session_text
from tests.ableton.support import PATIENCE_S

PAUSE_S = 0.005


class Host(ABC):
    """An application with a layout; ``pump`` lets it work for a moment."""

    def __init__(self, port: int) -> None:
        """``port`` is the door's, or that of what stands between."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PAUSE_S)
        self.door_port = port
        self.said: list[Message] = []
        """What it sent, each once."""

    @property
    def own_port(self) -> int:
        return int(self._socket.getsockname()[1])

    @abstractmethod
    def shown(self, name: str) -> Any:
        """What a display shows."""

    @abstractmethod
    def press(self, name: str) -> None:
        """A button is pressed."""

    @abstractmethod
    def choose(self, name: str, word: str) -> None:
        """A word is chosen."""

    @abstractmethod
    def _hear(self, message: Message) -> None: ...

    @abstractmethod
    def _work(self) -> None: ...

    def until(self, condition: Callable[[], bool], what: str = "it") -> None:
        """Work until it is so."""
        end_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end_s, f"{what} did not come about; said {self.said[-5:]}"
            self.pump()

    def until_shown(self, name: str, value: Any) -> None:
        """Work until a display shows that."""
        end_s = time.monotonic() + PATIENCE_S
        while self.shown(name) != value:
            assert time.monotonic() < end_s, f"{name} shows {self.shown(name)!r}, not {value!r}"
            self.pump()

    def pumped(self) -> Self:
        """Itself, a moment later."""
        self.pump()
        return self

    def pump(self) -> None:
        with contextlib.suppress(TimeoutError):
            while True:
                for message in decode(self._socket.recv(65_536)):
                    self._hear(message)
        self._work()

    def send(self, address: str, arguments: list[tuple[str, Any]]) -> None:
        """Send typed arguments; each command must be one of the table, with its types."""
        command = COMMANDS[address]
        for field, (tag, value) in zip(command.fields, arguments, strict=False):
            assert tag == field.type.value, f"{address}: {field.name} is sent as {tag}"
            assert isinstance(value, {"s": str, "i": int, "f": float}[tag])
        message = Message(address, tuple(value for _tag, value in arguments))
        command.read(message.arguments)
        if message not in self.said:
            self.said.append(message)
        self._socket.sendto(encode(message), ("127.0.0.1", self.door_port))

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


KEPT_GLOBALS = frozenset(
    {"error", "ipairs", "next", "pairs", "print", "select", "tonumber", "tostring", "unpack", "type"}
    | {"string", "table", "math", "_G", "_VERSION"}
)
"""What TouchOSC leaves of Lua 5.1 (its manual, Script, Lua Functions)."""


class TouchOsc(Host):
    """Reads the document, runs each control's script in a Lua of its own, calls what TouchOSC calls."""

    def __init__(self, setup: Setup, port: int, _folder: Path) -> None:
        from lupa import lua51

        super().__init__(port)
        setup = setup.evolve(reply_port=0)
        self._new_lua: Callable[[], Any] = lambda: lua51.LuaRuntime(unpack_returned_tuples=True)
        self._started_s = time.monotonic()
        self.skipped_s = 0.0
        """How far the clock was set forward."""
        root = Xml.fromstring(zlib.decompress(document_bytes(setup)))[0]
        self._lua, self._root = self._control(root)
        self._scripts: dict[str, Any] = {}
        self._choices = {name: list(words) for name, words in setup.choices.items()}
        self._nodes = {properties(node)["name"]: node for node in root.iter("node")}
        self._controls: dict[str, Any] = {}
        children = self._lua.table()
        for node in root.findall("children/node"):
            name = properties(node)["name"]
            self._controls[name] = children[name] = self._described(self._lua, node)
            if "script" in properties(node):
                self._scripts[name] = self._button(node)
        self._root.children = children
        self._run(self._lua, properties(root)["script"])
        self._lua.globals().init()

    def shown(self, name: str) -> Any:
        control = self._controls[name]
        if properties(self._nodes[name]).get("script"):
            name = f"{name}_text"
        kind = self._nodes[name].get("type")
        if kind == "BOX":
            return [round(control.color[part], 2) for part in "rgb"]
        values = self._controls[name]["values"]
        return values.x if kind == "FADER" else values.text

    def press(self, name: str) -> None:
        lua, button = self._scripts[name]
        for x in (1, 0):
            button["values"].x = x
            lua.globals().onValueChanged("x")

    def choose(self, name: str, word: str) -> None:
        for _ in self._choices[name]:
            if self.shown(name).endswith(f":  {word}"):
                return
            self.press(name)
        raise AssertionError(f"{name} has no {word}")

    def _control(self, node: Xml.Element) -> tuple[Any, Any]:
        lua = self._new_lua()
        described = self._described(lua, node)
        names = lua.globals()
        for name in list(names):
            if name not in KEPT_GLOBALS:
                names[name] = None
        names.self = described
        names.sendOSC = self._send_osc
        names.getMillis = lambda: 1000 * (time.monotonic() - self._started_s + self.skipped_s)
        names.getDate = lambda: lua.table(2026, 11, 20, 0)
        names.getTime = lambda: lua.table(15, 4, 5, time.monotonic_ns() // 1000 % 1000)
        names.Color = lambda r, g, b, a: lua.table_from({"r": r, "g": g, "b": b, "a": a})
        return lua, described

    def _described(self, lua: Any, node: Xml.Element) -> Any:
        """A control as scripts see it."""
        values = {e.findtext("key"): e.findtext("default") for e in node.findall("values/value")}
        kept = {
            key: float(text or 0) if key == "x" else text for key, text in values.items() if key != "touch"
        }
        return lua.table_from({"name": properties(node)["name"], "values": lua.table_from(kept)})

    def _button(self, node: Xml.Element) -> tuple[Any, Any]:
        lua, button = self._control(node)
        button.parent = lua.table_from({"notify": lambda _, key, value: self._notify(key, value)})
        self._run(lua, properties(node)["script"])
        return lua, button

    def _notify(self, key: str, value: Any) -> None:
        self._lua.globals().onReceiveNotify(key, value)

    def _run(self, lua: Any, script: str) -> None:
        lua.execute(script)

    def _send_osc(self, message: Any) -> None:
        arguments = [(argument.tag, argument.value) for argument in message[2].values()]
        typed = [
            (tag, int(value) if tag == "i" and value == int(value) else value) for tag, value in arguments
        ]
        self.send(message[1], typed)

    def _hear(self, message: Message) -> None:
        arguments = [
            self._lua.table_from({"tag": _tag(value), "value": value}) for value in message.arguments
        ]
        heard = self._lua.table(message.address, self._lua.table(*arguments))
        self._lua.globals().onReceiveOSC(heard, self._lua.table(True))

    def _work(self) -> None:
        self._lua.globals().update()


class StageControl(Host):
    """The session and the module in node, as Open Stage Control's server has them."""

    def __init__(self, setup: Setup, port: int, folder: Path) -> None:
        super().__init__(port)
        session, module = folder / "stembridge.json", folder / "stembridge.js"
        session.write_text(session_text(setup), encoding="utf-8")
        module.write_text(module_text(setup), encoding="utf-8")
        script = Path(__file__).with_name("stage_host.js")
        self._node = subprocess.Popen(
            ["node", str(script), str(session), str(module), str(self.own_port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._shown: dict[str, Any] = {}

    def shown(self, name: str) -> Any:
        return self._shown.get(name, "")

    def press(self, name: str) -> None:
        self._put("press", name)

    def choose(self, name: str, word: str) -> None:
        self._put("choose", name, word)

    def open_screen(self) -> None:
        """A browser opens the session: it shows nothing yet."""
        self._shown.clear()
        self._put("open")

    def close(self) -> None:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.close()
        self._node.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self._node.stdout.close()
        super().close()

    def _put(self, *line: Any) -> None:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(line) + "\n")
        self._node.stdin.flush()

    def _read(self) -> None:
        assert self._node.stdout is not None
        for line in self._node.stdout:
            self._lines.put(line)

    def _hear(self, message: Message) -> None:
        arguments = [{"type": _tag(value), "value": value} for value in message.arguments]
        self._put("heard", message.address, arguments)

    def _work(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                name, *rest = json.loads(self._lines.get_nowait())
                assert name != "error", rest
                if name == "shown":
                    self._shown[rest[0]] = rest[1]
                else:
                    _host, _port, address, arguments = rest
                    self.send(address, [(a["type"], a["value"]) for a in arguments])


def properties(node: Xml.Element) -> dict[str, str]:
    """The properties of a TouchOSC node that are a text or a number."""
    found = {entry.findtext("key"): entry.findtext("value") for entry in node.findall("properties/property")}
    return {str(key): str(value) for key, value in found.items()}


def _tag(value: object) -> str:
    return {str: "s", int: "i", float: "f"}[type(value)]
