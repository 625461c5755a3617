"""Damaged coded files: told, and never much larger than they are."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.audio import open_audio, probe, read_audio
from bridge.errors import AudioError
from tests.audio.support import CODED, FRAMES, RATE_HZ
from tests.encoded_media import encode, lag_frames, song, wav


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
