"""The preset files of a chain, as they lie in a delivery."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from presets.chain import Chain, Vst3
from presets.plugins import PluginPreset, map_chain

_UNSAFE: Final = re.compile(r'[\\*?/:<>|"\x00-\x1f\x7f]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LABEL_BYTES: Final = 180
"""Room that is left for numbers, the Windows mark and the ending in a name of 255 bytes."""


class PresetFile(NamedTuple):
    """A file to write: its path inside the delivery, with forward slashes, and its bytes."""

    path: str
    data: bytes


def preset_files(chain: Chain, label: str = "") -> list[PresetFile]:
    """One .vstpreset for each effect that a free stereo plug-in serves, each also for Windows.

    ``label`` names the files ("Night Drive - Vocals"); the chain's name where it is empty. Paths are
    ``Presets/<Vendor>/<Plugin>/<label>.vstpreset`` and ``<label> (Windows).vstpreset``; where a plug-in
    occurs more than once in a chain, its files are numbered in order. Empty where nothing fits.
    """
    found = map_chain(chain).presets
    named = zip(found, _file_names(found, safe_name(label or chain.name)), strict=True)
    return [file for preset, name in named for file in _both_platforms(preset, name)]


class GuidedChain(NamedTuple):
    """A chain whose presets are explained."""

    chain: Chain
    label: str
    """What its files were written under, as for ``preset_files``."""
    measured: Mapping[int, str] = MappingProxyType({})
    """For effects, by their place: how near the preset came to the effect."""


def render_preset_guide(chains: Iterable[GuidedChain]) -> str:
    """The text beside the presets: where hosts look for them, how near they come, and what each cannot do."""
    return "\n".join([*_GUIDE, *(line for guided in chains for line in _guide_lines(guided))])


_GUIDE: Final = (
    "About these presets",
    "===================",
    "For the free zam-plugins (zamaudio.com; Debian and Ubuntu: apt install zam-plugins), stereo ones only.",
    "Copy the vendor's folder to where your host looks for VST3 presets:",
    "  macOS    ~/Library/Audio/Presets/",
    "  Windows  Documents\\VST3 Presets\\   (take the files with (Windows) in their name)",
    "  Linux    ~/.vst3/presets/",
    "Not every version of Ableton Live reads .vstpreset files. Where yours does not, set the values of",
    "Dial it in.txt in Live's own devices.",
    "",
)


def state_path(vendor: str, plugin: str, label: str) -> str:
    """Where the state of a third-party plug-in lies in a delivery, as ``preset_files`` would name it."""
    return f"{_folder(vendor, plugin)}/{safe_name(label)}.vstpreset"


def _guide_lines(guided: GuidedChain) -> list[str]:
    chain, mapping = guided.chain, map_chain(guided.chain)
    title = guided.label or chain.name
    lines = [title, "-" * len(title)]
    for preset, name in zip(mapping.presets, _file_names(mapping.presets, safe_name(title)), strict=True):
        lines.append(
            f"{preset.plugin.name}/{name}.vstpreset  (effect {preset.effect_index + 1} of the chain)"
        )
        lines += [
            line
            for note in (*_measured_notes(guided, preset), *preset.notes)
            for line in textwrap.wrap(note, 96, initial_indent="    ! ", subsequent_indent="      ")
        ]
    return [*lines, *_plugin_lines(chain), *_left_out_lines(mapping.left_out), ""]


def _measured_notes(guided: GuidedChain, preset: PluginPreset) -> list[str]:
    words = guided.measured.get(preset.effect_index)
    return [f"On this song, against ours: {words}."] if words else []


def _plugin_lines(chain: Chain) -> list[str]:
    return [
        f"{effect.component or effect.plugin}  (effect {place} of the chain): its state as it was used"
        for place, effect in enumerate(chain.effects, start=1)
        if isinstance(effect, Vst3)
    ]


def _left_out_lines(left_out: tuple[str, ...]) -> list[str]:
    if not left_out:
        return []
    told = f"Without a free stereo plug-in: {', '.join(left_out)}. Their values are in Dial it in.txt."
    return textwrap.wrap(told, 96)


def safe_name(label: str) -> str:
    """``label`` as a file name for Windows, macOS and Linux: unsafe signs become ``_``, long ones are cut."""
    name = _UNSAFE.sub("_", label).strip(" .")
    name = name.encode("utf-8", "replace")[:_LABEL_BYTES].decode("utf-8", "ignore").strip(" .") or "Preset"
    return f"_{name}" if _DEVICES.match(name) else name


def _file_names(found: tuple[PluginPreset, ...], label: str) -> list[str]:
    names = [preset.plugin.name for preset in found]
    return [
        f"{label} {names[: place + 1].count(name)}" if names.count(name) > 1 else label
        for place, name in enumerate(names)
    ]


def _folder(vendor: str, plugin: str) -> str:
    return f"Presets/{safe_name(vendor)}/{safe_name(plugin)}"


def _both_platforms(preset: PluginPreset, name: str) -> list[PresetFile]:
    folder = _folder(preset.plugin.vendor, preset.plugin.name)
    contents = preset.to_vstpreset()
    return [
        PresetFile(f"{folder}/{name}.vstpreset", contents.to_bytes()),
        PresetFile(f"{folder}/{name} (Windows).vstpreset", contents.for_windows().to_bytes()),
    ]
