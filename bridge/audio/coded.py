"""Everything that is not plain PCM, by FFmpeg's libraries through PyAV.

Only containers of audio are let in: FFmpeg also opens play lists, which would read other files or the net.
A packet that cannot be decoded is forgiven at the end of a file, where tags and cut packets lie, and nowhere
else; and what was decoded is compared with the length that the headers promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from bridge.audio import lengths
from bridge.audio.faults import incomplete, unreadable
from bridge.audio.values import BLOCK_FRAMES, BlockReader, Samples
from bridge.containers.flac import flac_frames
from bridge.containers.mp4 import mp4_frames
from bridge.containers.mpeg import mp3_frames
from bridge.containers.ogg import is_ogg_whole
from bridge.errors import AudioError
from bridge.values import MediaInfo

MISSING_S = 0.25
"""Less than this may lack: containers that count in milliseconds or packets are off by as much."""

_CONTAINERS = (
    "mp3,aac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,flac,wav,w64,aiff,caf,ac3,eac3,ape,wv,tta,asf,au"
)
_LOSSLESS = frozenset({"flac", "alac", "wavpack", "ape", "tta", "mlp", "truehd", "wmalossless"})
_COMPANDED = frozenset({"pcm_mulaw", "pcm_alaw", "pcm_vidc"})
_SCALES = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31, "flt": 1.0, "dbl": 1.0}


@dataclass(frozen=True)
class _Promise:
    """The length that the headers promise."""

    frames: int
    is_exact: bool = False
    """Whether what is decoded beyond it is padding."""
    may_lack_s: float = MISSING_S


class CodedReader(BlockReader):
    """MP3, AAC, Vorbis, Opus, FLAC, ALAC and what else FFmpeg's libraries decode."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start()

    def _start(self) -> None:
        import av

        try:
            self._container: Any = av.open(
                str(self._path.absolute()), options={"format_whitelist": _CONTAINERS}
            )
        except (av.FFmpegError, ValueError, OSError) as cause:
            raise unreadable(self._path, _words(cause)) from cause
        try:
            self._begin()
        except BaseException:
            self._container.close()
            raise

    def _begin(self) -> None:
        if not self._container.streams.audio:
            raise AudioError(f"{self._path.name} has no audio stream; wanted one. Export the song as audio.")
        self._stream = self._container.streams.audio[0]
        if self._stream.codec_context is not None:  # None for a codec that nobody knows
            # a frame of FLAC whose checksum is wrong is dropped, not played as noise, and missed in the end
            self._stream.codec_context.options = {"err_detect": "crccheck+explode"}
        self._decoded = 0
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            raise unreadable(self._path, "no audio could be decoded")
        # the rate of the first frame, not of the header: HE-AAC states half of it there
        self._rate_hz, self._channels = int(first.sample_rate), int(first.layout.nb_channels)
        self._promise = _promise(self._path, self._container, self._stream, self._rate_hz)
        self.info = self._describe(first)
        self._parts = self._samples(chain([first], frames))
        self._carry: list[Samples] = []
        self._carried = 0

    def _describe(self, first: Any) -> MediaInfo:
        codec = str(self._stream.codec_context.codec.canonical_name)
        is_lossy = codec not in _LOSSLESS and (not codec.startswith("pcm_") or codec in _COMPANDED)
        extradata = bytes(self._stream.codec_context.extradata or b"")
        bits = lengths.lossless_bits(codec, extradata, int(first.format.bits))
        return MediaInfo(
            container=_kind(self._container),
            codec=codec,
            rate_hz=self._rate_hz,
            channels=self._channels,
            frames=self._promise.frames if self._promise else self._estimate(),
            bits=0 if is_lossy or first.format.name[:3] in ("flt", "dbl") else bits,
            is_lossy=is_lossy,
            layout=str(first.layout.name),
        )

    def _estimate(self) -> int:
        return round((_stream_s(self._stream) or _container_s(self._container)) * self._rate_hz)

    def _frames(self) -> Iterator[Any]:
        """Decoded frames; AudioError where a packet is damaged that is not among the last."""
        import av

        damage: Exception | None = None
        for packet in self._packets():
            try:
                frames = [frame for frame in packet.decode() if frame.samples]
            except (av.FFmpegError, ValueError) as cause:
                damage = damage or cause
                continue
            if damage is not None and frames:
                at_s = self._decoded / int(frames[0].sample_rate)
                raise unreadable(self._path, f"damaged after {at_s:.2f} s: {_words(damage)}") from damage
            yield from frames

    def _packets(self) -> Iterator[Any]:
        import av

        try:
            yield from self._container.demux(self._stream)
        except (av.FFmpegError, OSError):
            return  # what came so far is measured against the promised length

    def _samples(self, frames: Iterator[Any]) -> Iterator[Samples]:
        """Samples of all frames, padding cut; AudioError where many that were promised are missing."""
        for frame in frames:
            self._check(frame)
            samples = _planes(frame)
            if self._promise is not None and self._promise.is_exact:
                samples = samples[:, : max(0, self._promise.frames - self._decoded)]
            self._decoded += samples.shape[1]
            if samples.shape[1]:
                yield samples
        self._expect_whole()

    def _expect_whole(self) -> None:
        found_s = self._decoded / self._rate_hz
        wanted_s = self._promise.frames / self._rate_hz if self._promise else 0.0
        if self._promise and wanted_s - found_s > self._promise.may_lack_s:
            raise incomplete(self._path, found_s, wanted_s)

    def _check(self, frame: Any) -> None:
        if frame.sample_rate != self._rate_hz or frame.layout.nb_channels != self._channels:
            raise AudioError(
                f"{self._path.name} changes within the file from {self._channels} channels at "
                f"{self._rate_hz} Hz to {frame.layout.nb_channels} at {frame.sample_rate} Hz; wanted one "
                "format. Export it as WAV."
            )

    def read(self, frames: int) -> Samples:
        """The next frames, with the file's own channels."""
        while self._carried < frames and (part := next(self._parts, None)) is not None:
            self._carry.append(part)
            self._carried += part.shape[1]
        return self._take(frames)

    def _take(self, frames: int) -> Samples:
        if not self._carry or frames <= 0:
            return self.nothing()
        whole = np.concatenate(self._carry, axis=1)
        self._carry = [whole[:, frames:]] if whole.shape[1] > frames else []
        self._carried = max(0, whole.shape[1] - frames)
        return np.ascontiguousarray(whole[:, :frames])

    def seek(self, frame: int) -> None:
        """Go to a frame: decodes from the start, since seeking in coded files is not sample-exact."""
        self.close()
        self._start()
        while frame > 0 and (part := self.read(min(frame, BLOCK_FRAMES))).shape[1]:
            frame -= part.shape[1]

    def close(self) -> None:
        """Close the container."""
        self._container.close()


