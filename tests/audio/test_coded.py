"""Coded files: the song, in its place and at its length."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bridge.audio import open_audio, probe, read_audio
from bridge.errors import AudioError
from tests.audio.support import CODED, FRAMES, RATE_HZ, SHARED, level_db
from tests.encoded_media import encode, lag_frames, song


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
