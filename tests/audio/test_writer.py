"""What is written is exactly what was given, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import audio
from bridge.audio import PARTIAL_PATTERN, Audio, AudioWriter, read_audio, write_audio
from bridge.errors import AudioError
from bridge.values import SampleFormat
from tests.audio.support import RATE_HZ
from tests.encoded_media import song


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