def _planes(frame: Any) -> Samples:
    """The samples of a decoded frame: float32, shape ``(channels, frames)``."""
    packing = str(frame.format.name).removesuffix("p")
    if packing not in _SCALES:
        raise AudioError(
            f"The audio decodes to {packing} samples; wanted integers of 8, 16 or 32 bits, or floats."
        )
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    if packing == "flt":
        return np.asarray(values, np.float32)
    scaled = values * np.float64(_SCALES[packing])
    return np.asarray(scaled - 1 if packing == "u8" else scaled, np.float32)


def _promise(path: Path, container: Any, stream: Any, rate_hz: int) -> _Promise | None:
    """What the headers promise; None where the length is only estimated from the size of the file."""
    kind = _kind(container)
    if kind == "mp3":
        counted = mp3_frames(path)
        return None if counted is None else _Promise(counted)
    if kind == "mp4" and (counted := mp4_frames(path, rate_hz)) is not None:
        return _Promise(counted, is_exact=True)
    if kind == "ogg":
        return _ogg_promise(path, stream, rate_hz)
    if kind == "flac" and (counted := flac_frames(bytes(stream.codec_context.extradata or b""))):
        return _Promise(counted, is_exact=True, may_lack_s=0.0)
    if kind in ("aac", "ac3", "eac3"):
        return None
    seconds = _stream_s(stream) or _container_s(container)
    return _Promise(round(seconds * rate_hz)) if seconds else None


def _kind(container: Any) -> str:
    """The container's usual name, of the many that FFmpeg gives it."""
    name = str(container.format.name).split(",")[0]
    return {"mov": "mp4", "matroska": "webm"}.get(name, name)


def _ogg_promise(path: Path, stream: Any, rate_hz: int) -> _Promise:
    skipped = lengths.opus_pre_skip(bytes(stream.codec_context.extradata or b""))
    frames = max(0, round(_stream_s(stream) * rate_hz) - skipped)
    if not is_ogg_whole(path):
        raise AudioError(
            f"{path.name} is incomplete: after {frames / rate_hz:.2f} s the mark of the stream's end is "
            "missing. The export or the download was not finished; export or download it again."
        )
    return _Promise(frames)


def _stream_s(stream: Any) -> float:
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _container_s(container: Any) -> float:
    return float(container.duration or 0) / 1_000_000


def _words(cause: Exception) -> str:
    """What FFmpeg says, without its numbers and the path, which the message names already."""
    return str(getattr(cause, "strerror", None) or cause)
