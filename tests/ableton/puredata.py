"""Pure Data as the stand-in for Max: a patch that is a client of the OSC door, of Pd's own objects alone.

Max and Pd are the same in kind: messages of symbols and floats, no integers of their own on the wire, an
address that is taken apart by ``route``, one socket that sends and another that receives.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

PD = ("pd", "-nogui", "-noaudio", "-nomidi", "-nrt", "-stderr", "-noprefs")
RESEND_MS = 150
PING_MS = 200
LONGEST_S = 60.0
"""Then Pd is ended, and with it the test."""
REPLIES = ("welcome", "subscribed", "accepted", "refused", "events_told", "pong")
NOTICES = ("resync", "beat", "unknown_client", "closing")

End = int | tuple[int, int]


class Patch:
    """A .pd file in the making."""

    def __init__(self) -> None:
        self._objects: list[str] = []
        self._wires: list[str] = []

    def add(self, text: str, kind: str = "obj") -> int:
        """An object, and its number."""
        at = len(self._objects)
        self._objects.append(f"#X {kind} {20 + at % 6 * 150} {20 + at // 6 * 30} {_escaped(text, ',;$')};")
        return at

    def message(self, text: str) -> int:
        """A message box; ``$1`` stands for what comes in."""
        return self.add(text, "msg")

    def join(self, *way: End) -> None:
        """Connect one with the next. A pair is an object with its outlet; as the last, with its inlet."""
        for start, end in itertools.pairwise(way):
            (source, outlet), (sink, inlet) = _port(start), _port(end)
            self._wires.append(f"#X connect {source} {outlet} {sink} {inlet};")

    @property
    def text(self) -> str:
        """The file."""
        return "\n".join(["#N canvas 0 0 950 700 10;", *self._objects, *self._wires]) + "\n"


def symbol(text: str) -> str:
    """A text with spaces as one symbol."""
    return _escaped(text, "\\ ")


def session_patch(*, client: str, door_port: int, own_port: int, song: str, recipe: str) -> str:
    """A patch that says hello, subscribes, presses Process, and prints all that it hears.

    Answers come to ``own_port``, as with Max's ``udpreceive``; with 0, back to where it sends from. Each
    command is sent again until it is answered; events are taken in their order, missing ones asked for.
    """
    patch = Patch()
    _speak(patch, client, door_port)
    _listen(patch, own_port)
    _take_replies(patch)
    _take_events(patch)
    _catch_up(patch)
    _session(patch, own_port, song, recipe)
    return patch.text


def _speak(patch: Patch, client: str, door_port: int) -> None:
    """``say``: a name with arguments becomes a packet with client and seq, sent until it is ``answered``."""
    words, parts, name = patch.add("t a b"), patch.add("list split 1"), patch.add("t b a")
    count, more, asked = patch.add("f 0"), patch.add("+ 1"), patch.add("s asked")
    head, arguments = patch.add("list prepend"), patch.add("list append")
    patch.join(patch.add("r say"), patch.add("list"), words, parts, name, arguments)
    patch.join((words, 1), count, more, patch.add(f"list prepend {symbol(client)}"), (head, 1))
    patch.join(more, (count, 1))
    patch.join(more, asked)
    patch.join((parts, 1), head, (arguments, 1))
    packed, begin, resend = patch.add("oscformat"), patch.add("t b a"), patch.add(f"metro {RESEND_MS}")
    packet, wire = patch.add("list append"), patch.add("netsend -u -b")
    patch.join((name, 1), patch.message("set stembridge $1"), packed)
    patch.join(arguments, packed, begin, patch.message("1"), resend, packet)
    patch.join((begin, 1), (packet, 1))
    patch.join(packet, patch.add("list prepend send"), patch.add("list trim"), wire)
    patch.join(patch.add("r answered"), patch.message("0"), resend)
    patch.join(patch.add("loadbang"), patch.message(f"connect 127.0.0.1 {door_port}"), wire)
    patch.join((wire, 1), patch.add("s packet"))


def _listen(patch: Patch, own_port: int) -> None:
    """What comes in, parted into replies, notices and events, as lists that begin with the name."""
    if own_port:
        patch.join(patch.add(f"netreceive -u -b {own_port}"), patch.add("s packet"))
    ours, names = patch.add("route stembridge"), patch.add(f"route ack {' '.join((*REPLIES, *NOTICES))}")
    patch.join(patch.add("r packet"), patch.add("oscparse"), patch.add("list trim"), ours)
    patch.join(ours, patch.add("list"), patch.add("list trim"), names)
    for outlet, name in enumerate((*REPLIES, *NOTICES), start=1):
        where = "reply" if name in REPLIES else name
        patch.join((names, outlet), patch.add(f"list prepend {name}"), patch.add(f"s {where}"))
    patch.join((names, 1 + len(REPLIES) + len(NOTICES)), patch.add("list"), patch.add("s event"))


def _take_replies(patch: Patch) -> None:
    """The first reply with the number that was ``asked`` is ``fresh``; all others were answered before."""
    both, number, gate = patch.add("t a a"), patch.add("unpack s s f"), patch.add("spigot 0")
    is_asked, fresh = patch.add("== -1"), patch.add("t a b b")
    patch.join(patch.add("r reply"), both, gate, fresh, patch.add("s fresh"))
    patch.join((both, 1), patch.add("list split 3"), number)
    patch.join((number, 2), is_asked, (gate, 1))
    patch.join(patch.add("r asked"), (is_asked, 1))
    patch.join((fresh, 2), patch.add("s answered"))
    patch.join((fresh, 1), patch.message("-1"), (is_asked, 1))
    patch.join(patch.add("r fresh"), patch.add("list trim"), patch.add("print heard"))


def _take_events(patch: Patch) -> None:
    """The next event is told, an older one let be; one before which others are missing is a ``gap``."""
    both, parts, pair = patch.add("t a a"), patch.add("unpack s f s s f"), patch.add("pack f f")
    numbers, order = patch.add("unpack f f"), patch.add("expr ($f1 > $f3) * (1 + ($f2 > $f3))")
    gate, is_next, is_gap = patch.add("spigot 0"), patch.add("== 1"), patch.add("sel 2")
    told, number = patch.add("t a a"), patch.add("unpack s f")
    patch.join(patch.add("r event"), both, gate, told, patch.add("list trim"), patch.add("print heard"))
    patch.join((both, 1), patch.add("list split 5"), parts)
    patch.join((parts, 1), pair)
    patch.join((parts, 4), (pair, 1))
    patch.join(pair, numbers, order, is_next, (gate, 1))
    patch.join((numbers, 1), (order, 1))
    patch.join(order, is_gap, patch.add("s gap"))
    patch.join((told, 1), patch.add("list split 2"), number)
    patch.join((number, 1), patch.add("s number"))
    patch.join(patch.add("r number"), (order, 2))


def _catch_up(patch: Patch) -> None:
    """While nothing is asked: after a gap, or a beat that is ahead, ask for events; now and then, ping."""
    state, is_idle, number = patch.add("pack f s"), patch.add("spigot 1"), patch.add("f")
    alive, may_ping = patch.add(f"metro {PING_MS}"), patch.add("spigot 1")
    patch.join(patch.add("r process"), alive, may_ping, patch.message("ping"), patch.add("s say"))
    patch.join(patch.add("r number"), (number, 1))
    patch.join(patch.add("r epoch"), (state, 1))
    patch.join(
        patch.add("r gap"), is_idle, number, state, patch.add("list prepend events"), patch.add("s say")
    )
    for outcome, state_now in (("asked", "0"), ("answered", "1")):
        now = patch.message(state_now)
        patch.join(patch.add(f"r {outcome}"), now, (is_idle, 1))
        patch.join(now, (may_ping, 1))
    beat, ahead = patch.add("unpack s s f"), patch.add("> 0")
    patch.join(patch.add("r beat"), beat)
    patch.join((beat, 2), ahead, patch.add("sel 1"), patch.add("s gap"))
    patch.join(patch.add("r number"), (ahead, 1))
    told, mine = (
        patch.add("unpack s f s f f f"),
        patch.add("expr if($f2 < 0 || $f3 >= $f2, max($f1, $f3), $f3)"),
    )
    patch.join(patch.add("r fresh"), patch.add("list trim"), patch.add("route events_told"), told)
    patch.join((told, 4), (mine, 1))
    patch.join((told, 3), mine, patch.add("s number"))
    patch.join(patch.add("r number"), (mine, 2))


def _session(patch: Patch, own_port: int, song: str, recipe: str) -> None:
    """Each answer brings the next step."""
    steps, known, say = (
        patch.add("route welcome subscribed"),
        patch.add("unpack s f s f f"),
        patch.add("s say"),
    )
    button = patch.add("bng 40 250 50 0 empty process Process 0 -8 0 10 #fcfcfc #000000 #000000")
    patch.join(patch.add("loadbang"), patch.add("del 20"), patch.message(f"hello {own_port}"), say)
    patch.join(patch.add("r fresh"), patch.add("list trim"), steps, patch.message("subscribe"), say)
    patch.join((steps, 1), known, patch.add("t b"), patch.add("s process"))
    patch.join((known, 3), patch.add("s number"))
    patch.join((known, 2), patch.add("s epoch"))
    patch.join(button, patch.message(f"process {symbol(song)} {recipe}"), say)


def _escaped(text: str, letters: str) -> str:
    return "".join(f"\\{letter}" if letter in letters else letter for letter in text)


def _port(end: End) -> tuple[int, int]:
    return end if isinstance(end, tuple) else (end, 0)


class PureData:
    """Pd with a patch, while the context lasts."""

    def __init__(self, patch: Path) -> None:
        self._process = subprocess.Popen([*PD, str(patch)], stderr=subprocess.PIPE, text=True)
        self._watchdog = threading.Timer(LONGEST_S, self._process.kill)

    def until(self, name: str) -> Iterator[list[str]]:
        """Each message that it printed, in words, as far as the one of that name."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            sys.stdout.write(line)
            if not line.startswith("heard: "):
                continue
            words = [re.sub(r"\\(.)", r"\1", word) for word in re.split(r"(?<!\\) ", line.strip())[1:]]
            yield words
            if words[0] == name:
                return
        raise AssertionError(f"Pd ended before it heard {name!r}")

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()
