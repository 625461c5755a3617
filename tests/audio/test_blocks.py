"""Reading by blocks, from files of any length."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from bridge import audio
from bridge.audio import Audio, AudioWriter, open_audio, probe, read_audio, write_audio
from bridge.values import SampleFormat
from tests.audio.support import RATE_HZ
from tests.encoded_media import chunk, song


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
