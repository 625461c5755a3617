"""Tags: read from every format, written so that others read them, never at the cost of a sample or a song."""

from __future__ import annotations

import base64
import errno
import io
import os
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, GEOB, ID3, TALB, TIT2, TPE1, TXXX, USLT, WOAS
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from PIL import Image

from bridge import audio, tags
from bridge.audio import Audio, AudioWriter, read_audio, write_audio
from bridge.errors import AudioError
from bridge.tags import COVER_BYTES, COVER_PIXELS, Cover, FoundTags, read_tags, write_tags
from bridge.values import SampleFormat, Tags
from tests.encoded_media import chunk, encode, song, wav

UUID = "5cb1b5fe-e47f-42a4-83f6-7625fa7ffa54"
MADE = f"made with suno; created=2026-01-02T03:04:05Z; id={UUID}"
PAGE = f"https://suno.com/song/{UUID}"
WANTED = Tags(
    title="Night Drive – Ночь 夜",
    artist="Kyra",
    album="Roads",
    comment=MADE,
    lyrics="[Verse 1]\nLine one\nLine two",
    generator="Suno",
    generator_id=UUID,
    url=PAGE,
)


def picture(kind: str = "JPEG", side: int = 64, noise: bool = False) -> bytes:
    pixels = np.random.default_rng(2).integers(0, 255 if noise else 40, (side, side, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


JPEG = picture()
PNG = picture("PNG")


def full_id3() -> ID3:
    """What Suno's downloads hold."""
    tag = ID3()
    for frame in (
        TIT2(encoding=3, text=[WANTED.title]),
        TPE1(encoding=3, text=["Kyra"]),
        TALB(encoding=3, text=["Roads"]),
        COMM(encoding=3, lang="XXX", desc="", text=[MADE]),
        COMM(encoding=3, lang="eng", desc="iTunNORM", text=[" 00000 00001"]),
        USLT(encoding=3, lang="eng", desc="", text=WANTED.lyrics),
        WOAS(url=PAGE),
        APIC(encoding=0, mime="image/png", type=4, desc="back", data=PNG),
        APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=JPEG),
        GEOB(encoding=3, mime="application/c2pa", filename="c2pa", desc="c2pa manifest", data=b"jumb" * 9),
    ):
        tag.add(frame)
    return tag


def tagged_mp3(folder: Path) -> Path:
    path = encode(folder / "a.mp3", song(5_000), 44_100, codec="libmp3lame")
    full_id3().save(path)
    return path


def tagged_aiff(folder: Path) -> Path:
    path = folder / "a.aiff"
    soundfile.write(path, song(500).T, 44_100)
    file = mutagen.File(path)
    file.add_tags()
    file.tags.update(full_id3())
    file.save()
    return path


def tagged_wav(folder: Path) -> Path:
    out = io.BytesIO()
    full_id3().save(out)
    (folder / "a.wav").write_bytes(wav(bytes(200), after=chunk(b"id3 ", out.getvalue())))
    return folder / "a.wav"


def vorbis_comments() -> dict[str, str]:
    return {
        "TITLE": WANTED.title,
        "ARTIST": "Kyra",
        "ALBUM": "Roads",
        "DESCRIPTION": MADE,
        "LYRICS": WANTED.lyrics,
        "WEBSITE": PAGE,
    }


def tagged_flac(folder: Path) -> Path:
    encode(folder / "a.flac", song(5_000), 44_100, codec="flac", packing="s16")
    file = FLAC(folder / "a.flac")
    file.update(vorbis_comments())
    file.add_picture(flac_picture())
    file.save()
    return folder / "a.flac"


def flac_picture() -> Picture:
    cover = Picture()
    cover.data, cover.type, cover.mime = JPEG, 3, "image/jpeg"
    return cover


def tagged_ogg(folder: Path) -> Path:
    soundfile.write(folder / "a.ogg", song(5_000).T, 44_100, format="OGG", subtype="VORBIS")
    return _with_vorbis(folder / "a.ogg")


def tagged_opus(folder: Path) -> Path:
    return _with_vorbis(encode(folder / "a.opus", song(5_000), 48_000, codec="libopus", packing="flt"))


def _with_vorbis(path: Path) -> Path:
    file = mutagen.File(path)
    file.update(vorbis_comments())
    file["metadata_block_picture"] = [base64.b64encode(flac_picture().write()).decode()]
    file.save()
    return path


def tagged_m4a(folder: Path) -> Path:
    encode(folder / "a.m4a", song(5_000), 44_100, codec="aac")
    file = MP4(folder / "a.m4a")
    file.update(
        {
            "\xa9nam": WANTED.title, "\xa9ART": "Kyra", "\xa9alb": "Roads", "\xa9cmt": MADE,
            "\xa9lyr": WANTED.lyrics,
            "----:com.apple.iTunes:WEBSITE": MP4FreeForm(PAGE.encode()),
            "covr": [MP4Cover(JPEG, MP4Cover.FORMAT_JPEG)],
        }
    )  # fmt: skip
    file.save()
    return folder / "a.m4a"


FORMATS: list[Callable[[Path], Path]] = [
    tagged_mp3, tagged_aiff, tagged_wav, tagged_flac, tagged_ogg, tagged_opus, tagged_m4a,
]  # fmt: skip


class TestReading:
    @pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__.removeprefix("tagged_"))
    def test_every_format(self, tmp_path: Path, make: Callable[[Path], Path]) -> None:
        found = read_tags(make(tmp_path))
        assert found.tags == WANTED
        assert found.cover == Cover(data=JPEG, mime="image/jpeg")

    def test_webm(self, tmp_path: Path) -> None:
        import av

        with av.open(str(tmp_path / "a.webm"), "w") as out:
            out.metadata.update({"title": "Night Drive", "artist": "Kyra", "comment": MADE})
            stream = out.add_stream("libopus", rate=48_000, layout="stereo")
            frame = av.AudioFrame.from_ndarray(song(9_600), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48_000, 0
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        found = read_tags(tmp_path / "a.webm").tags
        assert (found.title, found.artist, found.generator_id) == ("Night Drive", "Kyra", UUID)

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
    def test_riff_info(self, tmp_path: Path, encoding: str) -> None:
        """As Explorer and older programs write it, in front of the samples or behind."""
        info = b"INFO" + b"".join(
            chunk(name, text.encode(encoding) + b"\0")
            for name, text in {b"INAM": "Café", b"IART": "Kyra", b"ICMT": MADE, b"ISFT": "Lavf61"}.items()
        )
        for place in ("before", "after"):
            (tmp_path / "a.wav").write_bytes(wav(bytes(200), **{place: chunk(b"LIST", info)}))
            found = read_tags(tmp_path / "a.wav").tags
            assert (found.title, found.artist, found.comment) == ("Café", "Kyra", MADE)
            assert (found.generator, found.generator_id) == ("Suno", UUID)

    def test_signed_origin_is_told(self, tmp_path: Path) -> None:
        assert read_tags(tagged_mp3(tmp_path)).has_content_credentials
        assert not read_tags(tagged_flac(tmp_path)).has_content_credentials

    @pytest.mark.parametrize(
        ("frames", "wanted"),
        [
            ([COMM(lang="eng", desc="", text=[MADE.replace("suno;", "suno studio;")])], ("Suno", UUID, "")),
            ([TXXX(desc="comment", text=[MADE])], ("Suno", UUID, "")),
            ([WOAS(url=PAGE)], ("Suno", UUID, PAGE)),
            ([WOAS(url=f"https://cdn1.suno.ai/{UUID}.mp3")], ("Suno", UUID, f"https://cdn1.suno.ai/{UUID}.mp3")),
            ([TXXX(desc="SUNO_ID", text=[UUID])], ("Suno", UUID, "")),
            ([COMM(lang="eng", desc="", text=["see https://www.udio.com/songs/h5yXzRiXh4DRL4RSwqJbHu?x=1"])],
             ("Udio", "h5yXzRiXh4DRL4RSwqJbHu", "https://www.udio.com/songs/h5yXzRiXh4DRL4RSwqJbHu?x=1")),
            ([TXXX(desc="udio_song_id", text=["h5yXzRiXh4DRL4RSwqJbHu"])],
             ("Udio", "h5yXzRiXh4DRL4RSwqJbHu", "")),
            ([USLT(lang="eng", desc="", text="I heard it was made with suno")], ("", "", "")),
            ([WOAS(url="https://notsuno.com/song/x")], ("", "", "https://notsuno.com/song/x")),
            ([WOAS(url="javascript:alert(1)")], ("", "", "")),
        ],
    )  # fmt: skip
    def test_generator_and_its_id(
        self, tmp_path: Path, frames: list[object], wanted: tuple[str, ...]
    ) -> None:
        tag = ID3()
        for frame in frames:
            tag.add(frame)
        encode(tmp_path / "a.mp3", song(2_000), 44_100, codec="libmp3lame")
        tag.save(tmp_path / "a.mp3")
        found = read_tags(tmp_path / "a.mp3").tags
        assert (found.generator, found.generator_id, found.url) == wanted

    def test_prompt_goes_into_the_comment(self, tmp_path: Path) -> None:
        path = tagged_mp3(tmp_path)
        tag = ID3(path)
        tag.add(TXXX(encoding=3, desc="PROMPT", text=["dark synthwave"]))
        tag.save(path)
        assert read_tags(path).tags.comment == f"{MADE}\nprompt: dark synthwave"

    def test_none(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=song(100), rate_hz=44_100))
        assert read_tags(tmp_path / "a.wav") == FoundTags()
        assert read_tags(tmp_path / "missing.mp3") == FoundTags()
        assert read_tags(tmp_path) == FoundTags()


