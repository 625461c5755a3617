"""What a host process does with a plug-in; only there is this module imported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pedalboard

from bridge.audio import AudioWriter, Samples, open_audio
from bridge.engines.vst3.words import (
    Look,
    Looked,
    ParameterFacts,
    PluginFacts,
    Render,
    Rendered,
    Setup,
)
from bridge.errors import EngineError
from presets.values import did_you_mean

BLOCK_FRAMES = 8192
"""Frames between two words to the parent."""
BUFFER_FRAMES = 1024
"""What the plug-in gets at once, as in a host that plays."""
WARM_UP_FRAMES = 64
LONGEST_LATENCY_FRAMES = 1 << 20
"""Twenty seconds: no plug-in that is meant for music keeps more back."""
LOOK_RATE_HZ = 48_000


class Ear(Protocol):
    """Hears what begins and how far it came."""

    def phase(self, phase: Any) -> None:
        """Something begins."""
        ...

    def share(self, share: float) -> None:
        """It came so far."""
        ...


def render(request: Render, ear: Ear) -> Rendered:
    """The source through the plug-in: same rate, channels and length, in time with the source."""
    with open_audio(request.source) as reader:
        rate_hz, channels, frames = reader.info.rate_hz, reader.info.channels, reader.info.frames
        ear.phase("loading")
        lanes = _lanes(request.setup, load(request.setup), rate_hz, channels)
        ear.phase("working")
        gain = np.float32(10 ** (request.input_db / 20))
        with AudioWriter(request.target, rate_hz=rate_hz, channels=channels) as out:
            for block in _rendered(lanes, (block * gain for block in reader.blocks())):
                out.write(block / gain)
                ear.share(out.frames / max(1, frames))
            if request.state is not None:
                save_state(lanes.first, request.state)
            return Rendered(plugin=lanes.facts(), settings=_settings(lanes.first, request.setup.parameters))


def look(request: Look, ear: Ear) -> Looked:
    """What the plug-in is and how it is set, after its window was closed where that was asked for."""
    ear.phase("loading")
    plugin = load(request.setup, is_shown=True)
    if request.has_window:
        ear.phase("waiting")
        plugin.show_editor()
    ear.phase("working")
    lanes = _lanes(request.setup, plugin, LOOK_RATE_HZ, 2)
    if request.state is not None:
        save_state(plugin, request.state)
    return Looked(plugin=lanes.facts(), parameters=tuple(_parameters(plugin)))


class Lanes:
    """One instance for all channels, or one for each where the plug-in is mono; latency is taken out.

    A stereo plug-in hears a mono signal on both sides, and the mean of its sides counts.
    """

    def __init__(self, plugin: Any, another: Callable[[], Any], *, rate_hz: int, channels: int) -> None:
        self._plugins = [plugin]
        self._rate_hz, self._channels = rate_hz, channels
        self._width = next(filter(self._accepts, (channels, 1, 2)), 0)
        if not self._width:
            raise EngineError(f"{plugin.name} takes neither mono nor stereo; wanted an effect for either.")
        if self._width < channels:
            self._plugins = [plugin, another()]
            self._accepts(self._width)

    @property
    def first(self) -> Any:
        """The plug-in, or the one for the left channel."""
        return self._plugins[0]

    @property
    def latency_frames(self) -> int:
        """What has to be fed at the end until the last frame comes out."""
        found = max(int(plugin.reported_latency_samples) for plugin in self._plugins)
        if found <= LONGEST_LATENCY_FRAMES:
            return found
        raise EngineError(f"{self.first.name} says that it keeps {found} frames back; no effect needs that.")

    def process(self, block: Samples) -> Samples:
        """The next frames; at the start fewer come out than went in, by the plug-in's latency."""
        if self._width == self._channels:
            return self._through(self.first, block)
        if self._width > self._channels:
            both = self._through(self.first, np.repeat(block, 2, axis=0))
            return np.asarray(both.mean(axis=0, keepdims=True), np.float32)
        pairs = zip(self._plugins, block, strict=True)
        return np.concatenate([self._through(plugin, lane[None]) for plugin, lane in pairs])

    def facts(self) -> PluginFacts:
        """What the plug-in tells of itself."""
        plugin = self.first
        return PluginFacts(
            name=plugin.name,
            vendor=plugin.manufacturer_name,
            version=plugin.version,
            category=plugin.category,
            latency_frames=self.latency_frames,
            is_dual_mono=len(self._plugins) > 1,
        )

    def _accepts(self, width: int) -> bool:
        """Whether the plug-ins take so many channels; after a first, silent block, begun anew.

        Only after audio went through are latency and state what they will be.
        """
        try:
            for plugin in self._plugins:
                self._through(plugin, np.zeros((width, WARM_UP_FRAMES), np.float32))
                plugin.reset()
        except ValueError:
            return False
        return True

    def _through(self, plugin: Any, samples: Samples) -> Samples:
        made = plugin.process(samples, self._rate_hz, buffer_size=BUFFER_FRAMES, reset=False)
        return np.asarray(made, np.float32).reshape(len(samples), -1)


