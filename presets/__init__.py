"""What a sound should be: chains, loudness targets and preset files."""

from presets.chain import (
    AUTHORED_LUFS,
    Bounds,
    Chain,
    Compressor,
    DeEsser,
    Effect,
    Eq,
    EqBand,
    Gain,
    Gate,
    Limiter,
    Multiband,
    MultibandBand,
    Saturator,
    StereoWidth,
    TransientShaper,
    bounds_of,
)
from presets.edits import ChainEdit, apply_edits
from presets.errors import PresetError

__all__ = [
    "AUTHORED_LUFS",
    "Bounds",
    "Chain",
    "ChainEdit",
    "Compressor",
    "DeEsser",
    "Effect",
    "Eq",
    "EqBand",
    "Gain",
    "Gate",
    "Limiter",
    "Multiband",
    "MultibandBand",
    "PresetError",
    "Saturator",
    "StereoWidth",
    "TransientShaper",
    "apply_edits",
    "bounds_of",
]
