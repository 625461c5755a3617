"""WAV, RF64, BW64 and AIFF, read as the samples lie in the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.audio.faults import incomplete, unopened
from bridge.audio.riff import PcmPlace, find_pcm
from bridge.audio.values import BlockReader, Samples
from bridge.values import MediaInfo

_FULL_SCALE = {"uint8": 2.0**7, "int8": 2.0**7, "int16": 2.0**15, "int24": 2.0**31, "int32": 2.0**31}


class PcmReader(BlockReader):
    """Reads integers of up to 24 bits and float32 exactly; wider ones round to the nearest float32."""

    def __init__(self, path: Path, file: Any, place: PcmPlace) -> None:
        self._path = path
        self._file = file
        self._place = place
        self._next = 0
        self.info = _info(place)
        self.seek(0)

    @classmethod
    def open(cls, path: Path) -> PcmReader | None:
        """Open the file; None where it is of another kind. AudioError where it is damaged."""
        file = path.open("rb")
        try:
            place = find_pcm(path, file)
        except BaseException:
            file.close()
            raise
        if place is None:
            file.close()
            return None
        return cls(path, file, place)

    def read(self, frames: int) -> Samples:
        """The next frames, with the file's own channels."""
        count = max(0, min(frames, self.info.frames - self._next))
        if not count:
            return self.nothing()
        raw = np.empty(count * self._place.frame_bytes, np.uint8)
        try:
            got = self._file.readinto(raw.data)
        except OSError as cause:
            raise unopened(self._path, cause) from cause
        if got < raw.size:  # somebody cut the file while it was being read
            whole = self._next + got // self._place.frame_bytes
            raise incomplete(self._path, whole / self.info.rate_hz, self.info.duration_s)
        self._next += count
        return _decoded(raw, self._place)

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        self._next = max(0, min(frame, self.info.frames))
        self._file.seek(self._place.offset + self._next * self._place.frame_bytes)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _decoded(raw: NDArray[np.uint8], place: PcmPlace) -> Samples:
    values = _numbers(raw, place).reshape(-1, place.channels).T
    out = np.empty(values.shape, np.float32)
    if place.kind.startswith("float"):
        with np.errstate(over="ignore"):  # a float64 past float32's range becomes infinite: told, not hidden
            np.copyto(out, values, casting="unsafe")
        return out
    np.multiply(values, np.float32(1 / _FULL_SCALE[place.kind]), out=out, casting="unsafe")
    if place.kind == "uint8":
        out -= 1
    return out


def _numbers(raw: NDArray[np.uint8], place: PcmPlace) -> NDArray[Any]:
    order: Literal["<", ">"] = ">" if place.is_big_endian else "<"
    if place.kind != "int24":
        return raw.view(np.dtype(place.kind).newbyteorder(order))
    # three bytes become the upper three of a 32-bit integer: 24 significant bits, exact in float32
    wide = np.zeros((raw.size // 3, 4), np.uint8)
    wide[:, slice(0, 3) if place.is_big_endian else slice(1, 4)] = raw.reshape(-1, 3)
    return wide.view(np.dtype(np.int32).newbyteorder(order)).reshape(-1)


def _info(place: PcmPlace) -> MediaInfo:
    is_integer = not place.kind.startswith("float")
    return MediaInfo(
        container=place.container,
        codec=f"pcm_{place.kind}",
        rate_hz=place.rate_hz,
        channels=place.channels,
        frames=place.frames,
        bits=place.sample_bytes * 8 if is_integer else 0,
        is_lossy=False,
        layout=place.layout,
    )
