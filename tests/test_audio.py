"""Audio files: what is read is what lies in them, and what is written is exactly what was given."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge import audio
from bridge.audio import (
    PARTIAL_PATTERN,
    Audio,
    AudioWriter,
    fold_to_stereo,
    open_audio,
    probe,
    read_audio,
    write_audio,
)
from bridge.errors import AudioError
from bridge.values import SampleFormat
from tests.encoded_media import chunk, encode, lag_frames, song, wav

RATE_HZ = 44_100
FRAMES = 100_003
MOST_FRAMES_A_BYTE = 16
"""Of any codec that a header can name; a damaged one must not make a small file a large one."""
SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"

CODED = {
    # name: encoder, packing, rate, greatest level of the difference against the original in dB
    "lame.mp3": ("libmp3lame", "fltp", 44_100, -18),
    "lame48.mp3": ("libmp3lame", "fltp", 48_000, -18),
    "aac.m4a": ("aac", "fltp", 44_100, -18),
    "aac.mp4": ("aac", "fltp", 48_000, -18),
    "alac16.m4a": ("alac", "s16p", 44_100, -85),
    "alac24.m4a": ("alac", "s32p", 44_100, -130),
    "opus.opus": ("libopus", "flt", 48_000, -10),
    "opus.webm": ("libopus", "flt", 48_000, -10),
    "opus.ogg": ("libopus", "flt", 48_000, -10),
    "flac16.flac": ("flac", "s16", 44_100, -85),
    "flac24.flac": ("flac", "s32", 44_100, -130),
}


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of each coded format, all of the same song."""
    folder = tmp_path_factory.mktemp("coded")
    made = {
        name: encode(folder / name, song(FRAMES, rate), rate, codec=codec, packing=packing)
        for name, (codec, packing, rate, _) in CODED.items()
    }
    import soundfile

    made["vorbis.ogg"] = folder / "vorbis.ogg"
    soundfile.write(made["vorbis.ogg"], song(FRAMES).T, RATE_HZ, format="OGG", subtype="VORBIS")
    return made


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(max(float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))), 1e-12))


class TestAudioValue:
    def test_other_shapes_and_types_are_refused(self) -> None:
        for samples in (np.zeros(5, np.float32), np.zeros((1, 5)), np.zeros((1, 5), np.int16)):
            with pytest.raises(AudioError, match="float32 of shape"):
                Audio(samples=samples, rate_hz=RATE_HZ)

    def test_length_is_frames_over_rate(self) -> None:
        value = Audio(samples=np.zeros((2, 22_050), np.float32), rate_hz=RATE_HZ)
        assert (value.channels, value.frames, value.duration_s) == (2, 22_050, 0.5)


