"""OSC bytes: python-osc, an independent implementation, judges what is written; nothing read is fatal."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from ableton.messages import (
    MAX_DEPTH,
    MAX_MESSAGES,
    MAX_TAKEN_BYTES,
    MalformedError,
    Message,
    cut,
    decode,
    encode,
    size_bytes,
    string_bytes,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
ATOMS = TEXTS | st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False)
PLAIN = encode(Message("/a", (1,)))


def bundle(*parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(struct.pack(">i", len(part) if size is None else size) + part for part in parts)
    return b"#bundle\0" + bytes(8) + body


@given(st.lists(ATOMS, max_size=20))
def test_what_is_written_is_read_by_another_implementation(arguments: list[str | int | float]) -> None:
    packet = encode(Message("/stembridge/x", tuple(arguments)))
    assert OscMessage(packet).params == arguments
    assert len(packet) % 4 == 0


@given(st.lists(ATOMS, max_size=20))
def test_the_size_is_known_before_it_is_written(arguments: list[str | int | float]) -> None:
    message = Message("/stembridge/x", tuple(arguments))
    assert size_bytes(message) == len(encode(message))


def test_other_types_of_other_programs_are_taken() -> None:
    builder = OscMessageBuilder("/a")
    for value, kind in [(2**40, "h"), (0.25, "d"), (True, "T"), (False, "F"), ("text", "s")]:
        builder.add_arg(value, kind)
    assert decode(builder.build().dgram) == (Message("/a", (2**40, 0.25, True, False, "text")),)


def test_a_bundle_gives_its_messages_in_order_those_of_inner_bundles_too() -> None:
    first, second, third = (encode(Message(f"/{name}")) for name in "abc")
    packet = bundle(first, bundle(second), third)
    assert [message.address for message in decode(packet)] == ["/a", "/b", "/c"]


def deep(levels: int) -> bytes:
    packet = PLAIN
    for _ in range(levels):
        packet = bundle(packet)
    return packet


MALFORMED = {
    "empty": b"",
    "no address": b"abc\0",
    "not utf-8": b"/\xff\xfe\0,\0\0\0",
    "no end of the address": b"/abc",
    "types without a comma": b"/a\0\0ii\0\0",
    "types without an end": b"/a\0\0,ii",
    "argument cut off": b"/a\0\0,i\0\0\0\0",
    "text without an end": b"/a\0\0,s\0\0abcd",
    "blob": b"/a\0\0,b\0\0\xff\xff\xff\xff",
    "array": b"/a\0\0,[i]\0\0\0\0\0\0\0\x01",
    "unknown type": b"/a\0\0,Z\0\0",
    "too many arguments": encode(Message("/a", tuple(range(65)))),
    "bundle without time": b"#bundle\0\0\0",
    "part of size 0": bundle(b"", size=0),
    "part of negative size": bundle(PLAIN, size=-4),
    "part longer than the bundle": bundle(PLAIN, size=4096),
    "part cut off": bundle(PLAIN) + b"\0\0",
    "too deep": deep(MAX_DEPTH + 1),
    "too many messages": bundle(*[PLAIN] * (MAX_MESSAGES + 1)),
    "too large": b"/a\0\0" + bytes(MAX_TAKEN_BYTES),
}


@pytest.mark.parametrize("packet", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_osc_is_told_in_words(packet: bytes) -> None:
    with pytest.raises(MalformedError, match=r"^(The|Bundles) .*\.$"):
        decode(packet)


def test_a_bundle_as_deep_as_allowed_is_read() -> None:
    assert decode(deep(MAX_DEPTH)) == (Message("/a", (1,)),)


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(packet: bytes) -> None:
    try:
        messages = decode(packet)
    except MalformedError:
        return
    assert all(message.address.startswith("/") for message in messages)


@given(TEXTS, st.integers(3, 100))
def test_a_text_is_cut_between_characters(text: str, longest: int) -> None:
    found = cut(text, longest)
    assert len(found.encode()) <= longest
    assert found == text or (found.endswith("...") and text.startswith(found[:-3]))


def test_broken_file_names_and_zero_bytes_can_be_sent() -> None:
    assert decode(encode(Message("/a", ("caf\udce9", "a\0b")))) == (Message("/a", ("caf?", "a b")),)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1e39])
def test_numbers_beyond_32_bits_are_not_sent(value: float) -> None:
    with pytest.raises(MalformedError, match="32"):
        encode(Message("/a", (value,)))


@pytest.mark.parametrize(("length", "room"), [(0, 4), (3, 4), (4, 8), (7, 8)])
def test_a_text_is_ended_and_padded(length: int, room: int) -> None:
    assert string_bytes(length) == room == len(encode(Message("/aa", ("x" * length,)))) - 8
