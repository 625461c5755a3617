"""The bandwidth extension that is built in: the embedded default where AudioSR is not installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bridge.audio import BLOCK_FRAMES, open_audio
from bridge.dsp.extend import extend_bandwidth
from bridge.errors import AudioError, EngineError
from bridge.protocols import Progress
from bridge.values import Role

_CHECK_SHARE = 0.05


class NativeExtender:
    """Makes the band above a cut-off anew, up to 20 kHz, for every role but a bass, which has none there.

    Files of any rate from 8 to 192 kHz, one or two channels. What is not cut off comes out as it was. The
    result does not depend on ``block_frames``, the frames that are read at once; memory depends on it alone.
    """

    name = "native-extend"
    version = "1"
    roles: tuple[Role, ...] = tuple(role for role in Role if role is not Role.BASS)

    def __init__(self, *, block_frames: int = BLOCK_FRAMES) -> None:
        self.block_frames = block_frames

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        """Write the extended ``source`` to ``target``.

        Raises EngineError where the source cannot be read, holds NaN or infinity or more than two channels,
        or the target cannot be written; then, and when ``progress`` raises, there is no target.
        """
        try:
            _expect_numbers(source, lambda share: progress(share * _CHECK_SHARE))
            extend_bandwidth(
                source,
                target,
                block_frames=self.block_frames,
                progress=lambda share: progress(_CHECK_SHARE + share * (1 - _CHECK_SHARE)),
            )
        except AudioError as cause:
            raise EngineError(f"{source.name} could not be extended: {cause}") from cause


def _expect_numbers(source: Path, progress: Progress) -> None:
    done = 0
    with open_audio(source) as reader:
        for block in reader.blocks():
            if not np.isfinite(block).all():
                where = done + int(np.argmin(np.isfinite(block).all(axis=0)))
                raise EngineError(
                    f"{source.name} holds a value that is no number (NaN or infinity) at frame {where}; "
                    "wanted finite samples. Export it again, or repair it first."
                )
            done += block.shape[1]
            progress(min(1.0, done / max(1, reader.info.frames)))