def pcm_bytes(kind: str, steps: np.ndarray) -> bytes:
    """Samples as a WAV holds them; ``steps`` are left-justified 32-bit integers."""
    if kind == "uint8":
        return ((steps >> 24) + 128).astype(np.uint8).tobytes()
    if kind == "int24":
        return steps.astype("<i4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes()
    if kind.startswith("float"):
        return (steps / 2**31).astype("<f4" if kind == "float32" else "<f8").tobytes()
    return (steps >> (32 - int(kind[3:]))).astype("<i" + str(int(kind[3:]) // 8)).tobytes()


KINDS = [
    ("uint8", 1, 8),
    ("int16", 1, 16),
    ("int24", 1, 24),
    ("int32", 1, 32),
    ("float32", 3, 32),
    ("float64", 3, 64),
]


class TestReadingPcm:
    @pytest.mark.parametrize(("kind", "tag", "bits"), KINDS, ids=[k for k, _, _ in KINDS])
    @pytest.mark.parametrize("mask", [-1, 3], ids=["plain", "extensible"])
    def test_every_step_is_read_exactly(
        self, tmp_path: Path, kind: str, tag: int, bits: int, mask: int
    ) -> None:
        """Value by value, against integers divided by full scale."""
        steps = np.random.default_rng(1).integers(-(2**31), 2**31, 2_002, dtype=np.int64)
        steps[:2] = -(2**31), 2**31 - 1
        if bits < 32:
            steps = (steps >> (32 - bits)) << (32 - bits)
        path = tmp_path / "a.wav"
        path.write_bytes(wav(pcm_bytes(kind, steps), tag=tag, bits=bits, channels=2, mask=mask))
        found = read_audio(path)
        assert np.array_equal(found.samples, (steps / 2**31).astype(np.float32).reshape(-1, 2).T)
        info = probe(path)
        assert (info.container, info.codec, info.frames) == ("wav", f"pcm_{kind}", 1_001)
        assert info.bits == (bits if tag == 1 else 0)
        assert not info.is_lossy
        assert info.layout == ("stereo" if mask == 3 else "")

    @pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    @pytest.mark.parametrize("container", ["AIFF", "WAV", "WAVEX", "RF64"])
    def test_files_of_another_writer(self, tmp_path: Path, container: str, subtype: str) -> None:
        """libsndfile wrote them, libsndfile's own reading is the reference."""
        import soundfile

        if subtype == "PCM_S8" and container != "AIFF":
            subtype = "PCM_U8"
        path = tmp_path / "a.aiff"
        soundfile.write(path, song(5_001, 48_000, 3).T, 48_000, format=container, subtype=subtype)
        wanted, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        found = read_audio(path)
        assert found.rate_hz == rate_hz
        assert np.array_equal(found.samples, wanted.T)

    @pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 88_200, 96_000, 192_000])
    def test_aiff_states_its_rate_as_an_extended_float(self, tmp_path: Path, rate_hz: int) -> None:
        import soundfile

        soundfile.write(tmp_path / "a.aif", np.zeros(10), rate_hz, format="AIFF")
        assert probe(tmp_path / "a.aif").rate_hz == rate_hz

    def test_little_endian_aifc(self, tmp_path: Path) -> None:
        """The `sowt` coding of Apple's tools."""
        common = struct.pack(">HIH", 1, 3, 16) + bytes.fromhex("400eac44000000000000") + b"sowt\0\0"
        data = struct.pack(">II", 0, 0) + struct.pack("<3h", 1, -2, 32_767)
        body = b"AIFC" + chunk(b"COMM", common, ">") + chunk(b"SSND", data, ">")
        (tmp_path / "a.aif").write_bytes(b"FORM" + struct.pack(">I", len(body)) + body)
        assert read_audio(tmp_path / "a.aif").samples.tolist() == [[1 / 32768, -2 / 32768, 32767 / 32768]]

    def test_other_chunks_before_and_after(self, tmp_path: Path) -> None:
        """bext and odd LIST before, id3 after; the samples end where the data chunk ends."""
        before = chunk(b"bext", bytes(602)) + chunk(b"LIST", b"INFOINAM\x03\0\0\0abc")
        path = tmp_path / "a.wav"
        path.write_bytes(wav(b"\1\0\2\0\3\0", before=before, after=chunk(b"id3 ", b"ID3" + bytes(99))))
        assert (read_audio(path).samples * 32768).tolist() == [[1, 2, 3]]

    def test_odd_chunk_without_its_pad_byte(self, tmp_path: Path) -> None:
        before = chunk(b"LIST", b"abc")[:-1]
        (tmp_path / "a.wav").write_bytes(wav(b"\1\0", before=before))
        assert read_audio(tmp_path / "a.wav").frames == 1

    def test_odd_data_is_padded(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=song(3, channels=1), rate_hz=8_000), SampleFormat.INT24)
        data = (tmp_path / "a.wav").read_bytes()
        assert len(data) % 2 == 0
        assert struct.unpack("<I", data[4:8])[0] == len(data) - 8

    def test_compressed_wav_is_decoded(self, tmp_path: Path) -> None:
        encode(tmp_path / "a.wav", song(20_000), RATE_HZ, codec="adpcm_ms", packing="s16")
        found = read_audio(tmp_path / "a.wav")
        assert abs(found.frames - 20_000) < 2_048
        assert probe(tmp_path / "a.wav").is_lossy

    def test_nan_is_passed_on(self, tmp_path: Path) -> None:
        data = np.array([0, np.nan, np.inf], "<f4").tobytes()
        (tmp_path / "a.wav").write_bytes(wav(data, tag=3, bits=32))
        assert np.array_equal(read_audio(tmp_path / "a.wav").samples, [[0, np.nan, np.inf]], equal_nan=True)

    def test_float64_past_the_range_of_float32(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(wav(np.array([1e300], "<f8").tobytes(), tag=3, bits=64))
        assert read_audio(tmp_path / "a.wav").samples.tolist() == [[float("inf")]]

    @pytest.mark.parametrize("frames", [0, 1])
    def test_no_frame_and_one_frame(self, tmp_path: Path, frames: int) -> None:
        """A properly written file of no length is no error here; whether it is a song, others decide."""
        (tmp_path / "a.wav").write_bytes(wav(bytes(2 * frames), after=chunk(b"LIST", b"INFO")))
        found = read_audio(tmp_path / "a.wav")
        assert found.samples.shape == (1, frames)
        assert probe(tmp_path / "a.wav").frames == frames

    @pytest.mark.parametrize(
        ("mask", "channels", "layout"),
        [
            (0x3F, 6, "5.1"),
            (0x60F, 6, "5.1(side)"),
            (0x63F, 8, "7.1"),
            (0x33, 4, "quad"),
            (4, 1, "mono"),
            (0, 8, ""),
            (0x3F, 8, ""),
        ],
    )
    def test_channel_mask_names_the_layout(
        self, tmp_path: Path, mask: int, channels: int, layout: str
    ) -> None:
        (tmp_path / "a.wav").write_bytes(wav(bytes(2 * channels), channels=channels, mask=mask))
        assert probe(tmp_path / "a.wav").layout == layout


class TestIncompletePcm:
    def test_wav_cut_short_is_refused(self, tmp_path: Path) -> None:
        """A download that stopped half-way: never silently a shorter song."""
        write_audio(tmp_path / "a.wav", Audio(samples=song(RATE_HZ), rate_hz=RATE_HZ))
        whole = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "half.wav").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(AudioError, match=r"half\.wav is incomplete: found 0\.50 s of 1\.00 s"):
            open_audio(tmp_path / "half.wav")

    def test_aiff_cut_short_is_refused(self, tmp_path: Path) -> None:
        import soundfile

        soundfile.write(tmp_path / "a.aiff", song(RATE_HZ).T, RATE_HZ)
        whole = (tmp_path / "a.aiff").read_bytes()
        (tmp_path / "a.aiff").write_bytes(whole[: len(whole) // 4])
        with pytest.raises(AudioError, match=r"found 0\.25 s of 1\.00 s"):
            open_audio(tmp_path / "a.aiff")

    def test_slip_of_a_header_is_forgiven(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(wav(bytes(2_000), data_size=2_036))
        assert read_audio(tmp_path / "a.wav").frames == 1_000

    @pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000], ids=hex)
    def test_length_left_open_by_a_stream(self, tmp_path: Path, size: int) -> None:
        (tmp_path / "a.wav").write_bytes(wav(bytes(2_001), data_size=size))
        assert read_audio(tmp_path / "a.wav").frames == 1_000

    def test_header_that_was_never_finished(self, tmp_path: Path) -> None:
        """What a recorder writes first and corrects at its end."""
        (tmp_path / "a.wav").write_bytes(wav(b"\1\2" * 5_000, data_size=0))
        with pytest.raises(AudioError, match="still being written"):
            open_audio(tmp_path / "a.wav")

    @pytest.mark.parametrize("cut", [12, 20, 30, 44])
    def test_header_cut_short(self, tmp_path: Path, cut: int) -> None:
        (tmp_path / "a.wav").write_bytes(wav(bytes(2_000))[:cut])
        with pytest.raises(AudioError, match=r"a\.wav (cannot be decoded|is incomplete)"):
            open_audio(tmp_path / "a.wav")

    @pytest.mark.parametrize(("channels", "rate_hz"), [(0, 44_100), (2, 0)])
    def test_impossible_format(self, tmp_path: Path, channels: int, rate_hz: int) -> None:
        (tmp_path / "a.wav").write_bytes(wav(bytes(2_000), channels=channels, rate_hz=rate_hz))
        with pytest.raises(AudioError, match="header states"):
            open_audio(tmp_path / "a.wav")

    def test_file_cut_while_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        write_audio(path, Audio(samples=song(300_000), rate_hz=RATE_HZ))
        with open_audio(path) as reader:
            reader.read(1_000)
            os.truncate(path, 1_000_000)
            with pytest.raises(AudioError, match="incomplete"):
                list(reader.blocks())

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(place=56, byte=56, cut=3)  # names a speech codec, of which each byte is 12 frames
    @given(place=st.integers(0, 79), byte=st.integers(0, 255), cut=st.integers(0, 400))
    def test_damaged_headers_never_crash(self, tmp_path: Path, place: int, byte: int, cut: int) -> None:
        data = bytearray(wav(bytes(200), before=chunk(b"JUNK", bytes(28))))
        data[place] = byte
        (tmp_path / "a.wav").write_bytes(data[: len(data) - cut] or b"R")
        try:
            assert read_audio(tmp_path / "a.wav").frames <= len(data) * MOST_FRAMES_A_BYTE
        except AudioError as error:
            assert "a.wav" in error.message  # noqa: PT017 - either outcome is right


class TestReadingCoded:
    @pytest.mark.parametrize("name", [*CODED, "vorbis.ogg"])
    def test_true_length_and_no_shift(self, coded: dict[str, Path], name: str) -> None:
        """Encoder delay and padding are cut: as many frames as were encoded, each where it was."""
        codec, _, rate_hz, worst_db = CODED.get(name, ("vorbis", "", RATE_HZ, -15))
        wanted = song(FRAMES, rate_hz)
        found = read_audio(coded[name])
        info = probe(coded[name])
        assert found.rate_hz == info.rate_hz == rate_hz
        assert lag_frames(found.samples[0], wanted[0]) == 0
        assert found.frames == FRAMES
        assert info.frames == (FRAMES if name != "opus.webm" else pytest.approx(FRAMES, abs=400))
        assert info.is_lossy == (not codec.startswith(("alac", "flac")))
        assert level_db(found.samples - wanted) < worst_db + level_db(wanted)

    def test_lossless_bits_are_those_of_the_source(self, coded: dict[str, Path]) -> None:
        bits = {name: probe(coded[name]).bits for name in coded}
        assert (bits["flac16.flac"], bits["alac16.m4a"]) == (16, 16)
        assert (bits["flac24.flac"], bits["alac24.m4a"]) == (24, 24)
        assert bits["lame.mp3"] == bits["vorbis.ogg"] == 0

    @pytest.mark.parametrize("name", ["flac16.flac", "alac16.m4a"])
    def test_lossless_is_exact(self, coded: dict[str, Path], name: str) -> None:
        steps = read_audio(coded[name]).samples * 2.0**15
        assert np.array_equal(steps, np.rint(steps))
        assert np.abs(steps / 2.0**15 - song(FRAMES)).max() <= 0.5001 / 2**15

    @pytest.mark.parametrize("frames", [47, 100, 1_151, 1_152, 1_153, 2_305, 44_100])
    @pytest.mark.parametrize("rate_hz", [22_050, 44_100])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_mp3_of_any_length(self, tmp_path: Path, frames: int, rate_hz: int, channels: int) -> None:
        """As LAME itself writes it, also MPEG-2 rates and mono, where the Xing header lies elsewhere."""
        import soundfile

        path = tmp_path / "a.mp3"
        samples = song(frames, rate_hz, channels)
        soundfile.write(path, samples.T, rate_hz, format="MP3", subtype="MPEG_LAYER_III")
        assert probe(path).frames == frames
        assert read_audio(path).samples.shape == samples.shape

    def test_mp3_without_a_header_of_its_length(self, tmp_path: Path) -> None:
        """Nothing says what to cut: whole packets, late by the encoder's delay."""
        path = encode(
            tmp_path / "a.mp3", song(FRAMES), RATE_HZ, codec="libmp3lame", options={"write_xing": "0"}
        )
        found = read_audio(path)
        assert found.frames % 1_152 == 0
        assert 0 <= found.frames - FRAMES <= 3 * 1_152
        assert lag_frames(found.samples[0], song(FRAMES)[0]) == 1_105

    def test_mp3_with_megabytes_of_tags(self, coded: dict[str, Path], tmp_path: Path) -> None:
        from mutagen.id3 import APIC, ID3, TIT2

        path = tmp_path / "a.mp3"
        path.write_bytes(coded["lame.mp3"].read_bytes())
        tags = ID3()
        tags.add(TIT2(text=["Title"]))
        tags.add(APIC(mime="image/png", type=3, data=os.urandom(6_000_000)))
        tags.save(path)
        assert probe(path).frames == read_audio(path).frames == FRAMES
        assert np.array_equal(read_audio(path).samples, read_audio(coded["lame.mp3"]).samples)

    @pytest.mark.parametrize("name", ["lame.mp3", "aac.m4a", "vorbis.ogg", "opus.opus", "flac24.flac"])
    @pytest.mark.parametrize("frames", [1, 997, 70_000])
    def test_same_samples_for_any_block_size(self, coded: dict[str, Path], name: str, frames: int) -> None:
        wanted = read_audio(coded[name]).samples[:, : 3_000 if frames == 1 else None]
        with open_audio(coded[name]) as reader:
            found = [reader.read(frames) for _ in range(-(-wanted.shape[1] // frames))]
        assert all(block.dtype == np.float32 and block.flags.c_contiguous for block in found)
        assert np.array_equal(np.concatenate(found, axis=1)[:, : wanted.shape[1]], wanted)

    @pytest.mark.parametrize("name", ["lame.mp3", "aac.m4a", "opus.webm", "flac16.flac"])
    def test_seek_is_exact(self, coded: dict[str, Path], name: str) -> None:
        wanted = read_audio(coded[name]).samples
        with open_audio(coded[name]) as reader:
            for start in (50_001, 0, 99_000, 1_152):
                reader.seek(start)
                assert np.array_equal(reader.read(500), wanted[:, start : start + 500])
            reader.seek(FRAMES + 10)
            assert reader.read(500).shape == (2, 0)

    def test_movie_with_sound_gives_its_sound(self, tmp_path: Path) -> None:
        """Suno's video download."""
        self._movie(tmp_path / "a.mp4", has_sound=True)
        assert read_audio(tmp_path / "a.mp4").frames == pytest.approx(22_050, abs=2_048)

    def test_movie_without_sound(self, tmp_path: Path) -> None:
        self._movie(tmp_path / "a.mp4", has_sound=False)
        with pytest.raises(AudioError, match=r"a\.mp4 has no audio stream"):
            open_audio(tmp_path / "a.mp4")

    @staticmethod
    def _movie(path: Path, has_sound: bool) -> None:
        import av

        with av.open(str(path), "w") as out:
            picture = out.add_stream("mpeg4", rate=25)
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
            sound = out.add_stream("aac", rate=RATE_HZ, layout="stereo") if has_sound else None
            for _ in range(12):
                out.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")))
            out.mux(picture.encode(None))
            if sound is not None:
                frame = av.AudioFrame.from_ndarray(song(22_050), format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = RATE_HZ, 0
                out.mux(sound.encode(frame))
                out.mux(sound.encode(None))

    def test_surround_keeps_its_layout(self, tmp_path: Path) -> None:
        path = encode(
            tmp_path / "a.flac", song(9_000, channels=6), RATE_HZ, codec="flac", packing="s16", layout="5.1"
        )
        info = probe(path)
        assert (info.channels, info.layout) == (6, "5.1")

    @pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data beside the checkout")
    def test_real_mp3(self) -> None:
        path = SHARED / "audio" / "demucs_test.mp3"
        assert read_audio(path).frames == probe(path).frames


class TestDamagedCoded:
    @pytest.mark.parametrize("name", [*sorted(CODED), "vorbis.ogg"])
    @pytest.mark.parametrize("share", [0.3, 0.7])
    def test_file_cut_short_is_refused(
        self, coded: dict[str, Path], tmp_path: Path, name: str, share: float
    ) -> None:
        whole = coded[name].read_bytes()
        path = tmp_path / name
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(AudioError, match=f"{name} (is incomplete|cannot be decoded)"):
            read_audio(path)

    def test_mp4_with_its_index_first_is_refused_when_cut(self, tmp_path: Path) -> None:
        path = encode(
            tmp_path / "a.m4a", song(FRAMES), RATE_HZ, codec="aac", options={"movflags": "faststart"}
        )
        assert read_audio(path).frames == FRAMES
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(AudioError, match=r"found 1\.\d\d s of 2\.27 s"):
            read_audio(path)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    @pytest.mark.parametrize("name", ["lame.mp3", "aac.m4a", "vorbis.ogg", "opus.webm", "flac24.flac"])
    def test_damage_anywhere_is_an_audio_error_or_audio(
        self, coded: dict[str, Path], tmp_path: Path, name: str, data: st.DataObject
    ) -> None:
        whole = coded[name].read_bytes()
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 3))):
            near_an_end = st.integers(0, 1_500) | st.integers(len(whole) - 1_500, len(whole) - 4)
            place = data.draw(near_an_end)
            damaged[place : place + 4] = data.draw(st.binary(min_size=4, max_size=4))
        path = tmp_path / name
        path.write_bytes(damaged)
        try:
            found = read_audio(path)
        except AudioError as error:
            assert name in error.message or "decodes to" in error.message  # noqa: PT017 - either is right
        else:
            assert found.samples.dtype == np.float32
            assert found.duration_s < 60

    def test_a_flipped_bit_in_a_flac_is_told(self, coded: dict[str, Path], tmp_path: Path) -> None:
        """Its checksums are heeded: neither noise nor a gap that moves all that follows."""
        whole = coded["flac16.flac"].read_bytes()
        for place in np.random.default_rng(3).integers(9_000, len(whole) - 5_000, 12):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << int(place) % 8
            (tmp_path / "a.flac").write_bytes(damaged)
            with pytest.raises(AudioError, match=r"a\.flac"):
                read_audio(tmp_path / "a.flac")

    def test_garbage_after_the_end_is_forgiven(self, coded: dict[str, Path], tmp_path: Path) -> None:
        path = tmp_path / "a.mp3"
        path.write_bytes(coded["lame.mp3"].read_bytes() + b"TAG" + b"title".ljust(125, b"\0"))
        assert read_audio(path).frames == FRAMES

    @pytest.mark.parametrize("name", ["lame.mp3", "aac.m4a", "flac16.flac", "vorbis.ogg"])
    def test_hole_in_the_middle_never_shifts_the_rest(
        self, coded: dict[str, Path], tmp_path: Path, name: str
    ) -> None:
        """Either refused, or every frame that is not in the hole where it belongs."""
        data = bytearray(coded[name].read_bytes())
        middle = len(data) // 2
        data[middle : middle + 2_000] = np.random.default_rng(3).bytes(2_000)
        path = tmp_path / name
        path.write_bytes(data)
        try:
            found = read_audio(path).samples[0]
        except AudioError as error:
            assert name in error.message  # noqa: PT017 - either outcome is right
        else:
            assert lag_frames(found[-20_000:], song(FRAMES)[0, -20_000:]) == 0

    @pytest.mark.parametrize(
        "content",
        [
            b"Verse 1: this is a text file with the wrong name\n" * 200,
            b"\x89PNG\r\n\x1a\n" + bytes(2_000),
            b"%PDF-1.7\n" * 100,
            bytes(10_000),
            np.random.default_rng(5).bytes(50_000),
            b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10),
            b"OggS",
            b"fLaC",
            b"RIFF",
        ],
        ids=["text", "png", "pdf", "zeros", "noise", "only-tags", "only-ogg", "only-flac", "only-riff"],
    )
    @pytest.mark.parametrize("suffix", [".mp3", ".wav", ".m4a"])
    def test_wrong_type_with_an_audio_name(self, tmp_path: Path, content: bytes, suffix: str) -> None:
        path = tmp_path / f"song{suffix}"
        path.write_bytes(content)
        with pytest.raises(AudioError, match=f"song{suffix}.*(download|Export)"):
            read_audio(path)

    def test_zip_with_an_audio_name(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "song.mp3", "w") as archive:
            archive.writestr("a.txt", "x" * 5_000)
        with pytest.raises(AudioError, match=r"song\.mp3"):
            read_audio(tmp_path / "song.mp3")

    @pytest.mark.parametrize(
        "content",
        [
            "ffconcat version 1.0\nfile 'secret.mp3'\n",
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nsecret.mp3\n",
        ],
        ids=["concat", "hls"],
    )
    def test_play_lists_open_no_other_file(
        self, coded: dict[str, Path], tmp_path: Path, content: str
    ) -> None:
        (tmp_path / "secret.mp3").write_bytes(coded["lame.mp3"].read_bytes())
        (tmp_path / "song.mp3").write_text(content)
        with pytest.raises(AudioError, match=r"song\.mp3 cannot be decoded"):
            read_audio(tmp_path / "song.mp3")

    def test_right_type_with_a_wrong_name(self, coded: dict[str, Path], tmp_path: Path) -> None:
        """The bytes decide."""
        (tmp_path / "a.wav").write_bytes(coded["lame.mp3"].read_bytes())
        (tmp_path / "b.mp3").write_bytes(wav(bytes(200)))
        assert probe(tmp_path / "a.wav").codec == "mp3"
        assert probe(tmp_path / "b.mp3").frames == 100

    def test_empty_missing_folder_and_forbidden(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp3").touch()
        with pytest.raises(AudioError, match="is empty"):
            open_audio(tmp_path / "empty.mp3")
        with pytest.raises(AudioError, match="No such file"):
            open_audio(tmp_path / "missing.mp3")
        with pytest.raises(AudioError, match="cannot be opened"):
            open_audio(tmp_path)
        with pytest.raises(AudioError, match="cannot be opened"):
            open_audio(tmp_path / ("x" * 300 + ".mp3"))

    def test_names_of_all_kinds(self, coded: dict[str, Path], tmp_path: Path) -> None:
        """Emoji, right-to-left, percent signs, colons, 255 bytes, and bytes that are no UTF-8."""
        names = ["🎵🔥.mp3", "أغنية.mp3", "100%d.mp3", "-i.mp3", "x" * 251 + ".mp3"]
        if os.name != "nt":
            names += ["http:a.mp3", "concat:a|b.mp3", os.fsdecode(b"caf\xe9.mp3")]
        for name in names:
            path = tmp_path / name
            path.write_bytes(coded["lame.mp3"].read_bytes())
            assert read_audio(path).frames == FRAMES, name

    def test_no_noise_on_the_terminal(self, coded: dict[str, Path], tmp_path: Path) -> None:
        path = tmp_path / "a.mp3"
        path.write_bytes(coded["lame.mp3"].read_bytes()[:20_000] + os.urandom(20_000))
        script = (
            "import sys, pathlib\nfrom bridge.audio import read_audio\nfrom bridge.errors import AudioError\n"
            "try:\n    read_audio(pathlib.Path(sys.argv[1]))\nexcept AudioError:\n    pass\n"
        )
        done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True)
        assert done.stderr == done.stdout == b""


class TestBlocks:
    @pytest.mark.parametrize("sample_format", SampleFormat)
    def test_same_samples_for_any_block_size(self, tmp_path: Path, sample_format: SampleFormat) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=song(10_001), rate_hz=RATE_HZ), sample_format)
        wanted = read_audio(tmp_path / "a.wav").samples
        for frames in (1_000, 9_999, 10_001, 65_536):
            with open_audio(tmp_path / "a.wav") as reader:
                found = list(reader.blocks(frames))
            assert np.array_equal(np.concatenate(found, axis=1), wanted)
            assert all(block.flags.c_contiguous and block.dtype == np.float32 for block in found)

    def test_seek_and_part(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=song(10_001), rate_hz=RATE_HZ))
        with open_audio(tmp_path / "a.wav") as reader:
            reader.seek(9_000)
            assert np.array_equal(reader.read(5_000), song(10_001)[:, 9_000:])
            reader.seek(3)
            assert np.array_equal(reader.read(2), song(10_001)[:, 3:5])
            reader.seek(20_000)
            assert reader.read(5).shape == (2, 0)
        part = read_audio(tmp_path / "a.wav", start=100, frames=50)
        assert np.array_equal(part.samples, song(10_001)[:, 100:150])

    def test_memory_does_not_grow_with_the_song(self, tmp_path: Path) -> None:
        """Ten times the length, the same peak."""
        peaks = []
        for frames in (200_000, 2_000_000):
            with AudioWriter(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=2, is_durable=False) as out:
                for _ in range(frames // 100_000):
                    out.write(np.zeros((2, 100_000), np.float32))
            tracemalloc.start()
            with open_audio(tmp_path / "a.wav") as reader:
                assert sum(block.shape[1] for block in reader.blocks()) == frames
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.1 * peaks[0]
        assert peaks[1] < 5_000_000


class TestWriting:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=50),
        bits=st.sampled_from([16, 24]),
    )
    def test_integers_survive_exactly(self, tmp_path: Path, steps: list[int], bits: int) -> None:
        """Written, read, written: the same steps and the same bytes."""
        sample_format = SampleFormat.INT24 if bits == 24 else SampleFormat.INT16
        wanted = np.array([[step >> (24 - bits) for step in steps]]) / 2 ** (bits - 1)
        for name in ("a.wav", "b.wav"):
            write_audio(tmp_path / name, Audio(samples=np.float32(wanted), rate_hz=RATE_HZ), sample_format)
            found = read_audio(tmp_path / name).samples
            assert np.array_equal(found, wanted)
            wanted = found
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    @pytest.mark.parametrize(("sample_format", "bits"), [(SampleFormat.INT16, 16), (SampleFormat.INT24, 24)])
    def test_rounded_to_the_nearest_step_and_clipped(
        self, tmp_path: Path, sample_format: SampleFormat, bits: int
    ) -> None:
        samples = song(20_000) * 4
        write_audio(tmp_path / "a.wav", Audio(samples=samples, rate_hz=RATE_HZ), sample_format)
        found = read_audio(tmp_path / "a.wav").samples.astype(np.float64)
        step = 2.0 ** (1 - bits)
        assert np.abs(found - np.clip(samples.astype(np.float64), -1, 1 - step)).max() <= step / 2
        assert (found.min(), found.max()) == (-1, 1 - step)

    def test_float_is_kept_bit_for_bit(self, tmp_path: Path) -> None:
        samples = np.array([[0.0, -0.0, 1e-40, 3.5, -7.25, np.pi]], np.float32)
        write_audio(tmp_path / "a.wav", Audio(samples=samples, rate_hz=RATE_HZ))
        assert read_audio(tmp_path / "a.wav").samples.tobytes() == samples.tobytes()

    @pytest.mark.parametrize("sample_format", SampleFormat)
    @pytest.mark.parametrize("channels", [1, 2, 3])
    def test_others_read_what_is_written(
        self, tmp_path: Path, sample_format: SampleFormat, channels: int
    ) -> None:
        """libsndfile, FFmpeg and JUCE agree about every sample."""
        import av
        import soundfile
        from pedalboard.io import AudioFile

        path = tmp_path / "a.wav"
        write_audio(path, Audio(samples=song(5_001, 48_000, channels), rate_hz=48_000), sample_format)
        wanted = read_audio(path).samples
        read, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        assert rate_hz == 48_000
        assert np.array_equal(read.T, wanted)
        with AudioFile(str(path)) as file:
            # JUCE scales integers by one step less than full scale
            assert np.abs(file.read(file.frames) - wanted).max() < 2.0**-15
        with av.open(str(path)) as file:
            frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
        assert sum(frame.shape[1] for frame in frames) == 5_001 * channels

    def test_transposed_and_strided_samples(self, tmp_path: Path) -> None:
        samples = np.asfortranarray(song(2_000))[:, ::2]
        write_audio(tmp_path / "a.wav", Audio(samples=samples, rate_hz=RATE_HZ))
        assert np.array_equal(read_audio(tmp_path / "a.wav").samples, samples)

    def test_block_sizes_give_the_same_bytes(self, tmp_path: Path) -> None:
        samples = song(10_000)
        write_audio(tmp_path / "a.wav", Audio(samples=samples, rate_hz=RATE_HZ), SampleFormat.INT24)
        with AudioWriter(
            tmp_path / "b.wav", rate_hz=RATE_HZ, channels=2, sample_format=SampleFormat.INT24
        ) as out:
            for start in range(0, 10_000, 333):
                out.write(samples[:, start : start + 333])
            out.write(samples[:, :0])
            assert out.frames == 10_000
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_nothing_written_is_a_file_of_no_frames(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=np.zeros((2, 0), np.float32), rate_hz=RATE_HZ))
        assert read_audio(tmp_path / "a.wav").samples.shape == (2, 0)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_integers_cannot_hold_nan(self, tmp_path: Path, bad: float) -> None:
        samples = np.full((1, 10), bad, np.float32)
        with pytest.raises(AudioError, match="NaN or infinite"):
            write_audio(tmp_path / "a.wav", Audio(samples=samples, rate_hz=RATE_HZ), SampleFormat.INT24)
        assert list(tmp_path.iterdir()) == []

    def test_wrong_number_of_channels(self, tmp_path: Path) -> None:
        with (
            pytest.raises(AudioError, match=r"shape \(2, frames\); found \(1, 5\)"),
            AudioWriter(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=2) as out,
        ):
            out.write(np.zeros((1, 5), np.float32))
        assert list(tmp_path.iterdir()) == []


