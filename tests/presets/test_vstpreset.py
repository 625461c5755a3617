"""The .vstpreset container: bytes both ways, and nothing damaged gets through."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presets import PresetError, VstPreset, windows_class_id
from presets.describe import describe
from presets.dpf import read_state, write_state
from presets.vstpreset import KNOWN_CHUNKS, MOST_BYTES, Chunk

CLASS_ID = "2046504473616C633250435A00000000"
STATE = b"__dpf_program__\x000\x00__dpf_parameters_begin__\x00att\x005\x00__dpf_parameters_end__\x00\xfe\x00"
GOOD = VstPreset.of_state(CLASS_ID, STATE)
GOOD_BYTES = GOOD.to_bytes()
LIST_AT = 48 + len(STATE)

class_ids = st.text("0123456789ABCDEF", min_size=32, max_size=32)
other_chunks = st.lists(st.sampled_from(KNOWN_CHUNKS[1:]), unique=True, max_size=3)


@st.composite
def any_preset(draw: st.DrawFn) -> VstPreset:
    ids = draw(st.permutations(["Comp", *draw(other_chunks)]))
    chunks = tuple(Chunk(id=chunk_id, data=draw(st.binary(max_size=80))) for chunk_id in ids)
    return VstPreset(class_id=draw(class_ids), chunks=chunks)


def test_layout_is_the_documented_one() -> None:
    """Every field at its place, written out by hand."""
    by_hand = (
        b"VST3" + struct.pack("<i", 1) + CLASS_ID.encode() + struct.pack("<q", LIST_AT) + STATE
        + b"List" + struct.pack("<i", 2)
        + b"Comp" + struct.pack("<qq", 48, len(STATE))
        + b"Cont" + struct.pack("<qq", LIST_AT, 0)
    )  # fmt: skip
    assert by_hand == GOOD_BYTES


@given(any_preset())
def test_round_trip(preset: VstPreset) -> None:
    """What is written reads back equal, and writes the same bytes again."""
    data = preset.to_bytes()
    assert VstPreset.from_bytes(data) == preset
    assert VstPreset.from_bytes(data).to_bytes() == data


def test_a_file_is_read_or_refused_in_words(tmp_path: Path) -> None:
    """A sound one, none, a folder, and one larger than a preset may be."""
    path = tmp_path / "Air.vstpreset"
    path.write_bytes(GOOD_BYTES)
    assert VstPreset.read(path) == GOOD
    for there in (tmp_path, tmp_path / "none"):
        with pytest.raises(PresetError, match="cannot be read"):
            VstPreset.read(there)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(PresetError, match=r"Air\.vstpreset has more than 64 MiB"):
        VstPreset.read(path)


@pytest.mark.parametrize(
    "state", [b"\0" * 30_000_000 + b"\0\xfe\0", b"la\n" * 10_000_000], ids=["NUL", "text"]
)
def test_a_vast_state_is_told_in_few_words(state: bytes) -> None:
    """Neither taken for parameters, nor looked through letter by letter."""
    before = time.process_time()
    lines = describe(VstPreset.of_state(CLASS_ID, state))
    assert sum(map(len, lines)) < 5000
    assert time.process_time() - before < 1.0


def test_every_truncation_is_refused() -> None:
    """Cut anywhere, even by one byte, the file is no preset."""
    for length in range(len(GOOD_BYTES)):
        with pytest.raises(PresetError):
            VstPreset.from_bytes(GOOD_BYTES[:length])


@given(any_preset(), st.data())
def test_every_truncation_of_any_preset_is_refused(preset: VstPreset, data: st.DataObject) -> None:
    """The same for whatever chunks."""
    whole = preset.to_bytes()
    with pytest.raises(PresetError):
        VstPreset.from_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.lists(st.tuples(st.integers(0, len(GOOD_BYTES) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bytes_raise_preset_errors_alone(flips: list[tuple[int, int]]) -> None:
    """Damage is refused, or lies inside a chunk or class id and reads back exactly as it stands there."""
    damaged = bytearray(GOOD_BYTES)
    for place, mask in flips:
        damaged[place] ^= mask
    try:
        read = VstPreset.from_bytes(bytes(damaged))
    except PresetError:
        return
    assert read.to_bytes() == bytes(damaged)


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    """Bytes that are no preset raise nothing but PresetError."""
    with pytest.raises(PresetError):
        VstPreset.from_bytes(data)


def patched(place: int, form: str, *values: object) -> bytes:
    data = bytearray(GOOD_BYTES)
    struct.pack_into(form, data, place, *values)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "found 0 bytes", id="empty"),
        pytest.param(GOOD_BYTES[:48], "chunk list at byte", id="header only"),
        pytest.param(patched(0, "<4s", b"VST2"), "b'VST2' at the start", id="magic"),
        pytest.param(patched(4, "<i", 2), "format version 2", id="version"),
        pytest.param(patched(8, "<4s", b"20g6"), "32 upper-case hex digits", id="class id"),
        pytest.param(patched(40, "<q", 47), "chunk list at byte 47", id="list in the header"),
        pytest.param(patched(40, "<q", -1), "chunk list at byte -1", id="list before the file"),
        pytest.param(patched(40, "<q", 2**62), "chunk list at byte", id="list behind the file"),
        pytest.param(patched(40, "<q", LIST_AT - 1), "wanted b'List'", id="list off by one"),
        pytest.param(patched(LIST_AT + 4, "<i", 2**31 - 1), "a list of 2147483647 chunks", id="huge count"),
        pytest.param(patched(LIST_AT + 4, "<i", -1), "a list of -1 chunks", id="negative count"),
        pytest.param(
            patched(LIST_AT + 4, "<i", 3), "40 bytes after the head of the list, wanted 60", id="count"
        ),
        pytest.param(patched(LIST_AT + 8, "<4s", b"Cimp"), "chunks ['Cimp', 'Cont']", id="unknown chunk"),
        pytest.param(patched(LIST_AT + 28, "<4s", b"Comp"), "chunks ['Comp', 'Comp']", id="twice"),
        pytest.param(patched(LIST_AT + 12, "<q", 49), "chunk 'Comp' at byte 49", id="gap"),
        pytest.param(patched(LIST_AT + 20, "<q", 2**62), "chunk 'Comp' at byte 48", id="size past the list"),
        pytest.param(patched(LIST_AT + 20, "<q", -5), "-5 bytes", id="negative size"),
        pytest.param(patched(LIST_AT + 32, "<q", 48), "chunk 'Cont' at byte 48", id="overlap"),
        pytest.param(
            patched(LIST_AT + 20, "<qiqq", len(STATE) - 3, 0x746E6F43, LIST_AT - 3, 0),
            "3 bytes that belong",
            id="unclaimed",
        ),
        pytest.param(GOOD_BYTES + b"\0", "41 bytes after the head", id="trailing"),
    ],
)
def test_damage_is_told(data: bytes, told: str) -> None:
    """The message names the file, what was found, and what was wanted."""
    with pytest.raises(PresetError) as caught:
        VstPreset.from_bytes(data, "Vocals.vstpreset")
    assert caught.value.message.startswith("Vocals.vstpreset: found ")
    assert "wanted" in caught.value.message
    assert told in caught.value.message


def test_a_missing_chunk_is_told() -> None:
    """Asking for a chunk that is not there names those that are."""
    assert GOOD.chunk("Comp") == STATE
    with pytest.raises(PresetError, match="no 'Info' chunk"):
        GOOD.chunk("Info")


@given(class_ids)
def test_the_windows_id_is_its_own_inverse(class_id: str) -> None:
    """Swapped twice it is as before, and its last eight bytes never move."""
    swapped = windows_class_id(class_id)
    assert windows_class_id(swapped) == class_id
    assert swapped[16:] == class_id[16:]


def test_the_windows_variant_differs_in_the_id_alone() -> None:
    """Known pair of a DPF plug-in; bytes 8 to 40 and no others."""
    windows = GOOD.for_windows().to_bytes()
    assert windows[8:40] == b"445046206173636C3250435A00000000"
    assert windows[:8] + GOOD_BYTES[8:40] + windows[40:] == GOOD_BYTES


def test_dpf_numbers_are_written_as_the_plug_ins_write_them() -> None:
    """Twelve digits of the 32-bit float, as read from the plug-ins' own states."""
    state = write_state({"att": 0.1, "rel": 500.0, "thr": -23.68, "kn": 0.0, "slew": 2.043})
    words = [
        "att",
        "0.10000000149",
        "rel",
        "500",
        "thr",
        "-23.6800003052",
        "kn",
        "0",
        "slew",
        "2.04299998283",
    ]
    assert state.decode("latin-1").split("\0")[3:-3] == words


