"""Files made for tests: seeded songs, encoded by FFmpeg's libraries, and WAVs put together by hand."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def song(frames: int, rate_hz: int = 44_100, channels: int = 2, seed: int = 7) -> Samples:
    """A sweep with noise bursts: one sharp peak in its correlation with itself, nothing at the edges cut."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / rate_hz
    bursts = 0.15 * rng.standard_normal((channels, frames)) * np.exp(-((t * 7) % 1) * 8)
    return np.float32(0.3 * np.sin(2 * np.pi * 440 * t * (1 + 0.2 * t)) + bursts)


def encode(
    path: Path,
    samples: Samples,
    rate_hz: int,
    *,
    codec: str,
    packing: str = "fltp",
    layout: str = "",
    container: str | None = None,
    options: dict[str, str] | None = None,
    bit_rate: int = 192_000,
) -> Path:
    """Write ``samples`` with an encoder of FFmpeg, time stamps and all."""
    layout = layout or {1: "mono", 2: "stereo"}[samples.shape[0]]
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        stream = out.add_stream(codec, rate=rate_hz)
        stream.layout, stream.format = layout, packing
        if codec not in ("flac", "alac"):
            stream.bit_rate = bit_rate
        for frame in _frames(samples, rate_hz, packing, layout, stream.codec_context.frame_size or 4096):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def _frames(samples: Samples, rate_hz: int, packing: str, layout: str, size: int) -> list[av.AudioFrame]:
    resampler = av.AudioResampler(format=packing, layout=layout, rate=rate_hz)
    made = []
    for start in range(0, samples.shape[1], size):
        block = np.ascontiguousarray(samples[:, start : start + size])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        made += resampler.resample(frame)
    return made


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    """A RIFF or IFF chunk with its pad byte."""
    return struct.pack(order + "4sI", name, len(body)) + body + bytes(len(body) % 2)


def wav(
    data: bytes,
    *,
    tag: int = 1,
    bits: int = 16,
    channels: int = 1,
    rate_hz: int = 44_100,
    mask: int = -1,
    before: bytes = b"",
    after: bytes = b"",
    data_size: int | None = None,
) -> bytes:
    """A WAV from its parts; a ``mask`` makes it WAVE_FORMAT_EXTENSIBLE, ``data_size`` lies about the data."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * align, align, bits)
    if mask >= 0:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        form = struct.pack("<H", 0xFFFE) + form[2:] + struct.pack("<HHI", 22, bits, mask) + guid
    samples = chunk(b"data", data)
    if data_size is not None:
        samples = samples[:4] + struct.pack("<I", data_size) + data
    body = b"WAVE" + before + chunk(b"fmt ", form) + samples + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lag_frames(found: Samples, wanted: Samples) -> int:
    """By how many frames ``found`` is late against ``wanted``, from the peak of their correlation."""
    size = 1 << (2 * max(found.size, wanted.size) - 1).bit_length()
    spectrum = np.fft.rfft(found.astype(np.float64), size) * np.conj(
        np.fft.rfft(wanted.astype(np.float64), size)
    )
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return peak if peak < size // 2 else peak - size