class TestLongFiles:
    @pytest.mark.parametrize("sample_format", SampleFormat)
    def test_header_becomes_rf64_past_the_limit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_format: SampleFormat
    ) -> None:
        """With the limit lowered: same samples, and libsndfile calls it RF64."""
        import soundfile

        monkeypatch.setattr(audio.writer, "RIFF_LIMIT_BYTES", 10_000)
        write_audio(tmp_path / "a.wav", Audio(samples=song(9_001), rate_hz=RATE_HZ), sample_format)
        data = (tmp_path / "a.wav").read_bytes()
        assert data[:4] == b"RF64"
        assert data[12:16] == b"ds64"
        assert struct.unpack("<QQQ", data[20:44])[0] == len(data) - 8
        assert soundfile.info(tmp_path / "a.wav").format == "RF64"
        assert soundfile.info(tmp_path / "a.wav").frames == 9_001
        found = read_audio(tmp_path / "a.wav").samples
        assert np.array_equal(found, soundfile.read(tmp_path / "a.wav", dtype="float32")[0].T)

    def test_short_files_stay_riff(self, tmp_path: Path) -> None:
        write_audio(tmp_path / "a.wav", Audio(samples=song(10), rate_hz=RATE_HZ))
        data = (tmp_path / "a.wav").read_bytes()
        assert data[:4] == b"RIFF"
        assert struct.unpack("<I", data[4:8])[0] == len(data) - 8

    def test_reading_past_four_gibibytes_of_a_sparse_file(self, tmp_path: Path) -> None:
        """A hole costs no disk; one sample lies at its end."""
        frames = 2_300_000_000
        head = struct.pack(
            "<4sI4s4sIQQQI", b"RF64", 0xFFFFFFFF, b"WAVE", b"ds64", 28, 0, 2 * frames, frames, 0
        )
        form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16))
        start = head + form + struct.pack("<4sI", b"data", 0xFFFFFFFF)
        with (tmp_path / "a.wav").open("wb") as file:
            file.write(start)
            try:
                file.seek(len(start) + 2 * frames - 2)
                file.write(struct.pack("<h", 16_384))
            except OSError:
                pytest.skip("this file system cannot hold a sparse file of 4.6 GB")
        assert probe(tmp_path / "a.wav").frames == frames
        assert read_audio(tmp_path / "a.wav", start=frames - 2).samples.tolist() == [[0, 0.5]]

    @pytest.mark.slow
    def test_four_gibibytes_written_and_read(self, tmp_path: Path) -> None:
        block = song(1_000_000)
        with AudioWriter(tmp_path / "a.wav", rate_hz=192_000, channels=2, is_durable=False) as out:
            for _ in range(540):
                out.write(block)
        assert (tmp_path / "a.wav").stat().st_size > 2**32
        with (tmp_path / "a.wav").open("rb") as file:
            assert file.read(4) == b"RF64"
        with open_audio(tmp_path / "a.wav") as reader:
            assert reader.info.frames == 540_000_000
            reader.seek(539_000_000)
            assert np.array_equal(reader.read(1_000_000), block)


