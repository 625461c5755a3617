"""OSC messages as bytes and back: bounded in size, and never fatal to read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message import ParseError as MessageParseError

Atom = str | int | float

MAX_SENT_BYTES = 1400
"""The largest message that is sent: below the smallest usual network packet, so that none is cut in two."""
MAX_TAKEN_BYTES = 65_536
"""The largest packet that is read; UDP itself carries no more."""
MAX_MESSAGES = 64
"""The most messages that one bundle may hold, with those in its inner bundles."""
MAX_DEPTH = 4
"""How deep bundles may lie in bundles."""
MAX_ARGUMENTS = 64
"""The most arguments of a message, of those that are sent, too: some programs keep short lists."""
ELLIPSIS = "..."

_BUNDLE = b"#bundle\0"
_HEAD_BYTES = len(_BUNDLE) + 8
_READABLE_TYPES = frozenset("ifshdTF")
_INT32 = range(-(2**31), 2**31)


class MalformedError(ValueError):
    """Bytes that are no OSC, told in words for whoever sent them."""


class Message(NamedTuple):
    """An OSC message: where it goes, and what it carries."""

    address: str
    arguments: tuple[Atom, ...] = ()


def encode(message: Message) -> bytes:
    """The message as OSC 1.0 bytes, with the types int32, float32 and string alone.

    Raises MalformedError where it holds another type, or an integer that does not fit into 32 bits.

    >>> encode(Message("/a", (1, "b")))
    b'/a\\x00\\x00,is\\x00\\x00\\x00\\x00\\x01b\\x00\\x00\\x00'
    """
    tags = "".join(_tag(argument) for argument in message.arguments)
    parts = [_string(message.address), _string("," + tags)]
    return b"".join(parts + [_value(argument) for argument in message.arguments])


def size_bytes(message: Message) -> int:
    """How many bytes ``encode`` makes of the message."""
    texts = [message.address, "," + "x" * len(message.arguments)]
    texts += [argument for argument in message.arguments if isinstance(argument, str)]
    numbers = sum(not isinstance(argument, str) for argument in message.arguments)
    return sum(string_bytes(len(text.encode())) for text in texts) + 4 * numbers


def string_bytes(length_bytes: int) -> int:
    """The room that a text of so many bytes takes: ended by a zero, padded to a multiple of four."""
    return length_bytes + 4 - length_bytes % 4


def cut(text: str, longest_bytes: int) -> str:
    """The text in at most that many bytes of UTF-8, cut between characters and ended by "..." where it is.

    Characters that OSC cannot carry (zero bytes, broken file names) are replaced.

    >>> cut("Grün, grüner", 8)
    'Grün...'
    """
    clean = text.replace("\0", " ").encode("utf-8", "replace")
    if len(clean) <= longest_bytes:
        return clean.decode()
    return clean[: longest_bytes - len(ELLIPSIS)].decode("utf-8", "ignore") + ELLIPSIS


def decode(packet: bytes) -> tuple[Message, ...]:
    """The messages in a packet, those of bundles in their order; time tags are not heeded.

    Raises MalformedError, with what was found, for everything that is no OSC or passes the bounds.
    """
    if not packet:
        raise MalformedError("The packet is empty; wanted an OSC message.")
    if len(packet) > MAX_TAKEN_BYTES:
        raise MalformedError(f"The packet has {len(packet)} bytes; wanted at most {MAX_TAKEN_BYTES}.")
    return tuple(_message(data) for data in _elements(packet))


def _elements(packet: bytes) -> list[bytes]:
    """The messages' bytes. Without recursion, and each step forward, so that no packet can hold it up."""
    found: list[bytes] = []
    waiting = [(packet, 0)]
    while waiting:
        data, depth = waiting.pop()
        if not data.startswith(_BUNDLE):
            found.append(data)
        elif depth >= MAX_DEPTH:
            raise MalformedError(f"Bundles lie in bundles more than {MAX_DEPTH} deep.")
        else:
            waiting += [(part, depth + 1) for part in reversed(list(_parts(data)))]
        if len(found) + len(waiting) > MAX_MESSAGES:
            raise MalformedError(f"The bundle holds more than {MAX_MESSAGES} messages; send several.")
    return found


def _parts(bundle: bytes) -> Iterator[bytes]:
    at = _HEAD_BYTES
    if len(bundle) < at:
        raise MalformedError("The bundle ends before its time tag does.")
    while at < len(bundle):
        size = int.from_bytes(bundle[at : at + 4], "big", signed=True)
        at += 4
        if not 0 < size <= len(bundle) - at:
            raise MalformedError(f"The bundle names a part of {size} bytes; {len(bundle) - at} are left.")
        yield bundle[at : at + size]
        at += size


def _message(data: bytes) -> Message:
    if not data.startswith(b"/"):
        raise MalformedError("The packet starts with no address (/...) and is no bundle.")
    _expect_readable_types(data)
    try:
        parsed = OscMessage(data)
        return Message(parsed.address, tuple(parsed.params))
    except (MessageParseError, ValueError, IndexError, struct.error) as cause:
        raise MalformedError(f"The message cannot be read: {_first_line(cause)}.") from cause


def _expect_readable_types(data: bytes) -> None:
    """Types that the parser would only skip, and say so in the log each time, are refused before."""
    end = data.find(b"\0")
    start = string_bytes(end) if end >= 0 else len(data)
    tags = data[start : data.find(b"\0", start)] if b"\0" in data[start:] else data[start:]
    if len(tags) - 1 > MAX_ARGUMENTS:
        raise MalformedError(f"The message has {len(tags) - 1} arguments; wanted at most {MAX_ARGUMENTS}.")
    strange = sorted(set(tags[1:].decode("latin-1")) - _READABLE_TYPES)
    if strange:
        raise MalformedError(
            f"The message holds arguments of type {', '.join(map(repr, strange))}; "
            "wanted integers, floats and strings."
        )


def _first_line(cause: Exception) -> str:
    return cut(str(cause.args[0] if cause.args else cause).splitlines()[0] if str(cause) else "", 200)


def _tag(argument: Atom) -> str:
    if isinstance(argument, str):
        return "s"
    return "f" if isinstance(argument, float) else "i"


def _value(argument: Atom) -> bytes:
    if isinstance(argument, str):
        return _string(argument)
    if isinstance(argument, float):
        return _float(argument)
    if argument not in _INT32:
        raise MalformedError(f"{argument} does not fit into an int32.")
    return struct.pack(">i", argument)


def _float(number: float) -> bytes:
    try:
        return struct.pack(">f", number)
    except OverflowError as cause:
        raise MalformedError(f"{number} does not fit into a float32.") from cause


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "replace").replace(b"\0", b" ")
    return data + b"\0" * (4 - len(data) % 4)
