"""The container: what is written is read back, by a reader that also reads Ableton's own devices."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ableton.device.amxd import File, write_device
from ableton.device.build import BUILT, build_device, device_document
from ableton.device.pictures import PICTURE, picture
from ableton.device.reader import DeviceError, parse_device, read_device
from ableton.device.sheet import Sheet
from tests.ableton.device.samples import SCRIPT, our_device, real_device

WHOLE = build_device(SCRIPT)
DOCUMENT = {"patcher": {"boxes": [], "lines": []}}


def test_two_builds_are_the_same() -> None:
    assert build_device(SCRIPT) == build_device(SCRIPT)


def test_what_is_shipped_is_what_the_sources_give() -> None:
    """If this fails: python -m ableton.device build."""
    assert BUILT.read_bytes() == build_device()
    assert PICTURE.read_text("utf-8") == picture("done")


def test_our_device_is_a_frozen_audio_effect() -> None:
    device = our_device()
    assert (device.kind, device.is_frozen) == ("aaaa", True)
    assert device.document == json.loads(json.dumps(device_document()))
    assert [(file.name, file.type, file.data) for file in device.files] == [("stembridge.js", "TEXT", SCRIPT)]


def test_the_project_says_the_kind_of_the_container() -> None:
    kind = our_device().patcher["project"]["amxdtype"]
    assert kind.to_bytes(4, "big") == b"aaaa"


@settings(deadline=None)
@given(
    names=st.lists(st.from_regex(r"[a-z]{1,12}\.js", fullmatch=True), max_size=4, unique=True),
    data=st.binary(max_size=100),
)
def test_files_come_back_as_they_were(names: list[str], data: bytes) -> None:
    files = [File(name, b"TEXT", data + name.encode()) for name in names]
    device = parse_device(write_device("x", b"mmmm", DOCUMENT, files))
    assert device.document == DOCUMENT
    assert [(file.name, file.data) for file in device.files] == [(file.name, file.data) for file in files]


@pytest.mark.parametrize(
    ("name", "kind", "is_frozen", "files", "boxes"),
    [
        ("ableton_CPU_Reporter.amxd", "aaaa", False, 0, 58),
        ("ableton_Test.amxd", "mmmm", False, 0, 34),
        ("ableton_FrozenTest.amxd", "mmmm", True, 15, 34),
    ],
)
def test_real_devices_are_read(name: str, kind: str, is_frozen: bool, files: int, boxes: int) -> None:
    device = read_device(real_device(name))
    assert (device.kind, device.is_frozen, len(device.files)) == (kind, is_frozen, files)
    assert len(device.patcher["boxes"]) == boxes


@pytest.mark.parametrize("name", ["ableton_CPU_Reporter.amxd", "ableton_Test.amxd"])
def test_every_object_of_a_real_device_is_read(name: str) -> None:
    """As many as its bytes name classes, those in patchers inside of it, too."""
    path = real_device(name)
    sheets = Sheet(read_device(path).patcher).inside()
    assert sum(len(sheet.boxes) for sheet in sheets) == path.read_bytes().count(b'"maxclass" :')


def test_files_of_a_real_frozen_device_are_whole() -> None:
    files = {file.name: file for file in read_device(real_device("ableton_FrozenTest.amxd")).files}
    assert files["fpic.png"].data[:4] == b"\x89PNG"
    assert files["fpic.png"].data[-8:-4] == b"IEND"
    assert b"outlet(" in files["TestScript.js"].data
    assert files["collContent.txt"].data == b"0, test;"


def test_ours_is_laid_out_as_a_real_one() -> None:
    """The same chunks in the same order, and the same fields for each frozen file."""
    real, ours = real_device("ableton_FrozenTest.amxd").read_bytes(), build_device(SCRIPT)
    assert _tags(ours) == _tags(real)
    assert ours[24:28] == real[24:28], "meta says the same"
    for tag in (b"dlst", b"dire", b"type", b"fnam", b"sz32", b"of32", b"vers", b"flag", b"mdat"):
        assert ours.count(tag) > 0
        assert real.count(tag) > 0
    assert ours[-12:-8] == real[-12:-8] == b"mdat"


def _tags(data: bytes) -> list[bytes]:
    tags, at = [], 0
    while at < len(data):
        tags.append(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    return tags


@pytest.mark.parametrize("length", [0, 3, 7, 12, 20, 30, 40, 44, 60, 1000, -1, -30, -120])
def test_a_device_that_is_cut_off_is_refused_in_words(length: int) -> None:
    whole = build_device(SCRIPT)
    with pytest.raises(DeviceError, match=r"cut off|no chunk"):
        parse_device(whole[:length])


@settings(deadline=None)
@given(st.data())
def test_a_damaged_device_is_read_or_refused(data: st.DataObject) -> None:
    """No other error comes out, whatever byte is wrong."""
    whole = bytearray(WHOLE)
    list_at = len(whole) - 220
    at = data.draw(st.one_of(st.integers(0, 60), st.integers(list_at, len(whole) - 1)))
    whole[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DeviceError):
        parse_device(bytes(whole))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"RIFF\4\0\0\0WAVE", "no chunk 'ampf'"),
        (b"ampf\4\0\0\0zzzz", "of the kind 'zzzz'"),
        (b"ampf\4\0\0\0aaaaciph\4\0\0\0....ptch\4\0\0\0....", "encrypted"),
        (b"ampf\4\0\0\0aaaaptch\2\0\0\0{}", "holds no patcher"),
        (b"ampf\4\0\0\0aaaaptch\1\0\0\0x", "no JSON"),
        (b"ampf\4\0\0\0aaaaptch\x04\0\0\0mx@c", "cut off"),
        (b"ampf\4\0\0\0aaaaptch\x10\0\0\0mx@c\0\0\0\x10\0\0\0\0\0\0\0\x10", "not listed"),
    ],
    ids=["another format", "kind", "encrypted", "no patcher", "no JSON", "short", "no list"],
)
def test_what_is_no_device_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        parse_device(data)
