"""PCM files: what is read is what lies in them, and a part is never taken for the whole."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.audio import Audio, open_audio, probe, read_audio, write_audio
from bridge.errors import AudioError
from bridge.values import SampleFormat
from tests.audio.support import MOST_FRAMES_A_BYTE, RATE_HZ
from tests.encoded_media import chunk, encode, song, wav


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