class TestAtomicWriting:
    def test_file_appears_only_when_whole(self, tmp_path: Path) -> None:
        with AudioWriter(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=2) as out:
            out.write(song(1_000))
            assert not (tmp_path / "a.wav").exists()
            assert len(list(tmp_path.glob(PARTIAL_PATTERN))) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
    def test_error_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Path, error: type[BaseException]
    ) -> None:
        (tmp_path / "a.wav").write_bytes(b"older")
        out = AudioWriter(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=2)
        with contextlib.suppress(error), out:
            out.write(song(1_000))
            raise error
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
        assert (tmp_path / "a.wav").read_bytes() == b"older"

    def test_older_file_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(b"older")
        write_audio(tmp_path / "a.wav", Audio(samples=song(10), rate_hz=RATE_HZ))
        assert read_audio(tmp_path / "a.wav").frames == 10

    def test_full_disk(self, tmp_path: Path) -> None:
        """A limit on the size of files, in a child process, stands for the disk: the write fails half-way."""
        if os.name == "nt":
            pytest.skip("Windows has no limit on the size of files")
        script = (
            "import sys, pathlib, resource, signal, numpy as np\nfrom bridge.audio import AudioWriter\n"
            "from bridge.errors import AudioError\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
            "try:\n"
            "    with AudioWriter(pathlib.Path(sys.argv[1]), rate_hz=44100, channels=2) as out:\n"
            "        for _ in range(40): out.write(np.zeros((2, 10_000), np.float32))\n"
            "except AudioError as error:\n    print(error.message)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "a.wav")],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "a.wav could not be written" in done.stdout
        assert "free some space" in done.stdout
        assert done.stderr == ""
        assert list(tmp_path.iterdir()) == []

    def test_full_disk_for_real(self, tmp_path: Path) -> None:
        """A small file system in memory, where this may be mounted."""
        if os.name == "nt" or os.geteuid() != 0:
            pytest.skip("mounting needs root")
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("a file system cannot be mounted here")
        try:
            with pytest.raises(AudioError, match=r"No space left on device\)\. .*free some space"):
                write_audio(disk / "a.wav", Audio(samples=song(100_000), rate_hz=RATE_HZ))
            assert list(disk.iterdir()) == []
            write_audio(disk / "b.wav", Audio(samples=song(1_000), rate_hz=RATE_HZ))
        finally:
            subprocess.run(["umount", str(disk)], check=True)

    def test_error_of_the_disk_at_the_last_moment(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_path: Path) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(audio.writer, "sync_file", full)
        with pytest.raises(AudioError, match="free some space"):
            write_audio(tmp_path / "a.wav", Audio(samples=song(10), rate_hz=RATE_HZ))
        assert list(tmp_path.iterdir()) == []

    def test_forbidden_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(Path, "open", forbidden)
        with pytest.raises(AudioError, match="not permitted there"):
            AudioWriter(tmp_path / "a.wav", rate_hz=RATE_HZ, channels=2)

    def test_impossible_targets_fail_before_the_first_sample(self, tmp_path: Path) -> None:
        (tmp_path / "folder.wav").mkdir()
        for path, words in [
            (tmp_path / "folder.wav", "a folder has that name"),
            (tmp_path / "no" / "a.wav", "make it first"),
            (tmp_path / ("x" * 300 + ".wav"), "name too long"),
        ]:
            with pytest.raises(AudioError, match=f"(?i){words}"):
                AudioWriter(path, rate_hz=RATE_HZ, channels=2)
        assert [path.name for path in tmp_path.iterdir()] == ["folder.wav"]


class TestFold:
    @pytest.mark.parametrize("channels", [1, 2])
    def test_mono_and_stereo_pass(self, channels: int) -> None:
        samples = song(10, channels=channels)
        assert fold_to_stereo(samples, "") is samples

    @pytest.mark.parametrize(
        ("layout", "speaker", "left", "right"),
        [
            ("5.1", 0, 1, 0),
            ("5.1", 2, 0.7071, 0.7071),
            ("5.1", 3, 0, 0),
            ("5.1", 4, 0.7071, 0),
            ("5.1(side)", 5, 0, 0.7071),
            ("7.1", 7, 0, 0.7071),
            ("quad", 2, 0.7071, 0),
            ("4.0", 3, 0.5, 0.5),
            ("2.1", 2, 0, 0),
        ],
    )
    def test_surround_by_bs775(self, layout: str, speaker: int, left: float, right: float) -> None:
        channels = {"5.1": 6, "5.1(side)": 6, "7.1": 8, "quad": 4, "4.0": 4, "2.1": 3}[layout]
        samples = np.zeros((channels, 1), np.float32)
        samples[speaker] = 1
        assert fold_to_stereo(samples, layout)[:, 0] == pytest.approx([left, right], abs=1e-4)

    @pytest.mark.parametrize("channels", [3, 5, 6, 8])
    def test_unnamed_channels_by_turns_at_equal_power(self, channels: int) -> None:
        samples = np.random.default_rng(0).standard_normal((channels, 200_000)).astype(np.float32)
        folded = fold_to_stereo(samples, "")
        assert folded.shape == (2, 200_000)
        assert folded.dtype == np.float32
        assert np.std(folded, axis=1) == pytest.approx([1, 1], rel=0.02)
        assert abs(np.corrcoef(folded)[0, 1]) < 0.02

    def test_layout_that_does_not_fit_is_taken_as_unnamed(self) -> None:
        samples = song(10, channels=8)
        assert np.array_equal(fold_to_stereo(samples, "5.1"), fold_to_stereo(samples, ""))


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync folders")
@pytest.mark.parametrize(
    ("number", "is_fine"), [(errno.EINVAL, True), (errno.ENOTSUP, True), (errno.EIO, False)]
)
def test_a_share_that_cannot_sync_folders_is_as_good_as_it_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_fine: bool
) -> None:
    """Some network shares refuse it for folders; a failing disk says something else."""

    def _refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", _refuse)
    with contextlib.nullcontext() if is_fine else pytest.raises(OSError, match=os.strerror(number)):
        audio.sync_folder(tmp_path)
