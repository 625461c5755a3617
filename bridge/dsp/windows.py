"""Processors that look at a stretch with its surroundings: fixed windows over blocks of any size."""

from __future__ import annotations

import numpy as np

from bridge.audio import Samples
from bridge.dsp.processor import Processor, Wide, to_samples


class WindowProcessor(Processor):
    """Works on stretches of ``hop`` frames, seen with ``context`` frames before and after.

    The stretches lie on a fixed grid from the first frame on, whatever the blocks are. Latency: hop and
    context.
    """

    def __init__(self, *, rate_hz: int, channels: int, hop: int, context: int) -> None:
        super().__init__(rate_hz=rate_hz, channels=channels)
        self._hop, self._context = hop, context
        self.latency_frames = hop + context
        self._seen = np.zeros((channels, context))
        self._ready = np.zeros((channels, self.latency_frames))

    def process(self, block: Samples) -> Samples:
        """The next frames: the same shape back, delayed by ``latency_frames``."""
        self._expect_block(block)
        return to_samples(self._work(block.astype(np.float64)))

    def _work(self, x: Wide) -> Wide:
        self._seen = np.concatenate([self._seen, x], axis=1)
        width = self._hop + 2 * self._context
        made = [self._ready]
        start = 0
        while self._seen.shape[1] - start >= width:
            made.append(self._stretch(self._seen[:, start : start + width]))
            start += self._hop
        self._seen = self._seen[:, start:]
        joined = np.concatenate(made, axis=1)
        self._ready = joined[:, x.shape[1] :]
        return joined[:, : x.shape[1]]

    def _stretch(self, window: Wide) -> Wide:
        """What becomes of the middle ``hop`` frames of a window of hop and two contexts."""
        raise NotImplementedError

    def _is_at_rest(self) -> bool:
        return False