class TestHostileTags:
    def test_wrong_encoding_is_put_right(self, tmp_path: Path) -> None:
        """UTF-8 declared as Latin-1, null bytes, control characters, half a letter."""
        tag = ID3()
        tag.add(TIT2(encoding=0, text=["CafÃ© d'Ã©tÃ©"]))
        tag.add(TPE1(encoding=3, text=["A\x07r\x1btist\x00Second"]))
        tag.add(TALB(encoding=1, text=["Latin é stays"]))
        encode(tmp_path / "a.mp3", song(2_000), 44_100, codec="libmp3lame")
        tag.save(tmp_path / "a.mp3")
        found = read_tags(tmp_path / "a.mp3").tags
        assert (found.title, found.artist, found.album) == ("Café d'été", "Artist", "Latin é stays")

    def test_huge_texts_are_cut(self, tmp_path: Path) -> None:
        tag = ID3()
        tag.add(TIT2(encoding=3, text=["x" * 1_000_000]))
        tag.add(USLT(encoding=3, lang="eng", desc="", text="y" * 3_000_000))
        encode(tmp_path / "a.mp3", song(2_000), 44_100, codec="libmp3lame")
        tag.save(tmp_path / "a.mp3")
        found = read_tags(tmp_path / "a.mp3").tags
        assert (len(found.title), len(found.lyrics)) == (1_000, 100_000)

    def test_size_that_is_not_there(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + os.urandom(5_000))
        assert read_tags(tmp_path / "a.mp3") == FoundTags()

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    @pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__.removeprefix("tagged_"))
    def test_damage_is_never_fatal(
        self, tmp_path: Path, make: Callable[[Path], Path], data: st.DataObject
    ) -> None:
        """Bytes overwritten and cut at any place: tags come out or not, JSON can hold them."""
        path = next(iter(tmp_path.glob("a.*")), None) or make(tmp_path)
        whole = path.read_bytes()
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, min(len(damaged) - 1, 3_000)))
            damaged[place : place + 3] = data.draw(st.binary(min_size=3, max_size=3))
        other = tmp_path / f"damaged{path.suffix}"
        other.write_bytes(damaged[: data.draw(st.integers(10, len(damaged)))])
        found = read_tags(other)
        assert Tags.model_validate_json(found.tags.model_dump_json()) == found.tags

    @given(st.text(alphabet=st.characters(codec=None), max_size=200))
    def test_any_text_becomes_clean(self, text: str) -> None:
        found = tags.text.clean(text, 100)
        found.encode("utf-8")
        assert len(found) <= 100
        assert not any(ord(letter) < 32 for letter in found)