def load(setup: Setup, *, is_shown: bool = False) -> Any:
    """The plug-in, brought to its state; EngineError where it or its state does not fit.

    ``is_shown`` where its parameters will be read.
    """
    name = setup.component or setup.plugin.stem
    try:
        _expect_component(setup)
        plugin = pedalboard.load_plugin(str(setup.plugin), plugin_name=setup.component or None)
    except (ImportError, ValueError, RuntimeError, OSError) as cause:
        raise EngineError(f"{name} could not be loaded ({_short(cause)}). Reinstall the plug-in.") from cause
    if plugin.is_instrument:
        raise EngineError(f"{name} is an instrument; wanted an effect, which takes audio in.")
    if is_shown or setup.parameters:
        _learn_parameters(plugin)
    if setup.preset is not None:
        _load_preset(plugin, setup.preset)
    for parameter, value in setup.parameters.items():
        _set(plugin, parameter, value)
    return plugin


def _expect_component(setup: Setup) -> None:
    """Of a bundle with one plug-in pedalboard takes that, whatever name is asked for."""
    known = pedalboard.VST3Plugin.get_plugin_names_for_file(str(setup.plugin)) if setup.component else []
    if setup.component and setup.component not in known:
        hint = did_you_mean(setup.component, known)
        raise EngineError(f"{setup.plugin.stem} holds no plug-in {setup.component!r}; {hint}")


