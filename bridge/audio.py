"""Audio in memory and in files: the only place that opens media and turns axes.

In memory audio is float32 of shape ``(channels, frames)`` with its rate attached. PCM containers (WAV, RF64,
AIFF, FLAC) are read by pedalboard, everything else by FFmpeg's libraries through PyAV, whose demuxers cut
encoder delay and padding where a file states them (LAME/Xing header, MP4 edit list, Opus pre-skip), so that the
decoded length is the true one.

More than two channels are mixed to stereo by the coefficients of ITU-R BS.775-4 table 2, the low-frequency
channel left out; a layout that the file does not name is folded by turns, odd channels left, even ones right.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bridge.errors import AudioError
from bridge.values import MediaInfo, SampleFormat

Samples = NDArray[np.float32]
BLOCK_FRAMES = 65_536

PCM_SUFFIXES = frozenset({".wav", ".wave", ".rf64", ".aif", ".aiff", ".flac"})
CODED_SUFFIXES = frozenset({".mp3", ".ogg", ".oga", ".m4a", ".mp4", ".aac", ".opus", ".webm"})
AUDIO_SUFFIXES = PCM_SUFFIXES | CODED_SUFFIXES
LOSSLESS_CODECS = frozenset({"flac", "alac", "wavpack", "ape", "tta"})


@dataclass(frozen=True, kw_only=True)
class Audio:
    """Samples with their rate: float32, shape ``(channels, frames)``, nominally within -1 to 1."""

    samples: Samples
    rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise AudioError(
                f"Audio is float32 of shape (channels, frames); found {self.samples.dtype} of shape "
                f"{self.samples.shape}. Convert it before making an Audio."
            )

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """Number of frames (samples of one channel)."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate_hz


class AudioReader(Protocol):
    """An open file that is read by blocks; a context manager."""

    info: MediaInfo

    def read(self, frames: int) -> Samples:
        """The next ``frames`` frames; fewer at the end, none (shape ``(channels, 0)``) when done."""
        ...

    def seek(self, frame: int) -> None:
        """Go to a frame counted from the start."""
        ...

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
        """All that is left, block by block."""
        ...

    def close(self) -> None:
        """Let the file go."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class _Blocks:
    """What both readers share: iteration and the context."""

    info: MediaInfo

    def read(self, frames: int) -> Samples:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
        while (block := self.read(frames)).shape[1]:
            yield block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PcmReader(_Blocks):
    """WAV, RF64, AIFF and FLAC by pedalboard, sample-exact."""

    def __init__(self, path: Path) -> None:
        from pedalboard.io import AudioFile

        try:
            self._file: Any = AudioFile(str(path))
        except (ValueError, OSError, RuntimeError) as cause:
            raise AudioError(_unreadable(path, cause)) from cause
        self._path = path
        self.info = _pcm_info(path, self._file)

    def read(self, frames: int) -> Samples:
        """The next frames, with the file's own channels."""
        left = self.info.frames - self._file.tell()
        if left <= 0:
            return np.zeros((self.info.channels, 0), np.float32)
        try:
            return np.ascontiguousarray(self._file.read(min(frames, left)), np.float32)
        except (ValueError, OSError, RuntimeError) as cause:
            raise AudioError(_unreadable(self._path, cause)) from cause

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        self._file.seek(min(frame, self.info.frames))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CodedReader(_Blocks):
    """MP3, AAC, Vorbis, Opus, ALAC in their containers by FFmpeg's libraries."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()
        self._carry: list[Samples] = []
        self._carried = 0

    def _open(self) -> None:
        import av

        try:
            self._container: Any = av.open(str(self._path), metadata_errors="ignore")
        except (av.FFmpegError, ValueError, OSError) as cause:
            raise AudioError(_unreadable(self._path, cause)) from cause
        if not self._container.streams.audio:
            self._container.close()
            raise AudioError(f"{self._path.name} has no audio stream; wanted one. Export the song as audio.")
        stream = self._container.streams.audio[0]
        stream.thread_type = "AUTO"
        self.info = _coded_info(self._container, stream)
        self._resampler = av.AudioResampler(format="fltp")
        self._decoded = self._decode()

    def _decode(self) -> Iterator[Samples]:
        import av

        try:
            for frame in self._container.decode(audio=0):
                for part in self._resampler.resample(frame):
                    samples = part.to_ndarray()
                    self._check(part, samples)
                    yield samples
        except (av.FFmpegError, ValueError, OSError) as cause:
            raise AudioError(_unreadable(self._path, cause)) from cause

    def _check(self, frame: Any, samples: Samples) -> None:
        if frame.sample_rate != self.info.rate_hz or samples.shape[0] != self.info.channels:
            raise AudioError(
                f"{self._path.name} changes within the file from {self.info.channels} channels at "
                f"{self.info.rate_hz} Hz to {samples.shape[0]} at {frame.sample_rate} Hz; wanted one format. "
                "Export it again as WAV."
            )

    def read(self, frames: int) -> Samples:
        """The next frames, with the file's own channels."""
        while self._carried < frames and (part := next(self._decoded, None)) is not None:
            self._carry.append(part)
            self._carried += part.shape[1]
        return self._take(frames)

    def _take(self, frames: int) -> Samples:
        if not self._carry:
            return np.zeros((self.info.channels, 0), np.float32)
        whole = np.concatenate(self._carry, axis=1)
        self._carry = [whole[:, frames:]] if whole.shape[1] > frames else []
        self._carried = max(0, whole.shape[1] - frames)
        return np.ascontiguousarray(whole[:, :frames], np.float32)

    def seek(self, frame: int) -> None:
        """Go to a frame: decodes from the start, since seeking in coded files is not sample-exact."""
        self.close()
        self._open()
        self._carry, self._carried = [], 0
        while frame > 0 and (part := self.read(min(frame, BLOCK_FRAMES))).shape[1]:
            frame -= part.shape[1]

    def close(self) -> None:
        """Close the container."""
        self._container.close()