class TestCover:
    @pytest.mark.parametrize(
        ("kind", "mime", "suffix"), [("JPEG", "image/jpeg", ".jpg"), ("PNG", "image/png", ".png")]
    )
    def test_small_ones_pass_untouched(self, kind: str, mime: str, suffix: str) -> None:
        data = picture(kind)
        cover = Cover.of(data)
        assert cover == Cover(data=data, mime=mime)
        assert cover is not None
        assert cover.suffix == suffix

    @pytest.mark.parametrize("kind", ["WEBP", "GIF", "BMP"])
    def test_other_kinds_become_jpeg(self, kind: str) -> None:
        cover = Cover.of(picture(kind))
        assert cover is not None
        assert cover.mime == "image/jpeg"
        assert Image.open(io.BytesIO(cover.data)).size == (64, 64)

    def test_large_ones_are_made_smaller(self) -> None:
        data = picture("PNG", 1_800, noise=True)
        assert len(data) > COVER_BYTES
        cover = Cover.of(data)
        assert cover is not None
        assert len(cover.data) <= COVER_BYTES
        assert max(Image.open(io.BytesIO(cover.data)).size) == COVER_PIXELS

    def test_broken_ones_are_left_out(self) -> None:
        bomb = (
            b"\x89PNG\r\n\x1a\n"
            + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
            + bytes(4)
        )
        for data in (
            b"",
            b"no picture",
            JPEG[:100],
            JPEG[: len(JPEG) // 2],
            PNG[:60],
            bomb,
            os.urandom(2_000),
        ):
            assert Cover.of(data) is None

    def test_broken_front_gives_way_to_a_whole_one(self, tmp_path: Path) -> None:
        tag = ID3()
        tag.add(APIC(encoding=0, mime="image/jpeg", type=3, desc="", data=JPEG[:100]))
        tag.add(APIC(encoding=0, mime="image/png", type=4, desc="b", data=PNG))
        encode(tmp_path / "a.mp3", song(2_000), 44_100, codec="libmp3lame")
        tag.save(tmp_path / "a.mp3")
        assert read_tags(tmp_path / "a.mp3").cover == Cover(data=PNG, mime="image/png")

    def test_from_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "cover.jpg").write_bytes(JPEG)
        assert Cover.read(tmp_path / "cover.jpg") == Cover(data=JPEG, mime="image/jpeg")


