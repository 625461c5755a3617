"""Whether a file is whole, told by its bytes: whole ones always pass, cut ones where the format can say."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.audio import open_audio
from bridge.errors import AudioError
from bridge.wholeness import missing
from tests.encoded_media import chunk, encode, song, wav

RATE_HZ = 44_100
FRAMES = 3 * RATE_HZ

ENCODED = {
    # name: encoder, packing, container and the muxer's options
    "lame.mp3": ("libmp3lame", "fltp", None, {}),
    "tagged.mp3": ("libmp3lame", "fltp", None, {"id3v2_version": "3", "write_id3v1": "1"}),
    "no-header.mp3": ("libmp3lame", "fltp", None, {"write_xing": "0"}),
    "layer2.mp3": ("mp2", "s16", "mp2", {}),
    "adts.aac": ("aac", "fltp", "adts", {}),
    "index-last.m4a": ("aac", "fltp", None, {}),
    "index-first.m4a": ("aac", "fltp", None, {"movflags": "faststart"}),
    "alac.m4a": ("alac", "s16p", None, {}),
    "pcm.mov": ("pcm_s16le", "s16", "mov", {}),
    "ffmpeg.flac": ("flac", "s16", None, {}),
    "flac.ogg": ("flac", "s16", "ogg", {}),
    "opus.opus": ("libopus", "flt", None, {}),
    "opus.webm": ("libopus", "flt", None, {}),
    "cues-first.webm": ("libopus", "flt", None, {"reserve_index_space": "50000"}),
    "ffmpeg.aiff": ("pcm_s16be", "s16", "aiff", {}),
    "fragments.mp4": ("aac", "fltp", None, {"movflags": "frag_keyframe+empty_moov"}),
    "live.webm": ("libopus", "flt", None, {"live": "1"}),
}
SOUNDFILE = {
    "a.wav": ("WAV", "PCM_16"),
    "extensible.wav": ("WAVEX", "PCM_24"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "a.rf64": ("RF64", "PCM_16"),
    "a.aiff": ("AIFF", "PCM_24"),
    "float.aiff": ("AIFF", "FLOAT"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "libflac.flac": ("FLAC", "PCM_24"),
    "header.mp3": ("MP3", "MPEG_LAYER_III"),
}
ZIPS = {"stored.zip": zipfile.ZIP_STORED, "deflated.zip": zipfile.ZIP_DEFLATED}
NAMES = [*ENCODED, *SOUNDFILE, *ZIPS]
CANNOT_SAY = {"fragments.mp4", "live.webm"}
"""What is written to be played before it ends, so that any end is a right one."""
UNCOUNTED = {"no-header.mp3", "layer2.mp3", "adts.aac"}
"""Cuts between two frames cannot be told."""
PLAIN = {name for name in NAMES if name.endswith((".wav", ".rf64", ".aiff"))}
"""Zeros in them are silence."""
CUT_NAMES = [name for name in NAMES if name not in CANNOT_SAY]
CUT_SHARES = (0.02, 0.11, 0.3, 0.5, 0.77, 0.9, 0.97)

Cut = Callable[[bytes], str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file of each format, all of the same song."""
    import soundfile

    folder = tmp_path_factory.mktemp("whole")
    for name, (codec, packing, container, options) in ENCODED.items():
        rate_hz = 48_000 if codec == "libopus" else RATE_HZ
        encode(
            folder / name, song(FRAMES, rate_hz), rate_hz,
            codec=codec, packing=packing, container=container, options=options,
        )  # fmt: skip
    for name, (container, subtype) in SOUNDFILE.items():
        soundfile.write(folder / name, song(FRAMES).T, RATE_HZ, format=container, subtype=subtype)
    for name, method in ZIPS.items():
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            archive.write(folder / "a.wav", "0 Vocals.wav")
            archive.write(folder / "lame.mp3", "1 Drums.mp3")
    return {name: (folder / name).read_bytes() for name in NAMES}