def open_audio(path: Path) -> AudioReader:
    """Open any supported file for reading by blocks; AudioError where it cannot be decoded.

    The bytes decide, not the name: a file with the wrong suffix is tried with the other reader.
    """
    _expect_bytes(path)
    if _looks_like_pcm(path):
        return PcmReader(path)
    return CodedReader(path)


def probe(path: Path) -> MediaInfo:
    """What the file is; the frames of coded formats are the container's estimate."""
    with open_audio(path) as reader:
        return reader.info


def read_audio(path: Path, start: int = 0, frames: int | None = None) -> Audio:
    """Read a file, or ``frames`` frames of it from ``start``, into memory."""
    with open_audio(path) as reader:
        if start:
            reader.seek(start)
        parts = list(reader.blocks()) if frames is None else [reader.read(frames)]
        empty = np.zeros((reader.info.channels, 0), np.float32)
        return Audio(samples=np.concatenate([empty, *parts], axis=1), rate_hz=reader.info.rate_hz)


class AudioWriter(AbstractContextManager["AudioWriter"]):
    """Writes a WAV by blocks; the file appears, whole and synced, when the context ends without an error.

    Float samples pass 0 dBFS unharmed; integers are rounded to the nearest step and clipped at full scale.
    Past 4 GiB the header becomes RF64 (EBU Tech 3306).

    Raises AudioError where the disk does not take it.
    """

    def __init__(
        self, path: Path, *, rate_hz: int, channels: int, sample_format: SampleFormat = SampleFormat.FLOAT32
    ) -> None:
        self.path = path
        self.frames = 0
        self._format = sample_format
        self._partial = path.with_name(f".{uuid.uuid4().hex}.partial.wav")
        self._file = _open_wav(self._partial, rate_hz, channels, sample_format)

    def write(self, samples: Samples) -> None:
        """Append samples of shape ``(channels, frames)``."""
        if not samples.shape[1]:
            return
        try:
            self._file.write(_encoded(samples, self._format))
        except (ValueError, OSError, RuntimeError) as cause:
            raise AudioError(_unwritable(self.path, cause)) from cause
        self.frames += samples.shape[1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._commit()
        except (OSError, RuntimeError, ValueError) as cause:
            self._partial.unlink(missing_ok=True)
            raise AudioError(_unwritable(self.path, cause)) from cause

    def _commit(self) -> None:
        self._file.close()
        _expect_whole(self._partial, self.frames)
        sync_file(self._partial)
        self._partial.replace(self.path)

    def _discard(self) -> None:
        try:
            self._file.close()
        finally:
            self._partial.unlink(missing_ok=True)


def write_audio(path: Path, audio: Audio, sample_format: SampleFormat = SampleFormat.FLOAT32) -> None:
    """Write a whole Audio atomically."""
    with AudioWriter(
        path, rate_hz=audio.rate_hz, channels=audio.channels, sample_format=sample_format
    ) as out:
        out.write(audio.samples)


def fold_to_stereo(samples: Samples, layout: str) -> Samples:
    """Mix more than two channels to two; one or two pass untouched.

    A named surround layout is mixed by ITU-R BS.775-4 table 2 (centre and surrounds at -3 dB, no LFE);
    an unnamed one is folded by turns and scaled to keep the power of uncorrelated channels.
    """
    channels = samples.shape[0]
    if channels <= 2:
        return samples
    matrix = _fold_matrix(channels, layout)
    return np.asarray(matrix @ samples, np.float32)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_HALF = float(np.sqrt(0.5))
_SURROUND: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    # left and right gains in FFmpeg's channel order
    "3.0": ((1, 0, _HALF), (0, 1, _HALF)),
    "quad": ((1, 0, _HALF, 0), (0, 1, 0, _HALF)),
    "4.0": ((1, 0, _HALF, 0.5), (0, 1, _HALF, 0.5)),
    "5.0": ((1, 0, _HALF, _HALF, 0), (0, 1, _HALF, 0, _HALF)),
    "5.0(side)": ((1, 0, _HALF, _HALF, 0), (0, 1, _HALF, 0, _HALF)),
    "5.1": ((1, 0, _HALF, 0, _HALF, 0), (0, 1, _HALF, 0, 0, _HALF)),
    "5.1(side)": ((1, 0, _HALF, 0, _HALF, 0), (0, 1, _HALF, 0, 0, _HALF)),
    "7.1": ((1, 0, _HALF, 0, _HALF, 0, _HALF, 0), (0, 1, _HALF, 0, 0, _HALF, 0, _HALF)),
}


