"""See ``torchaudio``."""

from dataclasses import dataclass


@dataclass
class AudioMetaData:
    """What a file says about itself."""

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str
