"""WAV written by blocks, exactly and atomically."""

from __future__ import annotations

import errno
import os
import stat
import struct
import uuid
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bridge.audio.faults import unwritable
from bridge.audio.values import Audio, Samples
from bridge.errors import AudioError
from bridge.values import SampleFormat

RIFF_LIMIT_BYTES = 0xFFFF_FFFF
PARTIAL_PATTERN = ".*.partial.wav"
"""Files that match it were left by a process that was killed while it wrote; they may be removed."""

_BYTES = {SampleFormat.FLOAT32: 4, SampleFormat.INT24: 3, SampleFormat.INT16: 2}
_NO_SYNC = frozenset({errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.EOPNOTSUPP})
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


class AudioWriter(AbstractContextManager["AudioWriter"]):
    """Writes a WAV by blocks; the file appears, whole and synced, when the context ends without an error.

    Float samples are kept bit for bit and pass 0 dBFS unharmed; integers are rounded to the nearest step,
    without dither, and clipped at full scale, so integers that were read are written back unchanged. The
    same samples give the same bytes. Past 4 GiB the header becomes RF64 (EBU Tech 3306), for which the
    JUNK chunk at the start keeps room.

    ``is_durable=False`` leaves out the wait for the disk, for files that a crash may take.

    Raises AudioError where the disk does not take it, and where integers are to hold NaN or infinity; an
    older file of that name is then left as it was, and nothing partial remains.
    """

    def __init__(
        self,
        path: Path,
        *,
        rate_hz: int,
        channels: int,
        sample_format: SampleFormat = SampleFormat.FLOAT32,
        is_durable: bool = True,
    ) -> None:
        self.path = path
        self.frames = 0
        self._rate_hz = rate_hz
        self._channels = channels
        self._format = sample_format
        self._is_durable = is_durable
        self._partial = path.with_name(f".{uuid.uuid4().hex}.partial.wav")
        self._file = self._open()

    def _open(self) -> BinaryIO:
        try:
            _expect_free(self.path)
            file = self._partial.open("xb")
        except (OSError, ValueError) as cause:
            raise self._failed(cause) from cause
        try:
            file.write(self._header())
        except OSError as cause:
            self._drop(file)
            raise self._failed(cause) from cause
        return file

    def write(self, samples: Samples) -> None:
        """Append samples of shape ``(channels, frames)``."""
        if samples.ndim != 2 or samples.shape[0] != self._channels:
            raise AudioError(
                f"{self.path.name} takes samples of shape ({self._channels}, frames); found {samples.shape}."
            )
        try:
            self._file.write(_encoded(samples, self._format, self.path).data)
        except OSError as cause:
            raise self._failed(cause) from cause
        self.frames += samples.shape[1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._drop(self._file)
            return
        try:
            self._commit()
        except OSError as cause:
            self._drop(self._file)
            raise self._failed(cause) from cause
        except BaseException:
            self._drop(self._file)
            raise

    def _commit(self) -> None:
        if self._data_bytes % 2:
            self._file.write(b"\0")
        self._file.seek(0)
        self._file.write(self._header())
        self._file.close()
        if self._is_durable:
            sync_file(self._partial)
        self._partial.replace(self.path)

    def _drop(self, file: BinaryIO) -> None:
        try:
            file.close()
        except OSError:
            pass  # the bytes that could not be flushed are not wanted any more
        finally:
            self._partial.unlink(missing_ok=True)

    def _failed(self, cause: OSError | ValueError) -> AudioError:
        fault = cause if isinstance(cause, OSError) else OSError(str(cause))
        fault.filename = fault.filename or str(self.path)  # a write does not tell of what file it was
        return unwritable(self.path, fault)

    @property
    def _frame_bytes(self) -> int:
        return _BYTES[self._format] * self._channels

    @property
    def _data_bytes(self) -> int:
        return self.frames * self._frame_bytes

    def _header(self) -> bytes:
        """Everything before the samples; its length does not depend on how many there are."""
        form = self._form()
        riff_bytes = 4 + 36 + len(form) + 8 + self._data_bytes + self._data_bytes % 2
        data_bytes = self._data_bytes
        if riff_bytes <= RIFF_LIMIT_BYTES:
            head = struct.pack("<4sI4s4sI28x", b"RIFF", riff_bytes, b"WAVE", b"JUNK", 28)
            return head + form + struct.pack("<4sI", b"data", data_bytes)
        head = struct.pack(
            "<4sI4s4sIQQQI",
            b"RF64", 0xFFFF_FFFF, b"WAVE", b"ds64", 28, riff_bytes, data_bytes, self.frames, 0,
        )  # fmt: skip
        return head + form + struct.pack("<4sI", b"data", 0xFFFF_FFFF)

    def _form(self) -> bytes:
        """The fmt chunk; float has a fact chunk after it, which the format asks for."""
        tag = _FLOAT if self._format is SampleFormat.FLOAT32 else _PCM
        bits = _BYTES[self._format] * 8
        common = (self._channels, self._rate_hz, self._rate_hz * self._frame_bytes, self._frame_bytes, bits)
        if self._channels > 2:
            body = struct.pack("<HHIIHHHHIH", _EXTENSIBLE, *common, 22, bits, 0, tag) + _GUID_TAIL
        elif tag == _FLOAT:
            body = struct.pack("<HHIIHHH", tag, *common, 0)
        else:
            body = struct.pack("<HHIIHH", tag, *common)
        fact = struct.pack("<4sII", b"fact", 4, min(self.frames, 0xFFFF_FFFF)) if tag == _FLOAT else b""
        return struct.pack("<4sI", b"fmt ", len(body)) + body + fact


def write_audio(path: Path, audio: Audio, sample_format: SampleFormat = SampleFormat.FLOAT32) -> None:
    """Write a whole Audio atomically; raises AudioError like ``AudioWriter``."""
    with AudioWriter(
        path, rate_hz=audio.rate_hz, channels=audio.channels, sample_format=sample_format
    ) as out:
        out.write(audio.samples)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until a folder's entries are on the disk; Windows has no such call and needs none.

    Nor have some network shares, which answer that a folder is nothing to be synced: so be it.
    """
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as fault:
        if fault.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until all that lies below a folder is on the disk, bytes and names."""
    for place, _, names in os.walk(folder):
        for name in names:
            sync_file(Path(place, name))
        sync_folder(Path(place))


def _expect_free(path: Path) -> None:
    """A name that the disk cannot hold, or a folder has, fails now and not after the last sample."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder has that name")


def _encoded(samples: Samples, sample_format: SampleFormat, path: Path) -> NDArray[np.generic]:
    """Interleaved little-endian samples as they lie in the file."""
    turned = samples.T
    if sample_format is SampleFormat.FLOAT32:
        return np.ascontiguousarray(turned, "<f4")
    if not np.isfinite(samples).all():
        raise AudioError(
            f"{path.name} would hold NaN or infinite samples, which integers cannot express. "
            "Replace them before writing, or write float."
        )
    if sample_format is SampleFormat.INT16:
        return np.ascontiguousarray(_steps(turned, 16), "<i2")
    wide = np.ascontiguousarray(_steps(turned, 24), "<i4")
    return np.ascontiguousarray(wide.view(np.uint8).reshape(*wide.shape, 4)[..., :3])


def _steps(samples: NDArray[np.float32], bits: int) -> NDArray[np.float64]:
    full = 2.0 ** (bits - 1)
    return np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1)
