"""Opening any supported file: the bytes decide which reader takes it, not the name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bridge.audio.coded import CodedReader
from bridge.audio.faults import unopened
from bridge.audio.pcm import PcmReader
from bridge.audio.values import Audio, AudioReader
from bridge.errors import AudioError
from bridge.values import MediaInfo


def open_audio(path: Path) -> AudioReader:
    """Open any supported file for reading by blocks.

    A WAV or AIFF whose header promises more frames than there are, an Ogg file without its end mark, an
    MP4 without its index, an empty file and one without audio are refused here; other coded files when
    reading reaches their early end. A file of zero frames, properly written, opens and yields nothing.

    Raises AudioError, which names the file, what was found and what to do.
    """
    _expect_bytes(path)
    try:
        return PcmReader.open(path) or CodedReader(path)
    except OSError as cause:
        raise unopened(path, cause) from cause


def probe(path: Path) -> MediaInfo:
    """What the file is, by its headers and its first frame; raises AudioError like ``open_audio``."""
    with open_audio(path) as reader:
        return reader.info


def read_audio(path: Path, start: int = 0, frames: int | None = None) -> Audio:
    """Read a file, or ``frames`` frames of it from ``start``, into memory; raises AudioError."""
    with open_audio(path) as reader:
        if start:
            reader.seek(start)
        parts = list(reader.blocks()) if frames is None else [reader.read(frames)]
        empty = np.zeros((reader.info.channels, 0), np.float32)
        return Audio(samples=np.concatenate([empty, *parts], axis=1), rate_hz=reader.info.rate_hz)


def _expect_bytes(path: Path) -> None:
    try:
        with path.open("rb") as file:
            has_bytes = bool(file.read(1))
    except (OSError, ValueError) as cause:
        raise unopened(path, cause if isinstance(cause, OSError) else OSError(str(cause))) from cause
    if not has_bytes:
        raise AudioError(
            f"{path.name} is empty (0 bytes); wanted an audio file. Export or download it again."
        )