def save_state(plugin: Any, path: Path) -> None:
    """The plug-in's state as a .vstpreset; it must have heard audio, else it would be an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(plugin.preset_data))


def _lanes(setup: Setup, plugin: Any, rate_hz: int, channels: int) -> Lanes:
    return Lanes(plugin, lambda: load(setup), rate_hz=rate_hz, channels=channels)


def _learn_parameters(plugin: Any) -> None:
    """Have pedalboard look at the parameters, which it does once.

    It may try all values of one out for that, such as the program's, and so put the others to their defaults:
    after a preset was loaded, that would undo what the preset shows.
    """
    _ = plugin.parameters


def _load_preset(plugin: Any, preset: Path) -> None:
    try:
        plugin.load_preset(str(preset))
    except (RuntimeError, ValueError, OSError) as cause:
        raise EngineError(
            f"{plugin.name} does not take the preset {preset.name} ({_short(cause)}). "
            "Is it one of this plug-in, for this system?"
        ) from cause


def _set(plugin: Any, name: str, value: bool | float | str) -> None:
    """Set a parameter by the plug-in's own name for it, or by pedalboard's."""
    known = {parameter.name.lower(): key for key, parameter in plugin.parameters.items()}
    known |= {key: key for key in plugin.parameters if key not in known}
    key = known.get(name.lower())
    if key is None:
        titles = [parameter.name for parameter in plugin.parameters.values()]
        raise EngineError(f"{plugin.name} has no parameter {name!r}; {did_you_mean(name, titles)}")
    if str(value).strip().lower().lstrip("+-") == "nan":  # the host below lets it pass as a number in range
        raise EngineError(f"{plugin.name} does not take {name} = {value!r}; wanted a number.")
    try:
        setattr(plugin, key, choice_of(plugin.parameters[key], value))
    except (ValueError, TypeError) as cause:
        raise EngineError(f"{plugin.name} does not take {name} = {value!r}: {_short(cause)}") from cause


def choice_of(parameter: Any, value: bool | float | str) -> bool | float | str:
    """Of several choices the one that is meant: "low pass" is "Low Pass", 2.0 is "2", true is "On"."""
    if parameter.type is not str:
        return value
    switch = "on" if value else "off"
    said = switch if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value.lower()
    return next((choice for choice in parameter.valid_values if str(choice).lower() == said), value)


def _rendered(lanes: Lanes, blocks: Iterator[Samples]) -> Iterator[Samples]:
    """The processed blocks, as many frames as went in: silence pushes the latency out at the end."""
    owed = 0
    for block, frames in _filled(blocks, max(BLOCK_FRAMES, lanes.latency_frames + BUFFER_FRAMES)):
        part = _checked(lanes, block)
        owed += frames
        yield part[:, :owed]
        owed -= part.shape[1]
    while owed > 0:
        part = _checked(lanes, np.zeros_like(block))
        if not part.shape[1]:
            raise EngineError(f"{lanes.first.name} kept {owed} frames back; wanted as many out as went in.")
        yield part[:, :owed]
        owed -= part.shape[1]


def _filled(blocks: Iterator[Samples], frames: int) -> Iterator[tuple[Samples, int]]:
    """Blocks of exactly ``frames``, silence after the end, and how many of theirs are the signal's.

    In a first block shorter than the latency pedalboard loses what the plug-in keeps back.
    """
    rest: Samples | None = None
    for block in blocks:
        rest = block if rest is None else np.concatenate([rest, block], axis=1)
        while rest.shape[1] >= frames:
            yield rest[:, :frames], frames
            rest = rest[:, frames:]
    if rest is not None and rest.shape[1]:
        yield np.pad(rest, ((0, 0), (0, frames - rest.shape[1]))), rest.shape[1]


def _checked(lanes: Lanes, block: Samples) -> Samples:
    made = lanes.process(block)
    if not np.isfinite(made.sum(dtype=np.float64)):
        raise EngineError(f"{lanes.first.name} gave samples that are no numbers; wanted audio.")
    return made


def _parameters(plugin: Any) -> Iterator[ParameterFacts]:
    for parameter in plugin.parameters.values():
        low, high = (parameter.range or (None, None, None))[:2]
        is_number = parameter.type is float
        choices: tuple[str, ...] = ()
        with suppress(AttributeError, TypeError):
            choices = () if is_number else tuple(map(str, parameter.valid_values))
        yield ParameterFacts(
            name=parameter.name,
            value=_plain(str(parameter.string_value)),
            unit=(parameter.units or "").strip(),
            low=low if is_number else None,
            high=high if is_number else None,
            choices=choices,
        )


def _settings(plugin: Any, names: Collection[str]) -> dict[str, str]:
    """Parameters by the names that they were set by, as the plug-in has them now."""
    if not names:
        return {}
    found = {parameter.name.lower(): parameter.words for parameter in _parameters(plugin)}
    return {name: found[name.lower()] for name in names if name.lower() in found}


def _plain(text: str) -> str:
    """ "3.000000" as "3"; what is no number as it is."""
    try:
        return f"{float(text):.6g}"
    except ValueError:
        return text


def _short(cause: BaseException) -> str:
    text = " ".join(str(cause).split())
    return text if len(text) <= 300 else text[:297] + "..."
