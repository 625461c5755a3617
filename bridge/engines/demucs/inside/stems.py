"""Raw files of stems, written and added to in pieces."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from .schedule import CHANNELS, Samples


class StemFiles:
    """One file of interleaved float32 for each stem, as long as the song from the start."""

    def __init__(self, places: dict[str, Path], frames: int) -> None:
        self._stack = ExitStack()
        self._files = {name: self._stack.enter_context(path.open("w+b")) for name, path in places.items()}
        for file in self._files.values():
            file.truncate(frames * CHANNELS * 4)

    def add(self, name: str, start: int, samples: Samples, gain: float) -> None:
        """Add ``samples`` of shape (channels, frames), times ``gain``; what is before the song is dropped."""
        samples = samples[:, max(0, -start) :]
        if not samples.shape[1]:
            return
        file = self._files[name]
        place = max(0, start) * CHANNELS * 4
        file.seek(place)
        before = np.frombuffer(file.read(samples.size * 4), "<f4").reshape(-1, CHANNELS)
        file.seek(place)
        file.write((before + samples.T * np.float32(gain)).astype("<f4").tobytes())

    def __enter__(self) -> StemFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
