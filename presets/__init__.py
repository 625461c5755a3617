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
    Vst3,
    bounds_of,
)
from presets.dialin import dial_in, render_dial_in
from presets.dialvalues import Dial, DialDevice, DialSheet
from presets.edits import ChainEdit, apply_edits
from presets.errors import PresetError
from presets.library import MASTER, Library
from presets.plugins import ChainMapping, Plugin, PluginPreset, map_chain
from presets.presetfiles import (
    GuidedChain,
    PresetFile,
    preset_files,
    render_preset_guide,
    safe_name,
    state_path,
)
from presets.styles import NEUTRAL, Style, style_of
from presets.targets import TARGETS, Target, target, targets_from_toml
from presets.vstpreset import VstPreset, windows_class_id
from presets.wishes import Wish, WishFor, apply_wishes, parse_wishes

__all__ = [
    "AUTHORED_LUFS",
    "MASTER",
    "NEUTRAL",
    "TARGETS",
    "Bounds",
    "Chain",
    "ChainEdit",
    "ChainMapping",
    "Compressor",
    "DeEsser",
    "Dial",
    "DialDevice",
    "DialSheet",
    "Effect",
    "Eq",
    "EqBand",
    "Gain",
    "Gate",
    "GuidedChain",
    "Library",
    "Limiter",
    "Multiband",
    "MultibandBand",
    "Plugin",
    "PluginPreset",
    "PresetError",
    "PresetFile",
    "Saturator",
    "StereoWidth",
    "Style",
    "Target",
    "TransientShaper",
    "Vst3",
    "VstPreset",
    "Wish",
    "WishFor",
    "apply_edits",
    "apply_wishes",
    "bounds_of",
    "dial_in",
    "map_chain",
    "parse_wishes",
    "preset_files",
    "render_dial_in",
    "render_preset_guide",
    "safe_name",
    "state_path",
    "style_of",
    "target",
    "targets_from_toml",
    "windows_class_id",
]