COVER = Cover(data=JPEG, mime="image/jpeg")


def written(path: Path, frames: int = 1_001, **options: object) -> Path:
    with AudioWriter(path, rate_hz=44_100, channels=1, **options) as out:  # type: ignore[arg-type]
        out.write(song(frames, channels=1))
    return path


class TestWriting:
    @pytest.mark.parametrize("sample_format", SampleFormat)
    def test_samples_are_bit_identical(self, tmp_path: Path, sample_format: SampleFormat) -> None:
        """Also where the odd length of 24-bit mono needs a pad byte."""
        path = written(tmp_path / "a.wav", sample_format=sample_format)
        before = path.read_bytes()
        write_tags(path, WANTED, COVER)
        after = path.read_bytes()
        assert after[:4] + after[8 : len(before)] == before[:4] + before[8:]
        assert struct.unpack("<I", after[4:8])[0] == len(after) - 8
        assert len(after) % 2 == 0
        assert read_audio(path).frames == 1_001

    def test_read_back(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.wav")
        write_tags(path, WANTED, COVER)
        assert read_tags(path) == FoundTags(tags=WANTED, cover=COVER)

    def test_others_read_them(self, tmp_path: Path) -> None:
        """mutagen the ID3 chunk, libsndfile and FFmpeg the INFO list."""
        import av

        path = written(tmp_path / "a.wav")
        write_tags(path, WANTED, COVER)
        file = mutagen.File(path)
        assert str(file.tags["TIT2"]) == WANTED.title
        assert file.tags.version == (2, 3, 0)
        assert file.tags.getall("APIC")[0].data == JPEG
        with soundfile.SoundFile(path) as sound:
            assert sound.frames == 1_001
            assert sound.title == WANTED.title
            assert sound.artist == "Kyra"
        with av.open(str(path)) as container:
            assert container.metadata["title"] == WANTED.title
            assert container.metadata["comment"] == MADE

    def test_writing_again_replaces(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.wav")
        write_tags(path, WANTED, COVER)
        once = path.read_bytes()
        write_tags(path, WANTED, COVER)
        assert path.read_bytes() == once
        write_tags(path, Tags(title="Short"))
        assert read_tags(path) == FoundTags(tags=Tags(title="Short"))
        assert path.stat().st_size < len(once)

    def test_nothing_to_write(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.wav")
        before = path.read_bytes()
        write_tags(path, Tags())
        assert path.read_bytes() == before

    def test_other_chunks_stay_and_old_tags_go(self, tmp_path: Path) -> None:
        old = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"Old\0"))
        data = wav(b"\1\2" * 50, before=chunk(b"bext", b"x" * 31) + old, after=chunk(b"cue ", b"y" * 7) + old)
        (tmp_path / "a.wav").write_bytes(data)
        write_tags(tmp_path / "a.wav", Tags(title="New"))
        after = (tmp_path / "a.wav").read_bytes()
        assert read_tags(tmp_path / "a.wav").tags.title == "New"
        assert after.count(chunk(b"bext", b"x" * 31)) == after.count(chunk(b"cue ", b"y" * 7)) == 1
        assert after.count(b"INFO") == 2  # the hidden one in front, and the new one
        assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tobytes() == b"\1\2" * 50

    def test_rf64(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audio.writer, "RIFF_LIMIT_BYTES", 1_000)
        path = written(tmp_path / "a.wav")
        before = read_audio(path).samples
        write_tags(path, WANTED)
        data = path.read_bytes()
        assert data[:4] == b"RF64"
        assert struct.unpack("<Q", data[20:28])[0] == len(data) - 8
        assert np.array_equal(read_audio(path).samples, before)
        assert soundfile.info(path).frames == 1_001
        assert read_tags(path).tags == WANTED

    def test_refused_where_it_is_no_wav(self, tmp_path: Path) -> None:
        path = tagged_mp3(tmp_path)
        before = path.read_bytes()
        with pytest.raises(AudioError, match="is no WAV"):
            write_tags(path, WANTED)
        assert path.read_bytes() == before

    def test_refused_where_samples_are_missing(self, tmp_path: Path) -> None:
        path = written(tmp_path / "a.wav")
        os.truncate(path, 2_000)
        with pytest.raises(AudioError, match="incomplete"):
            write_tags(path, WANTED)
        assert path.stat().st_size == 2_000

    def test_error_of_the_disk_puts_everything_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = written(tmp_path / "a.wav")
        write_tags(path, Tags(title="Old"))
        before = path.read_bytes()

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(tags.write, "_set_size", full)
        with pytest.raises(AudioError, match="No space left"):
            write_tags(path, WANTED, COVER)
        assert path.read_bytes() == before

    def test_full_disk_for_real(self, tmp_path: Path) -> None:
        if os.name == "nt" or os.geteuid() != 0:
            pytest.skip("mounting needs root")
        disk = tmp_path / "disk"
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a file system cannot be mounted here")
        try:
            path = written(disk / "a.wav", 2_000)
            before = path.read_bytes()
            with pytest.raises(AudioError, match="No space left"):
                write_tags(path, WANTED, Cover(data=picture(side=400, noise=True), mime="image/jpeg"))
            assert path.read_bytes() == before
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        words=st.lists(
            st.text(alphabet=st.characters(exclude_categories=["C", "Z"], min_codepoint=33), max_size=40),
            min_size=4,
            max_size=4,
        )
    )
    def test_any_text_is_read_back(self, tmp_path: Path, words: list[str]) -> None:
        path = tmp_path / "a.wav"
        if not path.exists():
            written(path)
        cleaned = [tags.text.clean(word, 1_000) for word in words]
        wanted = Tags(**dict(zip(("title", "artist", "comment", "lyrics"), cleaned, strict=True)))
        write_tags(path, wanted)
        found = read_tags(path).tags
        assert (found.title, found.artist, found.comment, found.lyrics) == tuple(cleaned)