def _fold_matrix(channels: int, layout: str) -> NDArray[np.float32]:
    rows = _SURROUND.get(layout)
    if rows is not None and len(rows[0]) == channels:
        return np.asarray(rows, np.float32)
    matrix = np.zeros((2, channels), np.float32)
    matrix[0, 0::2] = 1 / np.sqrt(len(range(0, channels, 2)))
    matrix[1, 1::2] = 1 / np.sqrt(len(range(1, channels, 2)))
    return matrix


def _open_wav(path: Path, rate_hz: int, channels: int, sample_format: SampleFormat) -> Any:
    from pedalboard.io import AudioFile

    bits = {SampleFormat.FLOAT32: 32, SampleFormat.INT24: 24, SampleFormat.INT16: 16}[sample_format]
    try:
        return AudioFile(str(path), "w", rate_hz, channels, bit_depth=bits)
    except (ValueError, OSError, RuntimeError) as cause:
        raise AudioError(_unwritable(path, cause)) from cause


def _encoded(samples: Samples, sample_format: SampleFormat) -> NDArray[Any]:
    if sample_format is SampleFormat.FLOAT32:
        return np.ascontiguousarray(samples, np.float32)
    bits = 24 if sample_format is SampleFormat.INT24 else 16
    # pedalboard scales floats by 2^31 - 1, which moves every sample by a little; left-justified integers are exact
    steps = np.clip(
        np.rint(np.asarray(samples, np.float64) * 2 ** (bits - 1)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    )
    return np.ascontiguousarray(steps.astype(np.int64) << (32 - bits), dtype=np.int64).astype(np.int32)


def _expect_bytes(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as cause:
        raise AudioError(
            f"{path.name} cannot be opened: {cause.strerror}. Check the path and your permission."
        ) from cause
    if size == 0:
        raise AudioError(
            f"{path.name} is empty (0 bytes); wanted an audio file. Export or download it again."
        )


def _looks_like_pcm(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    is_wave = head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE"
    is_aiff = head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")
    return is_wave or is_aiff or head[:4] == b"fLaC"


def _expect_whole(path: Path, frames: int) -> None:
    """A full disk can end a write without an error: the header then promises more than is there."""
    if frames == 0:
        return
    with PcmReader(path) as reader:
        if reader.info.frames != frames:
            raise OSError(f"{reader.info.frames} of {frames} frames were written")


def _pcm_info(path: Path, file: Any) -> MediaInfo:
    kind = str(file.file_dtype)
    bits = {"int8": 8, "int16": 16, "int24": 24, "int32": 32}.get(kind, 0)
    suffix = path.suffix.lower().lstrip(".")
    return MediaInfo(
        container={"aif": "aiff", "wave": "wav", "rf64": "wav"}.get(suffix, suffix),
        codec=f"pcm_{kind}",
        rate_hz=int(file.samplerate),
        channels=int(file.num_channels),
        frames=int(file.frames),
        bits=bits,
        is_lossy=False,
    )


def _coded_info(container: Any, stream: Any) -> MediaInfo:
    codec = stream.codec_context.name
    rate_hz = int(stream.codec_context.sample_rate or 0)
    channels = int(stream.codec_context.channels or 0)
    if rate_hz <= 0 or channels <= 0:
        container.close()
        raise AudioError(
            "The audio stream states no rate or no channels; wanted both. Export it again as WAV."
        )
    duration_s = _duration_s(container, stream)
    is_lossy = codec not in LOSSLESS_CODECS and not codec.startswith("pcm_")
    return MediaInfo(
        container=str(container.format.name),
        codec=codec,
        rate_hz=rate_hz,
        channels=channels,
        frames=max(0, round(duration_s * rate_hz)),
        bits=0 if is_lossy else int(stream.codec_context.format.bits),
        is_lossy=is_lossy,
        layout=str(stream.codec_context.layout.name),
    )


def _duration_s(container: Any, stream: Any) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000


def _unreadable(path: Path, cause: Exception) -> str:
    return (
        f"{path.name} cannot be decoded ({str(cause).strip() or type(cause).__name__}); wanted WAV, AIFF, FLAC, MP3, OGG, "
        "M4A, OPUS or WEBM audio. Export or download it again."
    )


def _unwritable(path: Path, cause: Exception) -> str:
    return f"{path} could not be written ({cause}); check the free space and the permission of its folder."
