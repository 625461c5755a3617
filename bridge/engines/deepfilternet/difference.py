"""What cleaning changes, brought to a song's own rate, so that nothing else is touched.

The network works at 48 kHz. Only the difference that it makes is resampled and added to the source: what
lies above 24 kHz, and what resampling alone would change, stays as it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter1d

from bridge.audio import Samples
from bridge.engines.deepfilternet.features import RATE_HZ, Wide
from bridge.engines.deepfilternet.network import Network
from bridge.engines.deepfilternet.stream import CleaningStream

QUIET_S = 0.01
"""With digital silence for this long on either side, what comes out is silent too: no tail, no pre-echo."""


class DifferenceStream:
    """A stream at ``rate_hz`` with ``share`` (0 to 1) of what the network changes.

    ``feed`` takes float32 of shape ``(channels, frames)`` and gives what is ready; ``finish`` gives the rest.
    In total that is as long as what was fed, and aligned to the sample.
    """

    def __init__(self, network: Network, *, rate_hz: int, channels: int, share: float) -> None:
        self._share = share
        self._cleaning = CleaningStream(network, channels)
        self._up = _Resampler(rate_hz, RATE_HZ, channels)
        self._down = _Resampler(RATE_HZ, rate_hz, channels)
        self._quiet_frames = round(QUIET_S * rate_hz)
        self._source = np.zeros((channels, self._quiet_frames))
        """From ``_quiet_frames`` before what is given next."""
        self._heard = np.zeros((channels, 0))
        self._change = np.zeros((channels, 0))

    def feed(self, samples: Samples) -> Samples:
        """The next frames, any number; what they complete."""
        wide = samples.astype(np.float64)
        self._source = np.concatenate([self._source, wide], axis=1)
        heard = self._up(wide)
        self._take(heard, self._cleaning.feed(heard))
        ready = min(self._change.shape[1], self._source.shape[1] - 2 * self._quiet_frames)
        return self._given(max(0, ready))

    def finish(self) -> Samples:
        """What is left."""
        heard = self._up.finish()
        self._take(heard, self._cleaning.feed(heard))
        self._take(heard[:, :0], self._cleaning.finish())
        frames = self._source.shape[1] - self._quiet_frames
        change = np.concatenate([self._change, self._down.finish()], axis=1)[:, :frames]
        self._change = np.pad(change, ((0, 0), (0, frames - change.shape[1])))
        self._source = np.pad(self._source, ((0, 0), (0, self._quiet_frames)))
        return self._given(frames)

    def _take(self, heard: Wide, cleaned: Wide) -> None:
        """Bring what cleaning changed to the song's rate."""
        self._heard = np.concatenate([self._heard, heard], axis=1)
        frames = cleaned.shape[1]
        change = self._down(cleaned - self._heard[:, :frames])
        self._heard = self._heard[:, frames:]
        self._change = np.concatenate([self._change, change], axis=1)

    def _given(self, frames: int) -> Samples:
        quiet = self._quiet_frames
        source, around = self._source[:, quiet : quiet + frames], self._source[:, : frames + 2 * quiet]
        change = self._change[:, :frames] * _is_sounding(around, quiet)
        self._source, self._change = self._source[:, frames:], self._change[:, frames:]
        return np.asarray(source + self._share * change, np.float32)


class _Resampler:
    """The best that soxr has, by streams: linear phase, aligned, the same for any blocks."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        self._nothing = np.zeros((channels, 0))
        self._stream = _soxr_stream(from_hz, to_hz, channels) if from_hz != to_hz else None

    def __call__(self, samples: Wide) -> Wide:
        return self._resampled(samples, is_last=False)

    def finish(self) -> Wide:
        return self._resampled(self._nothing, is_last=True)

    def _resampled(self, samples: Wide, *, is_last: bool) -> Wide:
        if self._stream is None:
            return samples
        made = self._stream.resample_chunk(np.ascontiguousarray(samples.T), last=is_last)
        return np.asarray(made.T, np.float64)


def _soxr_stream(from_hz: int, to_hz: int, channels: int) -> Any:
    import soxr

    return soxr.ResampleStream(from_hz, to_hz, channels, dtype="float64", quality="VHQ")


def _is_sounding(around: Wide, quiet_frames: int) -> Wide:
    """1 where there is sound within ``quiet_frames``, else 0; that much shorter on either side."""
    level = np.abs(around).max(axis=0)
    if level.all() or not quiet_frames:
        return np.ones(len(level) - 2 * quiet_frames)
    near = maximum_filter1d(level, 2 * quiet_frames + 1, mode="constant")
    return np.asarray(near[quiet_frames : len(level) - quiet_frames] > 0, np.float64)