def told(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return missing(path)


def cut_places(size: int) -> list[int]:
    """Every byte of the header and of the end, where the parts of a format meet, and some between."""
    places = {*range(500), *range(0, min(6_000, size), 41), *range(max(0, size - 600), size - 64, 3)}
    return sorted(places | {int(share * size) for share in CUT_SHARES})


class TestWhole:
    @pytest.mark.parametrize("name", NAMES)
    def test_a_whole_file_lacks_nothing(self, whole: dict[str, bytes], tmp_path: Path, name: str) -> None:
        assert told(tmp_path / name, whole[name]) == ""

    @pytest.mark.parametrize("name", ["a.wav", "lame.mp3", "ffmpeg.flac", "vorbis.ogg", "index-first.m4a"])
    def test_the_bytes_decide_not_the_name(self, whole: dict[str, bytes], tmp_path: Path, name: str) -> None:
        assert told(tmp_path / "song.bin", whole[name]) == ""
        assert told(tmp_path / "song.bin", whole[name][: len(whole[name]) // 2 + 1]) != ""

    @pytest.mark.parametrize("name", ["lame.mp3", "no-header.mp3", "adts.aac", "ffmpeg.flac", "libflac.flac"])
    @pytest.mark.parametrize(
        "tail",
        [
            b"TAG" + bytes(125),
            b"APETAGEX" + struct.pack("<IIII8x", 2000, 72, 1, 0xA0000000) + b"x" * 40
            + b"APETAGEX" + struct.pack("<IIII8x", 2000, 72, 1, 0x80000000),
            b"LYRICSBEGIN" + b"la " * 200 + b"000611LYRICS200" + b"TAG" + bytes(125),
            bytes(2_000),
        ],
        ids=["id3v1", "ape", "lyrics", "padding"],
    )  # fmt: skip
    def test_tags_and_padding_at_the_end_are_no_damage(
        self, whole: dict[str, bytes], tmp_path: Path, name: str, tail: bytes
    ) -> None:
        assert told(tmp_path / name, whole[name] + tail) == ""

    @pytest.mark.parametrize("name", ["no-header.mp3", "ffmpeg.flac", "adts.aac"])
    def test_tags_before_the_sound_are_passed(
        self, whole: dict[str, bytes], tmp_path: Path, name: str
    ) -> None:
        tag = b"ID3\4\0\0\0\0\7\x50" + b"\xff\xfb" * 488
        assert told(tmp_path / name, tag * 2 + whole[name]) == ""
        assert "the header promises 986 bytes, the file has 400" in told(tmp_path / name, tag[:400])
        assert "sound" in told(tmp_path / name, tag)

    @pytest.mark.parametrize(
        "content",
        [
            b"Verse 1: a text file with the wrong name\n" * 200,
            b"\x89PNG\r\n\x1a\n" + b"\1" * 2_000,
            b"%PDF-1.7\n" * 100,
            random.Random(5).randbytes(50_000),
            b"\xff" * 100_000,
        ],
        ids=["text", "png", "pdf", "noise", "ones"],
    )
    @pytest.mark.parametrize("suffix", [".mp3", ".wav", ".m4a"])
    def test_what_is_no_song_lacks_nothing(self, tmp_path: Path, content: bytes, suffix: str) -> None:
        """It will not become one by waiting; decoding says what it is."""
        assert told(tmp_path / f"song{suffix}", content) == ""

    def test_a_free_bit_rate_cannot_be_told(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        free = bytearray(whole["no-header.mp3"][:20_000])
        for place in range(len(free) - 4):
            if free[place : place + 2] == b"\xff\xfb":
                free[place + 2] &= 0x0F
        assert told(tmp_path / "a.mp3", bytes(free)) == ""

    def test_damage_in_the_middle_is_left_to_decoding(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        """Noise in place of a frame is damage; nothing more will come."""
        data = bytearray(whole["no-header.mp3"])
        data[30_000:31_000] = random.Random(3).randbytes(1_000)
        assert told(tmp_path / "a.mp3", bytes(data)) == ""


class TestCut:
    @pytest.mark.parametrize("name", CUT_NAMES)
    def test_a_cut_file_lacks_something(self, whole: dict[str, bytes], tmp_path: Path, name: str) -> None:
        data = whole[name]
        unseen = [place for place in cut_places(len(data)) if not told(tmp_path / name, data[:place])]
        assert len(unseen) <= (6 if name in UNCOUNTED else 1 if name.endswith(".mp3") else 0), unseen

    @pytest.mark.parametrize("name", sorted(CANNOT_SAY))
    def test_what_may_end_anywhere_is_not_doubted(
        self, whole: dict[str, bytes], tmp_path: Path, name: str
    ) -> None:
        """Its parts, where they are cut, may be told; the whole of them never are."""
        if name == "live.webm":
            data = whole[name]
            assert {told(tmp_path / name, data[: int(s * len(data))]) for s in CUT_SHARES} == {""}
        else:
            data = whole[name]
            assert told(tmp_path / name, data[: data.rindex(b"mfra") - 4]) == ""

    @pytest.mark.parametrize("name", [name for name in CUT_NAMES if name not in ZIPS])
    def test_what_passes_half_done_would_decode(
        self, whole: dict[str, bytes], tmp_path: Path, name: str
    ) -> None:
        """Nothing passes here that decoding refuses: doors do not queue what fails."""
        path = tmp_path / name
        for share in (*CUT_SHARES, 0.999):
            if told(path, whole[name][: int(share * len(whole[name]))]) == "":
                with open_audio(path) as reader:
                    assert sum(block.shape[1] for block in reader.blocks()) > 0

    @pytest.mark.parametrize("name", [name for name in CUT_NAMES if name not in PLAIN])
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
    def test_room_that_was_reserved_but_not_filled_is_seen(
        self, whole: dict[str, bytes], tmp_path: Path, name: str, share: float
    ) -> None:
        """Browsers and others give a file its final size first."""
        data = whole[name]
        filled = int(share * len(data))
        assert "download or export has not finished" in told(
            tmp_path / name, data[:filled] + bytes(len(data) - filled)
        )

    @pytest.mark.parametrize("name", ["ffmpeg.flac", "libflac.flac", "vorbis.ogg", "opus.opus", "flac.ogg"])
    def test_a_last_part_that_is_half_there_is_seen(
        self, whole: dict[str, bytes], tmp_path: Path, name: str
    ) -> None:
        data = whole[name]
        for hollow in (16, 100, 700, 3_000):
            assert told(tmp_path / name, data[:-hollow] + bytes(hollow)) != "", hollow

    @pytest.mark.parametrize(
        "name", ["lame.mp3", "adts.aac", "index-first.m4a", "ffmpeg.flac", "flac.ogg", "cues-first.webm"]
    )
    def test_a_hole_in_the_middle_is_seen(self, whole: dict[str, bytes], tmp_path: Path, name: str) -> None:
        """Programs that fetch pieces out of order leave them."""
        data = bytearray(whole[name])
        assert len(data) > 71_000
        data[4_000:70_000] = bytes(66_000)
        assert "download or export has not finished" in told(tmp_path / name, bytes(data))

    @pytest.mark.parametrize("size", [0, 1, 12, 43])
    def test_a_file_that_only_began_lacks_all(self, tmp_path: Path, size: int) -> None:
        assert f"the file has {size} bytes" in told(tmp_path / "a.wav", wav(b"\1\2" * 50)[:size])

    def test_how_much_is_missing_is_said(self, tmp_path: Path) -> None:
        data = wav(b"\1\2" * 6_000_000)
        assert told(tmp_path / "a.wav", data[:3_000_000]) == (
            "the header promises 12,000,044 bytes, the file has 3,000,000: "
            "the download or export has not finished"
        )

    def test_seconds_are_said_where_bytes_are_not_known(
        self, whole: dict[str, bytes], tmp_path: Path
    ) -> None:
        data = whole["libflac.flac"]
        assert "the header promises 3.00 s, the file has " in told(
            tmp_path / "a.flac", data[: len(data) // 2]
        )


class TestWave:
    @pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000], ids=hex)
    def test_a_length_left_open_cannot_be_told(self, tmp_path: Path, size: int) -> None:
        data = bytearray(wav(b"\1\2" * 2_000, data_size=size))
        data[4:8] = struct.pack("<I", size)
        assert told(tmp_path / "a.wav", bytes(data)) == ""

    def test_a_header_that_was_never_finished(self, tmp_path: Path) -> None:
        """What a recorder writes first and corrects at its end."""
        assert "still being written" in told(tmp_path / "a.wav", wav(b"\1\2" * 5_000, data_size=0))

    def test_a_slip_of_a_header_is_forgiven(self, tmp_path: Path) -> None:
        assert told(tmp_path / "a.wav", wav(bytes(200) + b"\1\2" * 2_000, data_size=4_236)) == ""

    def test_tags_after_the_sound_count_too(self, tmp_path: Path) -> None:
        """The file is not all there, even if its sound is."""
        data = wav(b"\1\2" * 2_000, after=chunk(b"LIST", b"INFO" + bytes(1_000)))
        assert told(tmp_path / "a.wav", data) == ""
        assert "the header promises 5,056 bytes" in told(tmp_path / "a.wav", data[:-500])

    def test_chunks_before_the_sound_that_are_cut(self, tmp_path: Path) -> None:
        data = wav(b"\1\2" * 2_000, before=chunk(b"JUNK", b"\1" * 100_000))
        assert told(tmp_path / "a.wav", data[:50_000]) != ""
        unknown = data[:4] + b"\xff\xff\xff\xff" + data[8:50_000]
        assert told(tmp_path / "a.wav", unknown) != ""

    @pytest.mark.skipif(os.name == "nt", reason="holes in files are not made by default on Windows")
    def test_files_past_4_gib_are_told_without_reading_them(self, tmp_path: Path) -> None:
        """By the long sizes of RF64."""
        data_bytes = 5_000_000_000
        form = struct.pack("<HHIIHH", 1, 2, RATE_HZ, RATE_HZ * 4, 4, 16)
        head = b"RF64\xff\xff\xff\xffWAVE" + chunk(
            b"ds64", struct.pack("<QQQI", data_bytes + 72, data_bytes, 0, 0)
        )
        head += chunk(b"fmt ", form) + b"data\xff\xff\xff\xff"
        path = tmp_path / "a.rf64"
        path.write_bytes(head)
        os.truncate(path, len(head) + data_bytes)
        assert missing(path) == ""
        os.truncate(path, 4_500_000_000)
        assert "5,000,000,080 bytes, the file has 4,500,000,000" in missing(path)


class TestAiff:
    @staticmethod
    def aiff(frames: int, sound: bytes, size: int | None = None) -> bytes:
        rate = struct.pack(">HQ", 16_383 + 15, RATE_HZ << 48)
        common = chunk(b"COMM", struct.pack(">HIH", 1, frames, 16) + rate, ">")
        samples = chunk(b"SSND", bytes(8) + sound, ">")
        if size is not None:
            samples = samples[:4] + struct.pack(">I", size) + samples[8:]
        body = b"AIFF" + common + samples
        return b"FORM" + struct.pack(">I", len(body)) + body

    def test_its_own_count_of_frames_counts(self, tmp_path: Path) -> None:
        """Where the sizes of chunks tell less."""
        assert told(tmp_path / "a.aif", self.aiff(5_000, b"\1\2" * 5_000)) == ""
        assert told(tmp_path / "a.aif", self.aiff(9_000, b"\1\2" * 5_000)) != ""

    def test_a_header_that_was_never_finished(self, tmp_path: Path) -> None:
        content = self.aiff(0, b"\1\2" * 5_000, size=8)
        assert "still being written" in told(tmp_path / "a.aif", content)

    def test_an_empty_one_is_whole(self, tmp_path: Path) -> None:
        assert told(tmp_path / "a.aif", self.aiff(0, b"")) == ""


class TestFlac:
    def test_an_unknown_length_leaves_the_last_frame(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        """Streams do not state it: cut in a frame is told, cut between two is not."""
        data = bytearray(whole["ffmpeg.flac"])
        data[21] &= 0xF0
        data[22:26] = bytes(4)
        assert told(tmp_path / "a.flac", bytes(data)) == ""
        assert "last frame" in told(tmp_path / "a.flac", bytes(data[:-500]))

    def test_a_flipped_bit_in_the_last_frame_is_seen(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        data = bytearray(whole["ffmpeg.flac"])
        data[-300] ^= 4
        assert told(tmp_path / "a.flac", bytes(data)) != ""


class TestMp4:
    def test_an_index_that_is_missing_is_named(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        data = whole["index-last.m4a"]
        assert "its index (the box moov) is missing" in told(
            tmp_path / "a.m4a", data[: data.index(b"moov") - 4]
        )

    def test_an_index_whose_end_was_not_written_is_seen(
        self, whole: dict[str, bytes], tmp_path: Path
    ) -> None:
        assert told(tmp_path / "a.m4a", whole["index-last.m4a"][:-300] + bytes(300)) != ""

    def test_a_tag_behind_the_last_box_is_no_box(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        assert told(tmp_path / "a.m4a", whole["index-last.m4a"] + b"TAG" + b"\1" * 125) == ""

    def test_a_last_packet_of_zeros_was_not_written(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        assert told(tmp_path / "a.m4a", whole["index-first.m4a"][:-2_000] + bytes(2_000)) != ""


class TestOgg:
    def test_each_stream_has_its_end(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        """One song after another is whole; the end of one is not that of the other."""
        one, other = whole["vorbis.ogg"], whole["opus.opus"]
        assert told(tmp_path / "a.ogg", one + other) == ""
        last_page = other.rindex(b"OggS")
        assert "mark of the stream's end" in told(tmp_path / "a.ogg", one + other[:last_page])


class TestZip:
    def test_an_archive_within_an_archive_is_not_its_end(self, tmp_path: Path) -> None:
        """Cut where the inner one ends, the directory of the inner one stands at the end."""
        inner, outer = tmp_path / "inner.zip", tmp_path / "outer.zip"
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("0 Vocals.wav", wav(bytes(100) + b"\1" * 2_000))
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("1 Drums.wav", wav(b"\1" * 2_000))
            archive.write(inner, "more.zip")
        data = outer.read_bytes()
        end = data.index(inner.read_bytes()) + inner.stat().st_size
        assert told(outer, data) == ""
        assert "directory" in told(outer, data[:end])

    def test_a_comment_is_part_of_it(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        path.write_bytes(whole["deflated.zip"])
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = b"from the generator " * 20
        data = path.read_bytes()
        assert told(path, data) == ""
        assert told(path, data[:-100]) != ""

    def test_the_long_form_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As archives past 4 GiB have it, or of more than 65,535 files."""
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1_000)
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("0 Vocals.wav", wav(b"\1\2" * 2_000))
            archive.writestr("1 Drums.wav", wav(b"\1\2" * 2_000))
        data = path.read_bytes()
        assert b"PK\6\6" in data
        assert told(path, data) == ""
        assert told(path, data[:-10]) != ""

    def test_a_file_in_it_that_was_not_filled_is_seen(self, whole: dict[str, bytes], tmp_path: Path) -> None:
        data = bytearray(whole["stored.zip"])
        second = data.index(b"PK\3\4", 4)
        data[second : second + 20_000] = bytes(20_000)
        assert "zeros" in told(tmp_path / "a.zip", bytes(data))


MUTATIONS: tuple[Callable[[random.Random, bytearray, int], None], ...] = (
    lambda rng, data, at: data.__setitem__(at, rng.randrange(256)),
    lambda rng, data, at: data.__setitem__(slice(at, at + 4), rng.choice(_NUMBERS)),
    lambda rng, data, at: data.__setitem__(
        slice(at, at + 8), rng.choice((b"\xff" * 8, b"\x7f" + b"\xff" * 7))
    ),
    lambda rng, data, at: data.__delitem__(slice(at, at + rng.randrange(2_000))),
    lambda rng, data, at: data.__delitem__(slice(at, None)),
    lambda rng, data, at: data.__setitem__(slice(at, at), data[: rng.randrange(3_000)]),
    lambda rng, data, at: data.__setitem__(slice(at, at + 900), bytes(900)),
)
_NUMBERS = (
    bytes(4),
    b"\0\0\0\1",
    b"\1\0\0\0",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\0\0\0",
)


ENDLESS = {
    "mp3": b"\xff\xfb\0\0" * 500_000,
    "adts": b"\xff\xf1\x50\x80\0\xff\xfc" * 300_000,
    "id3": b"ID3\4\0\0\0\0\0\0" * 200_000,
    "tags": b"\xff\xfb\x90\0" + bytes(413) + b"\xff\xfb\x90\0" + bytes(413) + b"TAG" * 600_000,
    "zeros": (bytes(16_000) + b"x") * 100,
    "pages": (b"OggS\0\0" + bytes(20) + b"\0") * 60_000,
    "boxes": b"\0\0\0\x08free" * 250_000,
    "tracks": b"\0\0\0\x10ftypM4A \0\0\0\0\0\x1e\x84\x80moov" + b"\0\0\0\x08trak" * 250_000,
    "elements": b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 1_000_000,
    "zip": b"PK\3\4" + b"PK\5\6" * 500_000,
    "chunks": b"RIFF\xff\xff\xff\xffWAVE" + b"JUNK\0\0\0\0" * 250_000,
    "blocks": b"fLaC" + b"\1\0\0\0" * 500_000,
    "frames": b"fLaC\x80\0\0\x22" + b"\xff" * 34 + b"\xff\xf8\x99\xf8" * 500_000,
}


class TestHostile:
    @pytest.mark.parametrize("name", NAMES)
    def test_any_damage_ends_in_words_or_in_none(
        self, whole: dict[str, bytes], tmp_path: Path, name: str
    ) -> None:
        rng = random.Random(name)
        for _ in range(120):
            data = bytearray(whole[name])
            for _ in range(rng.randint(1, 5)):
                ends = (rng.randrange(min(400, len(data))), max(0, len(data) - 1 - rng.randrange(400)))
                at = rng.choice((rng.randrange(len(data)), *ends))
                rng.choice(MUTATIONS)(rng, data, at)
                data = data or bytearray(b"x")
            found = told(tmp_path / name, bytes(data))
            assert found == "" or found.endswith(
                ("the download or export has not finished", "or its writer was stopped")
            )

    @pytest.mark.timeout(20)
    @pytest.mark.parametrize("content", ENDLESS.values(), ids=ENDLESS)
    def test_endless_small_parts_take_no_endless_time(self, tmp_path: Path, content: bytes) -> None:
        """Two megabytes each; none takes a second."""
        assert isinstance(told(tmp_path / "a.mp3", content), str)

    def test_what_cannot_be_opened_is_an_os_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            missing(tmp_path / "gone.mp3")


def test_nothing_heavy_is_loaded() -> None:
    """The look at a file begins in a fraction of a second."""
    script = (
        "import sys, bridge.wholeness\n"
        "print([name for name in ('numpy', 'scipy', 'av', 'sqlalchemy', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_real_files_are_whole_and_their_halves_are_not(shared_data: Path, tmp_path: Path) -> None:
    paths = [path for path in shared_data.rglob("*") if path.suffix in (".wav", ".mp3")]
    assert paths
    for path in paths:
        assert missing(path) == "", path
        data = path.read_bytes()
        assert told(tmp_path / path.name, data[: len(data) // 2 + 1]) != "", path


def test_decoding_refuses_an_ogg_without_its_end_too(whole: dict[str, bytes], tmp_path: Path) -> None:
    """By the same look at its pages."""
    data = whole["opus.opus"]
    path = tmp_path / "a.opus"
    path.write_bytes(data[: data.rindex(b"OggS")])
    assert missing(path) != ""
    with pytest.raises(AudioError, match="is incomplete"):
        open_audio(path)