numbers = st.floats(-1e6, 1e6, width=32, allow_nan=False)
symbols = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


@given(st.dictionaries(symbols, numbers, max_size=10))
def test_dpf_states_round_trip_to_float_precision(values: dict[str, float]) -> None:
    """Order and values survive; twelve digits hold any 32-bit float."""
    read = read_state(write_state(values))
    assert list(read) == list(values)
    assert [struct.pack("<f", number) for number in read.values()] == [
        struct.pack("<f", number) for number in values.values()
    ]


@given(st.integers(0, len(STATE) - 1))
def test_truncated_dpf_states_are_refused(length: int) -> None:
    """Cut anywhere it is no state."""
    with pytest.raises(PresetError):
        read_state(STATE[:length])


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(STATE.replace(b"5", b"five"), id="text for a number"),
        pytest.param(STATE.replace(b"5", b"nan"), id="nan"),
        pytest.param(STATE.replace(b"att", b"\xff\xfe"), id="not utf-8"),
        pytest.param(STATE.replace(b"att\x005\x00", b"att\x005\x00att\x006\x00"), id="twice"),
        pytest.param(STATE.replace(b"att\x00", b""), id="a word missing"),
    ],
)
def test_damaged_dpf_states_are_refused(state: bytes) -> None:
    """Numbers are numbers, each parameter stands there once."""
    with pytest.raises(PresetError, match=r"Vocals: (found|a parameter)"):
        read_state(state, "Vocals")
