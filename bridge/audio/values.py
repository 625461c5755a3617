"""Audio in memory, and what it means to read it by blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bridge.errors import AudioError
from bridge.values import MediaInfo

Samples = NDArray[np.float32]
"""Float32 of shape ``(channels, frames)``, nominally within -1 to 1."""

BLOCK_FRAMES = 65_536


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
        """The next ``frames`` frames; fewer at the end, none (shape ``(channels, 0)``) when done.

        Raises AudioError where the file is damaged, or ends long before the length that it promised.
        """
        ...

    def seek(self, frame: int) -> None:
        """Go to a frame counted from the start; past the end there is nothing to read."""
        ...

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
        """All that is left, block by block."""
        ...

    def close(self) -> None:
        """Let the file go."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class BlockReader:
    """What all readers share: iteration and the context."""

    info: MediaInfo

    def read(self, frames: int) -> Samples:
        """The next frames."""
        raise NotImplementedError

    def close(self) -> None:
        """Let the file go."""
        raise NotImplementedError

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
        """All that is left, block by block."""
        while (block := self.read(frames)).shape[1]:
            yield block

    def nothing(self) -> Samples:
        """No frames, of the right number of channels."""
        return np.zeros((self.info.channels, 0), np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
