"""The table: consistent in itself, bounded, and the same as the page."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ableton.addresses import COMMANDS, SENT, SENT_ADDRESSES, TABLE
from ableton.contract import CODE_MEANINGS, Address, ArgumentsError, Code, Direction, Type
from ableton.handlers import HANDLERS
from ableton.messages import MAX_ARGUMENTS, MAX_SENT_BYTES, decode, encode
from ableton.page import render_page

PAGE = Path(__file__).parents[2] / "docs" / "osc.md"
PROCESS = COMMANDS["/stembridge/process"]
LIST = COMMANDS["/stembridge/list"]


def named(entry: Address) -> str:
    return entry.name


def test_the_committed_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(), "python -m ableton.addresses > docs/osc.md"


def test_the_page_is_printed_by_the_module() -> None:
    ran = subprocess.run([sys.executable, "-m", "ableton.addresses"], capture_output=True, check=True)
    assert ran.stdout.decode() == render_page()
    assert ran.stderr == b""


def test_every_address_is_told_once() -> None:
    addresses = [entry.address for entry in TABLE]
    assert len(set(addresses)) == len(addresses)
    assert not SENT_ADDRESSES & set(COMMANDS)


def test_every_command_has_a_handler_and_known_replies() -> None:
    assert {entry.name for entry in COMMANDS.values()} == set(HANDLERS)
    for entry in COMMANDS.values():
        assert entry.replies
        assert all(SENT[name].direction is Direction.REPLY for name in entry.replies)


def test_every_code_has_a_meaning() -> None:
    assert set(CODE_MEANINGS) == set(Code)


@pytest.mark.parametrize("entry", TABLE, ids=named)
def test_optional_arguments_come_last(entry: Address) -> None:
    optional = [field.is_optional for field in entry.fields]
    assert optional == sorted(optional)
    assert entry.direction is Direction.COMMAND or not any(optional)


@pytest.mark.parametrize("entry", SENT.values(), ids=named)
def test_no_message_that_is_sent_passes_the_bound(entry: Address) -> None:
    values = ["ü" * 5000 if field.type is Type.TEXT else 10**12 for field in entry.fields]
    row = ["ü" * 5000 if field.type is Type.TEXT else 10**12 for field in entry.row]
    message = entry.message(*values, rows=[row] * 20 if row else [])
    assert len(encode(message)) <= MAX_SENT_BYTES
    assert entry.most_bytes <= MAX_SENT_BYTES
    assert entry.rows_of(message) or not row, "not even one row fits"


def test_rows_that_do_not_fit_are_left_out_whole() -> None:
    entry = SENT["file_list"]
    rows = [(f"Stems/{number:03d}.wav",) for number in range(200)]
    message = entry.message("me", 1, "job", 200, 0, "/music", rows=rows)
    found = entry.rows_of(message)
    assert found == rows[: len(found)]
    assert 20 < len(found) < 200


def test_what_is_sent_is_not_longer_than_what_is_read() -> None:
    """Short figures are many: a list of them has to end before the bytes do."""
    entry = SENT["figure_list"]
    rows = [(f"f{number}", "1.0") for number in range(200)]
    message = entry.message("me", 1, "job", 200, 0, rows=rows)
    (read,) = decode(encode(message))
    assert entry.rows_of(read) == rows[: (MAX_ARGUMENTS - 5) // 2]


def test_left_out_arguments_get_their_defaults() -> None:
    found = PROCESS.read(["me", 1, "/a.wav"])
    assert found == {
        "client": "me",
        "seq": 1,
        "path": "/a.wav",
        "recipe": "",
        "project": "",
        "targets": "",
        "wishes": "",
    }


def test_arguments_of_a_newer_client_are_let_be() -> None:
    assert LIST.read(["me", 1, 5, "", "new", 7])["limit"] == 5


@pytest.mark.parametrize(
    ("given_limit", "wanted"), [(5, 5), (5.0, 5), (True, 1)], ids=["int", "whole float", "bool"]
)
def test_numbers_as_other_programs_send_them_are_taken(given_limit: object, wanted: int) -> None:
    found = LIST.read(["me", 1, given_limit])["limit"]
    assert (found, type(found)) == (wanted, int)


def test_a_name_of_digits_is_a_text_all_the_same() -> None:
    assert LIST.read([123, 1])["client"] == "123"


BAD = {
    "nothing": [],
    "no seq": ["me"],
    "empty client": ["", 1],
    "client with a space": ["a b", 1],
    "client too long": ["x" * 65, 1],
    "client with a line": ["me\n", 1],
    "client is a float": [1.5, 1],
    "client is a bool": [True, 1],
    "client is nothing": [None, 1],
    "seq is a text": ["me", "1"],
    "seq is negative": ["me", -1],
    "seq is no int32": ["me", 2**31],
    "seq is a broken number": ["me", 1.5],
    "seq is no number": ["me", math.nan],
    "seq is endless": ["me", math.inf],
    "limit too small": ["me", 1, 0],
    "limit too large": ["me", 1, 51],
    "before too long": ["me", 1, 5, "x" * 65],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD.keys())
def test_wrong_arguments_are_told_by_name(arguments: list[object]) -> None:
    with pytest.raises(ArgumentsError, match=r"'(client|seq|limit|before)' .*wanted"):
        LIST.read(arguments)


@given(
    st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), max_size=8)
)
def test_any_arguments_are_read_or_refused(arguments: list[object]) -> None:
    for entry in COMMANDS.values():
        try:
            found = entry.read(arguments)
        except ArgumentsError:
            continue
        assert set(found) == {field.name for field in entry.fields}
