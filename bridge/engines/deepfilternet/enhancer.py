"""DeepFilterNet as an enhancer: noise out of voices, file to file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np

from bridge.audio import BLOCK_FRAMES, AudioReader, AudioWriter, Samples, open_audio
from bridge.config import Config, load_config
from bridge.engines.deepfilternet.difference import DifferenceStream
from bridge.engines.deepfilternet.network import Network, lack_of
from bridge.errors import EngineError, JobCancelled
from bridge.hashes import hash_file
from bridge.protocols import Progress
from bridge.values import Role

WEIGHTS = "deepfilternet3"
MODEL_FILE = "deepfilternet3.onnx"


class DeepFilterNetEnhancer:
    """Takes noise out of speech and vocals with DeepFilterNet3; it takes music for noise too.

    Files of any rate and number of channels, each channel for itself. Without ``config`` the user's settings
    are read. Memory does not grow with the file; the result does not depend on ``block_frames``, how much is
    read at once.
    """

    name = "deepfilternet"
    roles: tuple[Role, ...] = (Role.VOCALS, Role.BACKING_VOCALS)

    def __init__(self, config: Config | None = None, *, block_frames: int = BLOCK_FRAMES) -> None:
        self._config = config or load_config()
        self._block_frames = block_frames

    @classmethod
    def configured(cls, config: Config) -> Self:
        """One with these settings."""
        return cls(config)

    def missing(self) -> str:
        """What has to be installed before it works, and how; "" where nothing is."""
        return lack_of(model_path(self._config))

    @property
    def version(self) -> str:
        """Of this code, of the network that is there, and how much of its work is used."""
        model = model_path(self._config)
        network = hash_file(model)[:12] if model.is_file() else "no network"
        return f"1 with {network}, share {self._config.deepfilternet.share:.4g}"

    def enhance(self, source: Path, target: Path, progress: Progress) -> None:
        """Write the cleaned ``source`` to ``target``; digital silence stays silent.

        Raises EngineError where the network is missing, damaged or gives no numbers, and where the source
        cannot be read or the target cannot be written; no target is left then.
        """
        try:
            progress(0.0)
            self._enhance(source, target, progress)
        except (EngineError, JobCancelled):
            raise
        except Exception as cause:
            raise EngineError(f"{source.name} could not be cleaned by DeepFilterNet: {cause}") from cause

    def _enhance(self, source: Path, target: Path, progress: Progress) -> None:
        settings = self._config.deepfilternet
        network = Network(model_path(self._config), threads=settings.threads)
        with open_audio(source) as reader:
            rate_hz, channels = reader.info.rate_hz, reader.info.channels
            stream = DifferenceStream(network, rate_hz=rate_hz, channels=channels, share=settings.share)
            with AudioWriter(target, rate_hz=rate_hz, channels=channels) as writer:
                for block in _finite_blocks(reader, self._block_frames, source.name):
                    writer.write(stream.feed(block))
                    progress(min(0.99, writer.frames / max(1, reader.info.frames)))
                writer.write(stream.finish())
                progress(1.0)


def model_path(config: Config) -> Path:
    """Where the network is looked for: as the settings say, else among the weights."""
    named = config.deepfilternet.model
    return Path(named).expanduser() if named else config.weights_folder / WEIGHTS / MODEL_FILE


def _finite_blocks(reader: AudioReader, frames: int, name: str) -> Iterator[Samples]:
    done = 0
    for block in reader.blocks(frames):
        if not np.isfinite(block).all():
            frame = done + int(np.argmin(np.isfinite(block).all(axis=0)))
            raise EngineError(
                f"{name} holds a value that is no number (NaN or infinity) at frame {frame}; "
                "wanted finite samples. Export it again."
            )
        done += block.shape[1]
        yield block
