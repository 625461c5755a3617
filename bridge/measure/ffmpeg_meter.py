"""A second opinion on loudness: FFmpeg's ebur128 filter, which shares no code with our meter."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bridge.errors import AudioError
from bridge.measure.loudness import LOUDNESS_FLOOR_LUFS
from bridge.measure.meter import level_db
from bridge.protocols import Progress, no_progress
from bridge.values import Value

_TAIL_S = 0.25
"""The filter tells its state with every whole 100 ms; silence pushes what is left over out of it."""


class FfmpegLoudness(Value):
    """What FFmpeg's ebur128 says; -70 LUFS and -144 dBTP at least, like our own meter.

    FFmpeg tells loudness in steps of 0.001 LU and amplitudes in steps of 0.001, so a peak is known within
    0.005 dB at full scale, 0.05 dB at -20 dBTP, and below -66 dBTP not at all.
    """

    integrated_lufs: float
    range_lu: float
    true_peak_dbtp: float


def ffmpeg_loudness(path: Path, progress: Progress = no_progress) -> FfmpegLoudness:
    """Measure a file with FFmpeg's own decoder, filter and true-peak resampler, block by block.

    Silence and files shorter than 400 ms are -70 LUFS. Raises AudioError where FFmpeg cannot decode the file.
    """
    import av

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            return _measured(container, path, progress)
    except (av.FFmpegError, OSError) as cause:
        raise AudioError(
            f"{path.name} cannot be decoded by FFmpeg ({cause}); wanted audio. Export it again as WAV."
        ) from cause


def _measured(container: Any, path: Path, progress: Progress) -> FfmpegLoudness:
    if not container.streams.audio:
        raise AudioError(f"{path.name} has no audio stream; wanted one. Export the song as audio.")
    meter = _FilterGraph(container.streams.audio[0])
    total_s = float(container.duration or 0) / 1_000_000
    for frame in container.decode(meter.stream):
        meter.push(frame)
        if total_s > 0 and frame.time is not None:
            progress(min(1.0, frame.time / total_s))
    return meter.finish()


class _FilterGraph:
    """FFmpeg's filter between a source and a sink, and the last state it told."""

    def __init__(self, stream: Any) -> None:
        from av.filter import Graph

        self.stream = stream
        self._graph = Graph()
        self._source = self._graph.add_abuffer(template=stream)
        meter = self._graph.add("ebur128", "metadata=1:peak=true")
        self._sink = self._graph.add("abuffersink")
        self._source.link_to(meter)
        meter.link_to(self._sink)
        self._graph.configure()
        self._told: dict[str, str] = {}

    def push(self, frame: Any) -> None:
        """Filter a frame."""
        import av

        self._source.push(frame)
        while True:
            try:
                self._told = self._sink.pull().metadata or self._told
            except (av.BlockingIOError, av.EOFError):
                return

    def finish(self) -> FfmpegLoudness:
        """Push the tail out and read the result; silence after the end changes the peak alone."""
        loudness = self._told
        self.push(self._silence())
        return FfmpegLoudness(
            integrated_lufs=max(LOUDNESS_FLOOR_LUFS, _number(loudness, "I", LOUDNESS_FLOOR_LUFS)),
            range_lu=max(0.0, _number(loudness, "LRA", 0.0)),
            true_peak_dbtp=level_db(_number(self._told, "true_peak", 0.0)),
        )

    def _silence(self) -> Any:
        import av
        import numpy as np

        context = self.stream.codec_context
        frames = int(_TAIL_S * context.sample_rate)
        layout = context.layout.name
        is_planar = context.format.is_planar
        shape = (
            (context.layout.nb_channels, frames) if is_planar else (1, frames * context.layout.nb_channels)
        )
        samples = np.zeros(shape, _DTYPES[context.format.packed.name])
        silence = av.AudioFrame.from_ndarray(samples, format=context.format.name, layout=layout)
        silence.sample_rate = context.sample_rate
        return silence


_DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8", "s64": "i8"}


def _number(told: dict[str, str], name: str, otherwise: float) -> float:
    value = float(told.get(f"lavfi.r128.{name}", otherwise))
    return value if math.isfinite(value) else otherwise
